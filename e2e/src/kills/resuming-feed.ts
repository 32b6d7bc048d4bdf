import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { FeedBlock } from '../harness/event-stream.ts';
import { eventually } from '../harness/eventually.ts';
import { changesIn, type Feed, type FeedChange, type FeedOptions, openFeed } from '../harness/feed.ts';

const pauseMs = 200;
/** Longer than any round: a feed that stays open is not asked to end. */
const foreverMs = 600_000;

/** A subscriber to a collection's feed that connects again whenever it is cut off, with the last cursor it has. */
export interface ResumingFeed {
  /** What it has been told, as if it had never been cut off: up to its last cursor, and nothing that only says where a feed goes on. */
  readonly told: () => readonly FeedBlock[];
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
export interface ResumingFeedOptions extends Omit<FeedOptions, 'lastEventId' | 'at'> {
  /** Names the gateway that it connects to next; the platform's own by default. */
  readonly at?: () => string | undefined;
}

/** Subscribes, and stays subscribed whatever happens to the platform. */
export async function startResumingFeed(
  collection: string,
  { at = () => undefined, ...options }: ResumingFeedOptions,
): Promise<ResumingFeed> {
  const kept: FeedBlock[] = [];
  let connections = 1;
  let current: Feed | undefined = await openFeed(collection, { ...options, at: at() });
  let isResumed = false;
  let lastId: string | undefined;
  let isOver = false;
  let lastRefusal: unknown;

  /** What a feed has told, each commit whole; where it goes on from is what is known. */
  const whole = ({ blocks }: Feed): readonly FeedBlock[] =>
    blocks.slice(isResumed ? 1 : 0, blocks.findLastIndex(({ id }) => id !== undefined) + 1);
  const told = (): readonly FeedBlock[] => (current === undefined ? [...kept] : [...kept, ...whole(current)]);
  const read = async (feed: Feed): Promise<void> => {
    await feed.ended(foreverMs);
    kept.push(...whole(feed));
    lastId = feed.lastId();
    isResumed = lastId !== undefined;
    current = undefined;
  };
  const follow = async (): Promise<void> => {
    for (;;) {
      try {
        if (current === undefined) {
          current = await openFeed(collection, { ...options, lastEventId: lastId, at: at() });
          connections += 1;
        }
        if (isOver) current.close();
        await read(current);
      } catch (error) {
        lastRefusal = error;
      }
      if (isOver) return;
      await wait(pauseMs);
    }
  };
  const reading = follow();
  const created = (): FeedChange[] => changesIn(told()).filter(({ event }) => event === 'created');
  const stop = (): void => {
    isOver = true;
    current?.close();
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
    connections: () => connections,
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
