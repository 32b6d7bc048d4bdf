import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../harness/eventually.ts';
import { type Feed, type FeedChange, type FeedOptions, openFeed } from '../harness/feed.ts';

const pauseMs = 200;
/** Longer than any round: a feed that stays open is not asked to end. */
const foreverMs = 600_000;

/** A subscriber to a collection's feed that connects again whenever it is cut off, with the last cursor it has. */
export interface ResumingFeed {
  /** Resolves when it has told of the creation of these records, each once, and of no other; then leaves. */
  readonly assertToldOnce: (recordIds: readonly string[], withinMs: number) => Promise<void>;
  /** Leaves, whatever it has told; as often as one likes. */
  readonly stop: () => void;
}

/**
 * Subscribes, and stays subscribed whatever happens to the platform.
 *
 * @param over - what it is told over
 */
export async function startResumingFeed(
  collection: string,
  token: string,
  over?: FeedOptions['over'],
): Promise<ResumingFeed> {
  const changes: FeedChange[] = [];
  const gaps: string[] = [];
  let current: Feed | undefined = await openFeed(collection, { token, over });
  let lastId = current.lastId();
  let isOver = false;
  let lastRefusal: unknown;

  const read = async (feed: Feed): Promise<void> => {
    await feed.ended(foreverMs);
    changes.push(...feed.changes());
    gaps.push(...feed.blocks.flatMap(({ event, data }) => (event === 'gap' ? [data ?? ''] : [])));
    lastId = feed.lastId();
  };
  const reading = (async () => {
    while (!isOver) {
      try {
        current ??= await openFeed(collection, { token, lastEventId: lastId, over });
        await read(current);
      } catch (error) {
        lastRefusal = error;
      }
      current = undefined;
      await wait(pauseMs);
    }
  })();
  const created = (): (string | undefined)[] =>
    [...changes, ...(current?.changes() ?? [])]
      .filter((change) => change.event === 'created')
      .map((change) => change.data.record?.id);
  const stop = (): void => {
    isOver = true;
    current?.close();
  };
  return {
    stop,
    assertToldOnce: async (recordIds, withinMs) => {
      const enough = (): void => {
        const told = new Set(created());
        const missing = recordIds.filter((id) => !told.has(id));
        assert.deepEqual(
          missing,
          [],
          `records that the feed has not told of; it was last refused with: ${String(lastRefusal)}`,
        );
      };
      try {
        await eventually(enough, { withinMs });
      } finally {
        stop();
      }
      await reading;
      assert.deepEqual(gaps, [], 'the feed has said that it left something out');
      assert.deepEqual(
        changes
          .filter(({ event }) => event === 'created')
          .map(({ data }) => data.record?.id)
          .sort(),
        [...recordIds].sort(),
      );
    },
  };
}
