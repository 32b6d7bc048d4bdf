import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { seededRandom } from '../../../services/data/src/conditions/testing/random.ts';
import { foldFeed } from '../../../services/data/src/testing/fold-feed.ts';
import { createFoldWorld, type FoldWorld } from '../../../services/data/src/testing/fold-world.ts';
import {
  openTestData,
  type Person,
  type TestData,
  type TestReplica,
} from '../../../services/data/src/testing/test-data.ts';
import { openFeed, type FeedBlock, type TestFeed } from '../../../services/data/src/testing/test-feed.ts';
import { stepDown } from '../faults/mongodb-faults.ts';
import { startOwnMongodb, type OwnMongodb } from './own-mongodb.ts';

const { CAUSEWAY_TEST_SEED } = process.env;

describe('the view of a feed, while MongoDB changes its primary', () => {
  let mongodb: OwnMongodb;
  let data: TestData;
  let replicas: readonly [TestReplica, TestReplica];
  let ada: Person;
  let world: FoldWorld;
  const { MONGODB_URL } = process.env;
  const seed = CAUSEWAY_TEST_SEED === undefined ? randomInt(2 ** 31) : Number(CAUSEWAY_TEST_SEED);

  before(async () => {
    mongodb = await startOwnMongodb();
    process.env.MONGODB_URL = mongodb.url;
    data = await openTestData();
    replicas = [await data.replica(), await data.replica()];
    const [admin, reader] = await Promise.all([data.person({ roles: ['admin'] }), data.person()]);
    ada = reader;
    world = createFoldWorld({ data, replicas, admin, ada, mayFail: true });
  });
  after(async () => {
    process.env.MONGODB_URL = MONGODB_URL;
    await data.stop();
    await mongodb.stop();
  });

  const readies = ({ blocks }: TestFeed): number => blocks.filter(({ event }) => event === 'ready').length;
  /** Follows from where it was told last, until it has been told some more. */
  const follow = async (at: TestReplica, name: string, blocks: readonly FeedBlock[]): Promise<TestFeed> => {
    const cursor = blocks.findLast(({ id }) => id !== undefined)?.id;
    const after = cursor === undefined ? {} : { after: cursor };
    const feed = await openFeed(at, name, { token: ada.token, filter: world.filter, snapshot: true, ...after });
    assert.equal(feed.status, 200);
    return feed;
  };

  /** What came of a feed that was cut off now, but for where it began. */
  const cut = (feed: TestFeed, isFirst: boolean): FeedBlock[] => {
    feed.close();
    const told = feed.blocks.slice(isFirst ? 0 : 1);
    return told.slice(0, told.findLastIndex(({ id }) => id !== undefined) + 1);
  };

  it('is what the query finds at every place, under writers, batches, cuts and another rule, at either replica', async () => {
    const name = `c${randomUUID().slice(0, 8)}`;
    await world.put(name, 0);
    let isOver = false;
    const writers = Array.from({ length: 4 }, (_, index) =>
      world.write(name, seededRandom(seed + index), () => !isOver),
    );
    const blocks: FeedBlock[] = [];
    try {
      for (let round = 0; round < 2; round += 1) {
        for (const at of replicas) {
          const feed = await follow(at, name, blocks);
          await feed.count(10);
          await stepDown(mongodb.url);
          await feed.count(feed.told().length + 20);
          blocks.push(...cut(feed, blocks.length === 0));
        }
        if (round > 0) continue;
        const feed = await follow(replicas[0], name, blocks);
        await world.put(name, 1);
        await feed.until('the snapshot by the other rule', () => readies(feed) > 0);
        await feed.count(10);
        blocks.push(...cut(feed, false));
      }
    } finally {
      isOver = true;
      await Promise.all(writers);
    }
    const views = foldFeed(blocks);
    const rules = [...new Set(views.map(({ rule }) => rule))];
    assert.equal(rules.length, 2);
    for (const [index, rule] of rules.entries()) {
      const own = views.filter((view) => view.rule === rule);
      assert.ok(own.length > 10, `${own.length} places by a rule`);
      await world.compare(await world.definitionOf(name), own, index, `seed ${seed}`);
    }
  });
});
