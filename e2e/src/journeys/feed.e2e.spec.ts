import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { altered } from '@causeway/service/testing';
import { call } from '../harness/client.ts';
import { createRecord, defineCollection } from '../harness/collections.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { openFeed } from '../harness/feed.ts';
import { admin, type Person, signIn, signUp } from '../harness/people.ts';

const type = 'application/merge-patch+json';

describe('a feed', () => {
  let administrator: string;
  let one: Person;
  let other: Person;

  before(async () => {
    [administrator, one, other] = await Promise.all([admin(), signUp(), signUp()]);
  });

  it('tells of every change, in order, from where it says on', async () => {
    const collection = await defineCollection(administrator);
    await createRecord(collection, one.accessToken, { title: 'before' });
    const feed = await openFeed(collection, { token: other.accessToken });
    assert.ok(feed.lastId(), 'it can be resumed before the first change');
    const token = one.accessToken;
    const created = await createRecord(collection, token, { title: 'first' });
    const path = `/v1/data/${collection}/${created.id}`;
    const patched = expectStatus(await call('PATCH', path, { token, type, json: { score: 1 } }), 200);
    const deleted = expectStatus(await call('DELETE', path, { token }), 204);
    const changes = await feed.count(3);
    feed.close();
    assert.deepEqual(
      changes.map((each) => [each.event, each.data.revision]),
      [
        ['created', 1],
        ['updated', 2],
        ['deleted', 3],
      ],
    );
    assert.deepEqual(changes[0]?.data.record, created);
    assert.deepEqual(changes[1]?.data.record, patched.json());
    assert.equal(changes[2]?.data.id, created.id);
    assert.deepEqual(
      changes.slice(1).map((each) => [each.data.eventId]),
      [patched.events, deleted.events],
    );
    assert.equal(new Set(changes.map((each) => each.id)).size, 3);
  });

  it('goes on where it was left, without a gap and without a repetition', async () => {
    const collection = await defineCollection(administrator);
    const token = one.accessToken;
    const first = await openFeed(collection, { token });
    for (const title of ['a', 'b', 'c']) await createRecord(collection, token, { title });
    const [, second] = await first.count(3);
    const fromTheStart = first.blocks[0]?.id;
    first.close();
    for (const title of ['d', 'e']) await createRecord(collection, token, { title });
    const titlesSince = async (lastEventId: string | undefined, count: number) => {
      const feed = await openFeed(collection, { token, lastEventId });
      const changes = await feed.count(count);
      feed.close();
      return changes.map((each) => each.data.record?.title);
    };
    assert.deepEqual(await titlesSince(second?.id, 3), ['c', 'd', 'e']);
    assert.deepEqual(await titlesSince(fromTheStart, 5), ['a', 'b', 'c', 'd', 'e']);
  });

  it('begins with what there is, where that is asked for, and goes on with what follows', async () => {
    const collection = await defineCollection(administrator);
    const token = one.accessToken;
    const there = [
      await createRecord(collection, token, { title: 'a', score: 1 }),
      await createRecord(collection, token, { title: 'b', score: 20 }),
      await createRecord(collection, token, { title: 'c', score: 30 }),
    ];
    const options = { token: other.accessToken, filter: { score: { $gt: 10 } }, snapshot: true };
    const feed = await openFeed(collection, options);
    const path = `/v1/data/${collection}/${there[0]?.id}`;
    expectStatus(await call('PATCH', path, { token, type, json: { score: 11 } }), 200);
    const [entered] = await feed.count(1);
    feed.close();
    const rows = feed.blocks
      .filter(({ event }) => event === 'current')
      .map(({ data }) => JSON.parse(data ?? '') as unknown);
    assert.deepEqual(
      rows,
      there.slice(1).map((record) => ({ record, revision: 1 })),
    );
    assert.deepEqual(
      feed.blocks.filter(({ event }) => event !== undefined).map(({ event, id }) => [event, id !== undefined]),
      [
        ['current', false],
        ['current', false],
        ['ready', true],
        ['entered', true],
      ],
    );
    const resumed = await openFeed(collection, { ...options, lastEventId: entered?.id });
    expectStatus(await call('DELETE', path, { token }), 204);
    assert.deepEqual(
      (await resumed.count(1)).map((each) => each.event),
      ['deleted'],
    );
    resumed.close();
    assert.ok(!resumed.blocks.some(({ event }) => event === 'current'), 'what was sent is not sent again');
    const query = { snapshot: 'maybe' };
    const asked = await call('GET', `/v1/data/${collection}/changes`, { token, query });
    await expectProblem(asked, 400, 'invalid-request');
  });

  it('tells each subscriber what the rules let them see, and what enters and leaves', async () => {
    const own = [{ author: { $auth: 'sub' } }];
    const rules = { read: [{ status: 'published' }, ...own], create: own, update: own, delete: own };
    const collection = await defineCollection(administrator, { rules });
    const mine = await openFeed(collection, { token: one.accessToken });
    const theirs = await openFeed(collection, { token: other.accessToken });
    const high = await openFeed(collection, { token: one.accessToken, filter: { score: { $gt: 10 } } });
    const token = one.accessToken;
    const json = { title: 'a', status: 'draft', score: 1, author: one.id };
    const { id } = await createRecord(collection, token, json);
    const path = `/v1/data/${collection}/${id}`;
    for (const patch of [{ status: 'published' }, { score: 11 }, { status: 'draft' }, { score: 2 }]) {
      expectStatus(await call('PATCH', path, { token, type, json: patch }), 200);
    }
    expectStatus(await call('DELETE', path, { token }), 204);
    // A change that everybody sees ends each of them at the same place.
    const last = await createRecord(collection, token, { ...json, status: 'published', score: 20 });
    const eventsOf = async (feed: typeof mine, count: number) => {
      const changes = await feed.count(count);
      feed.close();
      assert.equal(changes.at(-1)?.data.record?.id, last.id);
      return changes.map((each) => `${each.event} ${each.data.revision}`);
    };
    const all = ['created 1', 'updated 2', 'updated 3', 'updated 4', 'updated 5', 'deleted 6', 'created 1'];
    assert.deepEqual(await eventsOf(mine, 7), all);
    assert.deepEqual(await eventsOf(theirs, 4), ['entered 2', 'updated 3', 'left 4', 'created 1']);
    assert.deepEqual(await eventsOf(high, 4), ['entered 3', 'updated 4', 'left 5', 'created 1']);
    assert.doesNotMatch(JSON.stringify(theirs.changes()), /draft/, 'what one may not read is not in the feed');
  });

  it('ends when the session does, and says so', async () => {
    const collection = await defineCollection(administrator);
    const { accessToken: token } = await signIn(one.email, one.password);
    const feed = await openFeed(collection, { token });
    expectStatus(await call('POST', '/v1/auth/sign-out', { token }), 204);
    const end = await feed.ended(5000);
    assert.ok(end?.data, JSON.stringify(feed.blocks));
  });

  it('is refused to another query or person’s cursor', async () => {
    const collection = await defineCollection(administrator);
    const feed = await openFeed(collection, { token: one.accessToken });
    const cursor = feed.lastId() ?? '';
    feed.close();
    const path = `/v1/data/${collection}/changes`;
    const headers = { 'last-event-id': cursor };
    const theirs = await call('GET', path, { token: other.accessToken, headers });
    await expectProblem(theirs, 404, 'not-found');
    const filtered = await call('GET', path, { token: one.accessToken, headers, query: { filter: '{"title":"a"}' } });
    await expectProblem(filtered, 400, 'invalid-request');
    const broken = await call('GET', path, {
      token: one.accessToken,
      headers: { 'last-event-id': altered(cursor) },
    });
    await expectProblem(broken, 400, 'invalid-request');
  });
});
