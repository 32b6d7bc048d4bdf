import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { positionOf } from '../../../services/data/src/testing/fold-feed.ts';
import {
  openTestData,
  type Person,
  type TestData,
  type TestReplica,
} from '../../../services/data/src/testing/test-data.ts';
import { openFeed, type TestFeed } from '../../../services/data/src/testing/test-feed.ts';
import { startOwnMongodb, type OwnMongodb } from './own-mongodb.ts';

const oplogMegabytes = 50;
const name = 'notes';
const rules = { read: 'public', create: 'signed-in', update: 'signed-in' };

describe('a feed over an oplog that forgets', () => {
  let mongodb: OwnMongodb;
  let data: TestData;
  let replica: TestReplica;
  let ada: Person;
  const feeds: TestFeed[] = [];
  const { MONGODB_URL } = process.env;

  before(async () => {
    mongodb = await startOwnMongodb(oplogMegabytes);
    process.env.MONGODB_URL = mongodb.url;
    data = await openTestData();
    replica = await data.replica();
    ada = await data.person();
    const { token } = await data.person({ roles: ['admin'] });
    const body = { schema: { properties: { n: { type: 'number' } } }, rules };
    const defined = await replica.call(`PUT /v1/collections/${name}`, { body, token });
    assert.equal(defined.status, 201, defined.text);
  });
  after(async () => {
    process.env.MONGODB_URL = MONGODB_URL;
    for (const feed of feeds) feed.close();
    await data.stop();
    await mongodb.stop();
  });

  const follow = async (
    at: TestReplica,
    options: { after?: string; filter?: unknown; snapshot?: boolean } = {},
  ): Promise<TestFeed> => {
    const feed = await openFeed(at, name, { token: ada.token, filter: { n: { $gte: 100 } }, ...options });
    feeds.push(feed);
    return feed;
  };
  const create = async (n: number): Promise<string> => {
    const answer = await replica.call(`POST /v1/data/${name}`, { body: { n }, token: ada.token });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };

  it('goes on where nothing was to be told for longer than it reaches back, by its last bare id; and not by one of before', async () => {
    const quiet = await follow(replica);
    const old = quiet.lastId();
    const missed = await create(100);
    await quiet.count(1);
    const told = quiet.lastId();
    // As in a day in which nothing concerns it.
    const written = await mongodb.forget(positionOf(told));
    // What was written is soon forgotten, too.
    await quiet.until('an id of later', () => positionOf(quiet.lastId()).greaterThan(written));
    quiet.close();
    assert.equal(quiet.told().length, 1);
    const found = await create(200);
    // It was not there: nothing is in its memory.
    const late = await data.replica();
    const resumed = await follow(late, { after: quiet.lastId() });
    assert.deepEqual(
      (await resumed.count(1)).map(({ recordId }) => recordId),
      [found],
    );
    assert.ok(!resumed.blocks.some(({ event }) => event === 'gap'));

    for (const cursor of [old, told]) {
      const expired = await follow(late, { after: cursor });
      await expired.until('the gap', () => expired.blocks.length >= 2);
      const [, gap] = expired.blocks;
      assert.deepEqual([gap?.event, gap?.data], ['gap', JSON.stringify({ reason: 'expired' })]);
      assert.notEqual(gap?.id, undefined);
      const renewed = await follow(late, { after: cursor, snapshot: true });
      await renewed.until('ready', () => renewed.blocks.some(({ event }) => event === 'ready'));
      assert.deepEqual(
        renewed.blocks.map(({ event }) => event),
        [undefined, 'gap', 'current', 'current', 'ready'],
      );
      const rows = renewed.blocks.flatMap(({ event, data: json }) =>
        event === 'current' ? [(JSON.parse(json ?? '') as { record: { id: string } }).record.id] : [],
      );
      assert.deepEqual(rows.sort(), [missed, found].sort());
    }
    await late.stop();
  });
});
