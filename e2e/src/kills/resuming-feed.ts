import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { FeedBlock } from '../harness/event-stream.ts';
import { eventually } from '../harness/eventually.ts';
import { changesIn, type Feed, type FeedChange, type FeedOptions, openFeed } from '../harness/feed.ts';

const pauseMs = 200;
/** Longer than any round: a feed that stays open is not asked to end. */
const foreverMs = 600_000;

/** What was heard while one was let in. */
export interface HeardConnection {
  readonly token: string | undefined;
  readonly blocks: readonly FeedBlock[];
  /** Up to its last cursor, without what only says where it goes on. */
  readonly whole: readonly FeedBlock[];
}

/** A subscriber to a collection's feed that connects again whenever it is cut off, with the last cursor it has. */
export interface ResumingFeed {
  /** What it has been told, as if it had never been cut off: up to its last cursor, and nothing that only says where a feed goes on. */
  readonly told: () => readonly FeedBlock[];
  /** The same, each time that it was let in by itself, and all that was heard then. */
  readonly heard: () => readonly HeardConnection[];
  /** Whether it is let in now. */
  readonly isOpen: () => boolean;
  /** Is cut off, and connects again. */
  readonly reconnect: () => void;
  /** How often it has been let in. */
  readonly connections: () => number;
  /** Resolves when it has told of the creation of these records; leaves, also where it has not within that time. */
  readonly tellsOf: (recordIds: readonly string[], withinMs: number) => Promise<void>;
  /** The same; and it has told of each once, and of no other, and left nothing out. */
  readonly assertToldOnce: (recordIds: readonly string[], withinMs: number) => Promise<void>;
  /** Leaves, whatever it has told; as often as one likes. */
  readonly stop: () => void;
}

/** How to subscribe. */
export interface ResumingFeedOptions extends Omit<FeedOptions, 'lastEventId' | 'at' | 'token'> {
  /** Whose it is; where it is asked for each time, null keeps away. */
  readonly token?: string | (() => string | null) | undefined;
  /** Names the gateway that it connects to next; the platform's own by default. */
  readonly at?: () => string | undefined;
}

interface Connection {
  readonly token: string | undefined;
  readonly feed: Feed;
  /** Its first block says where it goes on from. */
  readonly isResumed: boolean;
}

/** What a feed has told, each commit whole; where it goes on from is what is known. */
const whole = ({ feed: { blocks }, isResumed }: Connection): readonly FeedBlock[] =>
  blocks.slice(isResumed ? 1 : 0, blocks.findLastIndex(({ id }) => id !== undefined) + 1);

/** Subscribes, and stays subscribed whatever happens to the platform. */
export async function startResumingFeed(
  collection: string,
  { at = () => undefined, token, ...options }: ResumingFeedOptions,
): Promise<ResumingFeed> {
  const made: Connection[] = [];
  let current: Connection | undefined;
  let lastId: string | undefined;
  let isOver = false;
  let lastRefusal: unknown;

  const connect = async (): Promise<void> => {
    const whose = typeof token === 'function' ? token() : token;
    if (whose === null) return;
    const feed = await openFeed(collection, { ...options, token: whose, lastEventId: lastId, at: at() });
    current = { token: whose, feed, isResumed: lastId !== undefined };
    made.push(current);
  };
  const told = (): readonly FeedBlock[] => made.flatMap(whole);
  const follow = async (): Promise<void> => {
    for (;;) {
      try {
        if (current === undefined) await connect();
        if (isOver) current?.feed.close();
        await current?.feed.ended(foreverMs);
        lastId = current?.feed.lastId() ?? lastId;
      } catch (error) {
        lastRefusal = error;
      }
      current = undefined;
      if (isOver) return;
      await wait(pauseMs);
    }
  };
  await connect();
  const reading = follow();
  const created = (): FeedChange[] => changesIn(told()).filter(({ event }) => event === 'created');
  const stop = (): void => {
    isOver = true;
    current?.feed.close();
  };
  const tellsOf = async (recordIds: readonly string[], withinMs: number): Promise<void> => {
    const enough = (): void => {
      const found = new Set(created().map(({ data }) => data.record?.id));
      const missing = recordIds.filter((id) => !found.has(id));
      assert.deepEqual(
        missing,
        [],
        `records that the feed has not told of; it was last refused with: ${String(lastRefusal)}`,
      );
    };
    try {
      await eventually(enough, { withinMs, everyMs: 100 });
    } finally {
      stop();
    }
    await reading;
  };
  return {
    stop,
    told,
    connections: () => made.length,
    heard: () => made.map((each) => ({ token: each.token, blocks: each.feed.blocks, whole: whole(each) })),
    isOpen: () => current !== undefined,
    reconnect: () => current?.feed.close(),
    tellsOf,
    assertToldOnce: async (recordIds, withinMs) => {
      await tellsOf(recordIds, withinMs);
      const gaps = told().flatMap(({ event, data }) => (event === 'gap' ? [data ?? ''] : []));
      assert.deepEqual(gaps, [], 'the feed has said that it left something out');
      assert.deepEqual(
        created()
          .map(({ data }) => data.record?.id)
          .sort(),
        [...recordIds].sort(),
      );
    },
  };
}
