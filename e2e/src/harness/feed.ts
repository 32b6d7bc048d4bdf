import assert from 'node:assert/strict';
import { open } from './client.ts';
import { type FeedBlock, readEventStream } from './event-stream.ts';
import { eventually } from './eventually.ts';
import { blockOf, openFeedSocket } from './feed-socket.ts';

/** What a feed says of a change. */
export interface FeedChange {
  readonly event: string;
  readonly id: string;
  readonly data: {
    readonly record?: Readonly<Record<string, unknown>> & { readonly id: string };
    readonly id?: string;
    readonly revision: number;
    readonly eventId: string;
    readonly previous?: Readonly<Record<string, unknown>>;
  };
  readonly readAt: number;
}

/** An open feed. */
export interface Feed {
  readonly blocks: readonly FeedBlock[];
  /** The blocks that tell of a change, in their order, once all of their commit have come. */
  readonly changes: () => readonly FeedChange[];
  /** The last cursor: what to resume from. */
  readonly lastId: () => string | undefined;
  /** Resolves once there are that many changes; rejects when there are not in time. */
  readonly count: (changes: number, withinMs?: number) => Promise<readonly FeedChange[]>;
  /** Resolves with the block that ends the feed, once the server has ended it. */
  readonly ended: (withinMs?: number) => Promise<FeedBlock | undefined>;
  readonly close: () => void;
}

export interface FeedOptions {
  readonly token?: string | undefined;
  readonly filter?: unknown;
  readonly lastEventId?: string | undefined;
  /** Whether it begins with the current result. */
  readonly snapshot?: boolean;
  /** What it is told over: an event stream where nothing is said. */
  readonly over?: 'socket' | undefined;
  /** A gateway; the platform's own by default. */
  readonly at?: string | undefined;
}

const changeEvents: ReadonlySet<string> = new Set(['created', 'updated', 'deleted', 'entered', 'left']);

/** What is read, whatever it is told over. */
interface Reading {
  readonly blocks: readonly FeedBlock[];
  readonly isOver: () => boolean;
  readonly close: () => void;
}

const readStream = async (collection: string, options: FeedOptions): Promise<Reading> => {
  const { token, filter, lastEventId, snapshot, at } = options;
  const abort = new AbortController();
  const stream = await open(`/v1/data/${collection}/changes`, {
    token,
    query: {
      filter: filter === undefined ? undefined : JSON.stringify(filter),
      snapshot: snapshot === undefined ? undefined : String(snapshot),
    },
    headers: {
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    signal: abort.signal,
    at,
  });
  assert.equal(stream.status, 200, `GET /v1/data/${collection}/changes`);
  const blocks: FeedBlock[] = [];
  let isOver = false;
  void readEventStream(stream.body, (block) => blocks.push(block))
    .catch((error: unknown) => {
      if (!abort.signal.aborted) blocks.push({ event: 'cut', data: String(error), readAt: performance.now() });
    })
    .finally(() => (isOver = true));
  return { blocks, isOver: () => isOver, close: () => abort.abort() };
};

const readSocket = async (collection: string, options: FeedOptions): Promise<Reading> => {
  const { token, filter, lastEventId: resume, snapshot, at } = options;
  const socket = await openFeedSocket(token, at === undefined ? {} : { at });
  const blocks: FeedBlock[] = [];
  socket.onMessage((message) => {
    if (message.id !== 'it' || message.type === 'subscribed') return;
    const block = blockOf(message);
    blocks.push(block);
    // The last of a subscription, which is the only one here.
    if (['end', 'error'].includes(message.type) || block.data === '{"reason":"slow"}') socket.close();
  });
  socket.send({ type: 'subscribe', id: 'it', collection, filter, snapshot, resume });
  await eventually(
    () => assert.ok(socket.closed() !== undefined || socket.messages.some(({ id }) => id === 'it'), 'no answer'),
    { everyMs: 5 },
  );
  const answer = socket.messages.find(({ id }) => id === 'it');
  assert.equal(answer?.type, 'subscribed', JSON.stringify(answer ?? socket.closed()));
  return { blocks, isOver: () => socket.closed() !== undefined, close: socket.close };
};

/** @returns the blocks that tell of a change, in their order, once all of their commit have come */
export function changesIn(blocks: readonly FeedBlock[]): FeedChange[] {
  const whole: FeedChange[] = [];
  // What has no `id` is of the same commit as what follows, up to one that has.
  let commit: Omit<FeedChange, 'id'>[] = [];
  for (const { event, id, data, readAt } of blocks) {
    if (event === undefined || data === undefined || !changeEvents.has(event)) {
      commit = [];
      continue;
    }
    commit.push({ event, data: JSON.parse(data) as FeedChange['data'], readAt });
    if (id === undefined) continue;
    whole.push(...commit.map((change) => ({ ...change, id })));
    commit = [];
  }
  return whole;
}

/**
 * Subscribes to the changes of a collection, and returns once the feed has said from where it tells.
 *
 * @throws AssertionError when the feed is refused
 */
export async function openFeed(collection: string, options: FeedOptions = {}): Promise<Feed> {
  const { lastEventId } = options;
  const reading = await (options.over === 'socket' ? readSocket : readStream)(collection, options);
  const { blocks, isOver, close } = reading;
  const changes = (): FeedChange[] => changesIn(blocks);
  const feed: Feed = {
    blocks,
    changes,
    lastId: () => blocks.findLast((each) => each.id !== undefined)?.id ?? lastEventId,
    count: (wanted, withinMs = 20_000) =>
      eventually(
        () => {
          const found = changes();
          const lastWords = JSON.stringify(blocks.filter((each) => each.id === undefined));
          assert.ok(found.length >= wanted, `${found.length} of ${wanted} changes in the feed ${lastWords}`);
          return found;
        },
        { withinMs, everyMs: 5 },
      ),
    ended: (withinMs = 10_000) =>
      eventually(
        () => {
          assert.ok(isOver(), 'the feed is still open');
          return blocks.findLast((each) => each.event === 'end');
        },
        { withinMs },
      ),
    close,
  };
  await eventually(() => assert.ok(blocks.length > 0 || isOver(), 'the feed has not begun'), { everyMs: 5 });
  return feed;
}
