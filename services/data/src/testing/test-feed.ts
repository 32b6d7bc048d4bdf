import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';

import type { TestReplica } from './test-data.ts';

/** What is published, or one's own, is seen in the feeds of specs. */
export const feedDefinition = {
  schema: {
    properties: {
      status: { enum: ['draft', 'published'] },
      author: { type: 'string' },
      n: { type: 'number' },
      text: { type: 'string' },
    },
  },
  rules: { read: [{ status: 'published' }, { author: { $auth: 'sub' } }], create: 'signed-in', update: 'signed-in' },
};

/** One block of an event stream. */
export interface FeedBlock {
  readonly event?: string;
  readonly id?: string;
  readonly data?: string;
}

/** What a block tells of a change. */
export interface Told {
  readonly event: string;
  readonly id: string;
  readonly record?: Readonly<Record<string, unknown>>;
  readonly previous?: Readonly<Record<string, unknown>>;
  readonly recordId: string;
  readonly revision: number;
  readonly eventId: string;
}

/** An open feed. */
export interface TestFeed {
  readonly status: number;
  readonly blocks: readonly FeedBlock[];
  /** Those that tell of changes, once all of their commit have come. */
  told(): Told[];
  lastId(): string;
  /** Waits, for at most a minute. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Waits for so many changes, and gives what was told. */
  count(changes: number): Promise<Told[]>;
  /** Waits until the server has ended it. */
  ended(): Promise<FeedBlock | undefined>;
  /** Stops reading, without closing. */
  pause(): void;
  resume(): void;
  close(): void;
}

const patienceMs = 60_000;
const changeEvents: ReadonlySet<string> = new Set(['created', 'updated', 'deleted', 'entered', 'left']);

/** Gives what was told of one commit the `id` that its last block has; what has not come whole has none. */
function withPlaces(blocks: readonly FeedBlock[]): FeedBlock[] {
  let place: string | undefined;
  return blocks
    .toReversed()
    .map((block) => {
      const isChange = block.event !== undefined && changeEvents.has(block.event);
      place = block.id ?? (isChange ? place : undefined);
      return isChange && place !== undefined ? { ...block, id: place } : block;
    })
    .toReversed();
}

/** Opens a feed, and waits until it has said from where it tells. */
export async function openFeed(
  replica: TestReplica,
  collection: string,
  options: {
    readonly token?: string;
    readonly filter?: unknown;
    readonly after?: string;
    readonly snapshot?: boolean | string;
    /** Reads nothing until it is resumed, and does not wait for anything. */
    readonly paused?: boolean;
  } = {},
): Promise<TestFeed> {
  const { token, filter, after, snapshot, paused = false } = options;
  const parameters = new URLSearchParams({
    ...(filter === undefined ? {} : { filter: JSON.stringify(filter) }),
    ...(snapshot === undefined ? {} : { snapshot: String(snapshot) }),
  });
  const query = parameters.size === 0 ? '' : `?${parameters.toString()}`;
  const answered = Promise.withResolvers<IncomingMessage>();
  const asking = request({
    port: replica.service.port,
    path: `/v1/data/${collection}/changes${query}`,
    agent: false,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(after === undefined ? {} : { 'last-event-id': after }),
    },
  });
  asking.once('response', answered.resolve).once('error', answered.reject).end();
  const response = await answered.promise;
  response.on('error', () => undefined);
  const blocks: FeedBlock[] = [];
  let isOver = false;
  let block: Record<string, string> = {};
  const lines = createInterface({ input: response });
  lines.on('line', (line) => {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (line !== '') block[name] = value;
    else {
      blocks.push(block);
      block = {};
    }
  });
  if (paused) response.pause();
  // It passes on the errors of its input.
  lines.on('error', () => undefined);
  response.once('close', () => (isOver = true));

  const until: TestFeed['until'] = async (what, condition) => {
    const deadline = performance.now() + patienceMs;
    while (!condition()) {
      const last = JSON.stringify(blocks.slice(-3)).slice(0, 500);
      assert.ok(performance.now() < deadline, `waited in vain for ${what}; ${blocks.length} blocks, the last ${last}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const told = (): Told[] =>
    withPlaces(blocks).flatMap(({ event, id, data }) => {
      if (event === undefined || id === undefined || !changeEvents.has(event)) return [];
      const {
        record,
        previous,
        id: recordId,
        revision,
        eventId,
      } = JSON.parse(data ?? '') as Record<string, never> & {
        record?: { id: string };
        previous?: Record<string, unknown>;
        id?: string;
        revision: number;
        eventId: string;
      };
      const about = { event, id, recordId: record?.id ?? recordId ?? '', revision, eventId };
      return [{ ...about, ...(record ? { record } : {}), ...(previous ? { previous } : {}) }];
    });
  const feed: TestFeed = {
    status: response.statusCode ?? 0,
    blocks,
    told,
    lastId: () => blocks.findLast(({ id }) => id !== undefined)?.id ?? after ?? '',
    until,
    async count(changes) {
      await until(`${changes} changes`, () => told().length >= changes);
      return told();
    },
    async ended() {
      await until('the end', () => isOver);
      return blocks.findLast(({ event }) => event === 'end' || event === 'gap');
    },
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => asking.destroy(),
  };
  if (response.statusCode === 200 && !paused) await until('the first block', () => blocks.length > 0);
  return feed;
}
