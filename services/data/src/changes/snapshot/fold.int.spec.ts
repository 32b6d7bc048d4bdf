import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { seededRandom } from '../../conditions/testing/random.ts';
import { foldFeed } from '../../testing/fold-feed.ts';
import type { FoldWorld } from '../../testing/fold-world.ts';
import { createFoldWorld } from '../../testing/fold-world.ts';
import { openTestData } from '../../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../../testing/test-data.ts';
import { openFeed } from '../../testing/test-feed.ts';
import type { FeedBlock } from '../../testing/test-feed.ts';

const { CAUSEWAY_TEST_SEED } = process.env;

describe('what is held by who follows a feed from a snapshot on', () => {
  let data: TestData;
  let replicas: readonly [TestReplica, TestReplica];
  let ada: Person;
  let world: FoldWorld;
  const seed = CAUSEWAY_TEST_SEED === undefined ? randomInt(2 ** 31) : Number(CAUSEWAY_TEST_SEED);

  before(async () => {
    data = await openTestData();
    replicas = [await data.replica(), await data.replica()];
    const [admin, reader] = await Promise.all([data.person({ roles: ['admin'] }), data.person()]);
    ada = reader;
    world = createFoldWorld({ data, replicas, admin, ada });
  });
  after(() => data.stop());

  /** Follows for so many blocks with a cursor, at the one replica and then the other, cut off in between. */
  const followCut = async (name: string, cuts: number, changes: number): Promise<FeedBlock[]> => {
    const blocks: FeedBlock[] = [];
    let after: string | undefined;
    for (let cut = 0; cut < cuts; cut += 1) {
      const options = {
        token: ada.token,
        filter: world.filter,
        snapshot: true,
        // A cursor is good for whatever it is told over.
        transport: cut % 4 < 2 ? ('event-stream' as const) : ('socket' as const),
        ...(after === undefined ? {} : { after }),
      };
      const feed = await openFeed(replicas[cut % 2 === 0 ? 0 : 1], name, options);
      assert.equal(feed.status, 200);
      await feed.count(changes);
      feed.close();
      // Nothing is told without a cursor but what is sent anew where it is asked for again.
      const last = feed.blocks.findLastIndex(({ id }) => id !== undefined);
      blocks.push(...feed.blocks.slice(after === undefined ? 0 : 1, last + 1));
      after = feed.lastId();
    }
    return blocks;
  };

  it('is what the query finds, at every place, under writers, batches, deletes and cuts', async () => {
    const name = `c${randomUUID().slice(0, 8)}`;
    await world.put(name, 0);
    let isOver = false;
    const writers = Array.from({ length: 8 }, (_, index) =>
      world.write(name, seededRandom(seed + index), () => !isOver),
    );
    try {
      for (let round = 0; round < 6; round += 1) {
        const views = foldFeed(await followCut(name, 3, 15));
        assert.ok(views.length > 3, `${views.length} places in a round`);
        const begun = views.find(({ revisions }) => revisions.size > 0);
        assert.ok(round === 0 || begun !== undefined);
        await world.compare(await world.definitionOf(name), views, 0, `seed ${seed}`);
      }
    } finally {
      isOver = true;
      await Promise.all(writers);
    }
  });

  it('is what the query finds by the rule of then, while the rule changes under it', async () => {
    const name = `c${randomUUID().slice(0, 8)}`;
    await world.put(name, 0);
    let isOver = false;
    const writers = Array.from({ length: 4 }, (_, index) =>
      world.write(name, seededRandom(seed + 100 + index), () => !isOver),
    );
    const feed = await openFeed(replicas[1], name, { token: ada.token, filter: world.filter, snapshot: true });
    const readies = (): number => feed.blocks.filter(({ event }) => event === 'ready').length;
    try {
      await feed.count(20);
      await world.put(name, 1);
      await feed.until('the snapshot by the second rule', () => readies() >= 2);
      const told = feed.told().length;
      await feed.count(told + 20);
      await world.put(name, 0);
      await feed.until('the snapshot by the first rule', () => readies() >= 3);
      await feed.count(feed.told().length + 10);
    } finally {
      isOver = true;
      await Promise.all(writers);
      feed.close();
    }
    const views = foldFeed(feed.blocks);
    const names = [...new Set(views.map(({ rule }) => rule))];
    // A rule that has come back has another name.
    assert.equal(names.length, 3);
    for (const [index, rule] of names.entries()) {
      const own = views.filter((view) => view.rule === rule);
      assert.ok(own.length > 1);
      await world.compare(await world.definitionOf(name), own, index % 2, `seed ${seed}`);
    }
  });
});
