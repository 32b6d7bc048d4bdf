import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { operatorsType } from '../operators/parse-operators.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';
import type { TestFeed, Told } from '../testing/test-feed.ts';

const minuteMs = 60_000;
const mergeType = 'application/merge-patch+json';

describe('rules that look at the time and at what a record was', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;
  /** How far the replicas' clocks are ahead. */
  let aheadMs = 0;
  const now = (): Date => new Date(Date.now() + aheadMs);
  const inMinutes = (minutes: number): string => new Date(now().getTime() + minutes * minuteMs).toISOString();
  const feeds: TestFeed[] = [];

  before(async () => {
    data = await openTestData({ now });
    replica = await data.replica();
    [admin, ada, eve] = await Promise.all([data.person({ roles: ['admin'] }), data.person(), data.person()]);
  });

  after(async () => {
    for (const feed of feeds) feed.close();
    await data.stop();
  });

  const define = async (rules: object, schema: object = {}): Promise<string> => {
    const name = `c${randomUUID().slice(0, 8)}`;
    const body = { schema: { additionalProperties: true, ...schema }, rules };
    const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.equal(answer.status, 201, answer.text);
    return `/v1/data/${name}`;
  };
  const create = async (path: string, fields: object, person = admin): Promise<string> => {
    const answer = await replica.call(`POST ${path}`, { body: fields, token: person.token });
    assert.equal(answer.status, 201, answer.text);
    return `${path}/${String(answer.body.id)}`;
  };
  const patch = async (record: string, fields: unknown, person = ada, type = mergeType): Promise<number> =>
    (await replica.call(`PATCH ${record}`, { body: fields, type, token: person.token })).status;
  const batch = async (operation: object, person = ada): Promise<Answered> =>
    replica.call('POST /v1/batch', { body: { operations: [operation] }, token: person.token });
  const batched = (record: string): { readonly collection: string; readonly id: string } => {
    const [id = '', collection = ''] = record.split('/').toReversed();
    return { collection, id };
  };

  it('let a record be changed and deleted for an hour after it was created', async () => {
    const fresh = [{ createdBy: { $auth: 'sub' }, createdAt: { $gt: { $now: '-1h' } } }];
    const path = await define({ read: 'public', create: 'signed-in', update: fresh, delete: fresh });
    const [changed, deleted] = [await create(path, { n: 0 }, ada), await create(path, { n: 0 }, ada)];
    const remove = async (record: string): Promise<number> =>
      (await replica.call(`DELETE ${record}`, { token: ada.token })).status;
    aheadMs += 59 * minuteMs;
    assert.equal(await patch(changed, { n: 1 }), 200);
    assert.equal(await patch(changed, { n: 1 }, eve), 403);
    assert.equal(await remove(await create(path, {}, ada)), 204);
    assert.equal((await batch({ op: 'update', ...batched(changed), merge: { n: 2 } })).status, 200);
    aheadMs += 2 * minuteMs;
    assert.equal(await patch(changed, { n: 3 }), 403);
    assert.equal(await remove(deleted), 403);
    assert.equal((await batch({ op: 'update', ...batched(changed), merge: { n: 3 } })).status, 403);
    assert.equal((await batch({ op: 'delete', ...batched(deleted) })).status, 403);
    assert.equal(await patch(changed, { n: 3 }, admin), 200);
  });

  it('let a record be created that says of itself what time it is', async () => {
    const path = await define({ read: 'public', create: [{ due: { $gt: { $now: '1d' } } }] });
    const post = async (due: string): Promise<number> =>
      (await replica.call(`POST ${path}`, { body: { due }, token: ada.token })).status;
    assert.equal(await post(inMinutes(24 * 60 + 5)), 201);
    assert.equal(await post(inMinutes(24 * 60 - 5)), 403);
    const operation = { op: 'create', collection: path.split('/').at(-1), fields: { due: inMinutes(5) } };
    assert.equal((await batch(operation)).status, 403);
    const lines = [inMinutes(5), inMinutes(24 * 60 + 5)].map((due) => JSON.stringify({ due })).join('\n');
    const imported = await replica.call(`POST ${path}`, {
      body: lines,
      type: 'application/x-ndjson',
      token: ada.token,
    });
    assert.deepEqual([imported.body.created, imported.body.failed], [1, 1], imported.text);
  });

  describe('on a way from draft to review', () => {
    const rules = {
      read: 'public',
      create: 'signed-in',
      update: {
        before: [{ status: 'draft', owner: { $auth: 'sub' } }],
        after: [
          { status: 'review', owner: { $before: 'owner' } },
          { status: 'draft', owner: { $before: 'owner' }, score: { $gte: { $before: 'score' } } },
        ],
      },
    };
    const draft = (more: object = {}): object => ({ status: 'draft', owner: ada.id, score: 1, ...more });
    let path: string;
    before(async () => {
      path = await define(rules);
    });

    it('let it go there, and no further', async () => {
      const record = await create(path, draft(), ada);
      assert.equal(await patch(record, { status: 'published' }), 403);
      assert.equal(await patch(record, { score: 0 }), 403);
      assert.equal(await patch(record, { score: 2 }), 200);
      assert.equal(await patch(record, { score: 1 }), 403);
      assert.equal(await patch(record, { status: 'review' }), 200);
      assert.equal(await patch(record, { status: 'draft' }), 403);
      assert.equal(await patch(record, { score: 9 }), 403);
    });

    it('let its owner not be changed, however it is written', async () => {
      const record = await create(path, draft(), ada);
      const ways: readonly (readonly [string, string, unknown])[] = [
        ['PATCH', mergeType, { status: 'review', owner: eve.id }],
        ['PATCH', mergeType, { status: 'review', owner: [ada.id, eve.id] }],
        ['PATCH', mergeType, { status: 'review', owner: null }],
        ['PATCH', 'application/json-patch+json', [{ op: 'replace', path: '/owner', value: eve.id }]],
        ['PATCH', operatorsType, { $set: { owner: eve.id } }],
        ['PUT', 'application/json', draft({ owner: eve.id })],
      ];
      for (const [method, type, body] of ways) {
        const answer = await replica.call(`${method} ${record}`, { body, type, token: ada.token });
        assert.equal(answer.status, 403, `${method} ${type}: ${answer.text}`);
      }
      const operation = { op: 'update', ...batched(record), merge: { owner: eve.id } };
      assert.equal((await batch(operation)).status, 403);
      const read = await replica.call(`GET ${record}`);
      assert.deepEqual([read.body.owner, read.body.revision], [ada.id, 1]);
      const whole = { body: draft({ status: 'review' }), token: ada.token };
      assert.equal((await replica.call(`PUT ${record}`, whole)).status, 200);
    });

    it('are asked of each step of a batch, by what the one before has left', async () => {
      const record = await create(path, draft(), ada);
      const operations = [
        { op: 'update', ...batched(record), merge: { score: 2 } },
        { op: 'update', ...batched(record), operators: { $inc: { score: -1 } } },
      ];
      const answer = await replica.call('POST /v1/batch', { body: { operations }, token: ada.token });
      assert.deepEqual([answer.status, answer.body.operation], [403, 1], answer.text);
    });
  });

  it('show at each moment what may be seen then, in every way', async () => {
    const path = await define({ read: [{ until: { $gt: { $now: true } } }], create: 'signed-in' });
    const [short, long] = [await create(path, { until: inMinutes(10) }), await create(path, { until: inMinutes(60) })];
    const seen = async (): Promise<unknown[]> => {
      const call = (way: string, headers = {}): Promise<Answered> => replica.call(way, { token: ada.token, headers });
      const listed = await call(`GET ${path}?count=true`);
      const { items, count } = listed.body as unknown as { items: { id: string }[]; count: number };
      const asked = await replica.call(`POST ${path}/query`, { body: {}, token: ada.token });
      const exported = await call(`GET ${path}`, { accept: 'application/x-ndjson' });
      const single = await Promise.all([short, long].map(async (record) => (await call(`GET ${record}`)).status));
      const check = async (record: string): Promise<number> => {
        const place = batched(record);
        // Nobody sees what it creates: a batch has to write something.
        const written = { op: 'create', collection: place.collection, fields: { until: inMinutes(-1) } };
        const operations = [{ op: 'check', ...place, ifMatch: 1 }, written];
        return (await replica.call('POST /v1/batch', { body: { operations }, token: ada.token })).status;
      };
      const checks = [await check(short), await check(long)];
      const lines = exported.text.split('\n').filter((line) => line !== '');
      const { items: asItems } = asked.body as unknown as { items: unknown[] };
      return [items.length, count, asItems.length, lines.length, single, checks];
    };
    assert.deepEqual(await seen(), [2, 2, 2, 2, [200, 200], [200, 200]]);
    aheadMs += 11 * minuteMs;
    assert.deepEqual(await seen(), [1, 1, 1, 1, [404, 200], [404, 200]]);
    aheadMs += 60 * minuteMs;
    assert.deepEqual(await seen(), [0, 0, 0, 0, [404, 404], [404, 404]]);
  });

  it('let a filter keep its time over all pages, and a rule none', async () => {
    const rules = { read: [{ until: { $gt: { $now: true } } }] };
    const path = await define(rules, { properties: { n: { type: 'number' } } });
    const until = inMinutes(600);
    // The last two are due only after the first page was read; the fourth may be seen no longer than that.
    for (const [n, due, seenUntil] of [
      [1, -9, until],
      [2, -8, until],
      [3, -7, until],
      [4, -6, inMinutes(5)],
      [5, -5, until],
      [6, 5, until],
      [7, 6, until],
    ] as const) {
      await create(path, { n, due: inMinutes(due), until: seenUntil });
    }
    const filter = { due: { $lte: { $now: true } } };
    const numbers = (answer: Answered): number[] => {
      assert.equal(answer.status, 200, answer.text);
      return (answer.body as unknown as { items: { n: number }[] }).items.map(({ n }) => n);
    };
    const list = (cursor?: string): Promise<Answered> => {
      const parameters = {
        filter: JSON.stringify(filter),
        sort: 'n',
        limit: '2',
        ...(cursor === undefined ? {} : { cursor }),
      };
      return replica.call(`GET ${path}?${new URLSearchParams(parameters).toString()}`, { token: ada.token });
    };
    const first = await list();
    assert.deepEqual(numbers(first), [1, 2]);
    aheadMs += 10 * minuteMs;
    const second = await list(String(first.body.nextCursor));
    assert.deepEqual(numbers(second), [3, 5]);
    assert.equal(second.body.nextCursor, null);
    // Somebody who begins now asks for what is due now.
    const whole = await replica.call(`POST ${path}/query`, { body: { filter, sort: ['n'] }, token: ada.token });
    assert.deepEqual(numbers(whole), [1, 2, 3, 5, 6, 7]);
    const body = { filter, sort: ['n'], limit: 2, cursor: first.body.nextCursor, count: true };
    const counted = await replica.call(`POST ${path}/query`, { body, token: ada.token });
    assert.deepEqual([numbers(counted), counted.body.count], [[3, 5], 4]);
  });

  it('are asked in a feed at the time of each change, also of those who resume later', async () => {
    const path = await define({ read: [{ until: { $gt: { $now: true } } }] });
    const [name = ''] = path.split('/').toReversed();
    const follow = async (
      person: Person,
      options: { at?: TestReplica; filter?: unknown; after?: string } = {},
    ): Promise<TestFeed> => {
      const { at = replica, ...more } = options;
      const feed = await openFeed(at, name, { token: person.token, ...more });
      feeds.push(feed);
      return feed;
    };
    const shapes = (told: readonly Told[]): string[] => told.map(({ event, revision }) => `${event} ${revision}`);
    const [own, whole] = [await follow(ada), await follow(admin)];
    const due = await follow(admin, { filter: { due: { $lte: { $now: true } } } });
    const begin = own.lastId();
    const record = await create(path, { until: inMinutes(30), due: inMinutes(15), n: 0 });
    aheadMs += 20 * minuteMs;
    assert.equal(await patch(record, { n: 1 }, admin), 200);
    aheadMs += 20 * minuteMs;
    assert.equal(await patch(record, { n: 2 }, admin), 200);
    assert.equal(await patch(record, { until: inMinutes(30) }, admin), 200);
    assert.equal((await replica.call(`DELETE ${record}`, { token: admin.token })).status, 204);
    assert.deepEqual(shapes(await whole.count(5)), ['created 1', 'updated 2', 'updated 3', 'updated 4', 'deleted 5']);
    const expected = ['created 1', 'updated 2', 'entered 4', 'deleted 5'];
    const told = await own.count(4);
    assert.deepEqual(shapes(told), expected);
    assert.equal(told[2]?.previous, undefined);
    assert.deepEqual(shapes(await due.count(4)), ['updated 2', 'updated 3', 'updated 4', 'deleted 5']);
    // Long after all of it, from the history in memory, and on a replica that has to read it again.
    aheadMs += 600 * minuteMs;
    assert.deepEqual(shapes(await (await follow(ada, { after: begin })).count(4)), expected);
    const other = await data.replica();
    assert.deepEqual(shapes(await (await follow(ada, { after: begin, at: other })).count(4)), expected);
  });

  it('are refused with the place where they cannot be', async () => {
    const schema = {};
    for (const [rules, pointer] of [
      [{ read: [{ until: { $gt: { $now: 'tomorrow' } } }] }, '/rules/read/0/until/$gt'],
      [{ read: [{ until: { $in: [{ $now: true }] } }] }, '/rules/read/0/until/$in/0'],
      [{ read: [{ owner: { $before: 'owner' } }] }, '/rules/read/0/owner'],
      [{ update: { before: 'signed-in' } }, '/rules/update'],
      [{ update: { before: 'signed-in', after: 'public', status: 'draft' } }, '/rules/update/status'],
    ] as const) {
      const answer = await replica.call(`PUT /v1/collections/c${randomUUID().slice(0, 8)}`, {
        body: { schema, rules },
        token: admin.token,
      });
      const { errors } = answer.body as unknown as { errors: { pointer: string }[] };
      assert.deepEqual([answer.status, errors.map((each) => each.pointer)], [400, [pointer]], answer.text);
    }
    const path = await define({ read: 'public' });
    for (const filter of [{ a: { $auth: 'sub' } }, { a: { $before: 'a' } }, { a: { $gt: { $now: '1y' } } }]) {
      const answer = await replica.call(`POST ${path}/query`, { body: { filter } });
      assert.equal(answer.status, 400, answer.text);
    }
    const pull = await replica.call(`PATCH ${await create(path, { a: [] })}`, {
      body: { $pull: { a: { $lt: { $now: true } } } },
      type: operatorsType,
      token: admin.token,
    });
    assert.equal(pull.status, 400, pull.text);
  });
});
