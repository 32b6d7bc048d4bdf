import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { createAsking, faultsOf, pageOf } from '../../testing/asked-data.ts';
import { openTestData } from '../../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../../testing/test-data.ts';
import { openFeed } from '../../testing/test-feed.ts';
import type { TestFeed } from '../../testing/test-feed.ts';

type Position = readonly [number, number];

const point = (...coordinates: Position) => ({ type: 'Point', coordinates });
const box = (west: number, south: number, east: number, north: number): Position[] => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
];
const within = (ring: readonly Position[]) => ({
  at: { $geoWithin: { $geometry: { type: 'Polygon', coordinates: [ring] } } },
});
/** Its northern edge bends to 10.04 degrees in the middle: it is the shortest way, and no parallel. */
const zone = within(box(5, 5, 15, 10));
const definition = {
  schema: { properties: { name: { type: 'string' }, at: {}, seen: { type: 'boolean' } } },
  indexes: [{ keys: { at: '2dsphere' } }],
  rules: { read: 'public', create: 'signed-in', update: 'signed-in', delete: 'signed-in' },
};
const zoned = { ...definition, rules: { read: [zone], create: [zone], update: [zone], delete: [zone] } };

describe('places, where records are judged one by one', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let asking: ReturnType<typeof createAsking>;
  const feeds: TestFeed[] = [];

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    [admin, ada] = await Promise.all([data.person({ roles: ['admin'] }), data.person()]);
    asking = createAsking(replica, admin);
  });

  after(async () => {
    for (const feed of feeds) feed.close();
    await data.stop();
  });

  const call = (methodAndPath: string, body: unknown, by: Person, type?: string): Promise<Answered> =>
    replica.call(methodAndPath, { body, token: by.token, ...(type === undefined ? {} : { type }) });
  const merge = 'application/merge-patch+json';
  const idOf = async (name: string, fields: object, by: Person = admin): Promise<string> => {
    const answer = await call(`POST /v1/data/${name}`, fields, by);
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const move = async (path: string, to: unknown): Promise<void> => {
    const answer = await call(`PATCH /v1/data/${path}`, { at: to }, admin, merge);
    assert.equal(answer.status, 200, answer.text);
  };

  it('let rules say what may be read, written and taken away', async () => {
    const name = await asking.filled(zoned, []);
    const [inside, bent, outside] = [
      await idOf(name, { name: 'inside', at: point(10, 7) }),
      await idOf(name, { name: 'bent', at: point(10, 10.03) }),
      await idOf(name, { name: 'outside', at: point(10, 10.05) }),
    ];
    await idOf(name, { name: 'nowhere' });
    const listed = pageOf(await asking.query(name, { sort: ['name'] }, ada)).items;
    assert.deepEqual(
      listed.map(({ id }) => id),
      [bent, inside],
    );
    const statuses = async (id: string): Promise<number[]> => [
      (await replica.call(`GET /v1/data/${name}/${id}`, { token: ada.token })).status,
      (await call(`PATCH /v1/data/${name}/${id}`, { seen: true }, ada, merge)).status,
    ];
    assert.deepEqual(
      [await statuses(inside), await statuses(bent), await statuses(outside)],
      [
        [200, 200],
        [200, 200],
        [404, 404],
      ],
    );
    const added = await idOf(name, { at: point(10, 6) }, ada);
    assert.equal((await call(`POST /v1/data/${name}`, { at: point(10, 4) }, ada)).status, 403);
    assert.equal((await call(`PATCH /v1/data/${name}/${inside}`, { at: point(0, 0) }, ada, merge)).status, 403);
    assert.equal((await replica.call(`DELETE /v1/data/${name}/${inside}`, { token: ada.token })).status, 204);
    const rules = { read: [within(box(9, 10.01, 11, 12))] };
    const tried = await call('POST /v1/rules/try', { collection: name, rules }, admin);
    assert.equal(tried.status, 200, tried.text);
    const { callers } = tried.body as unknown as {
      callers: { who: unknown; read: { gains: object; losses: object } }[];
    };
    const { read } = callers.find(({ who }) => who === 'signed-in') ?? assert.fail(tried.text);
    assert.deepEqual(
      [read.gains, read.losses].map((each) => (each as { examples: unknown }).examples),
      [[outside], [added]],
    );
  });

  for (const transport of ['event-stream', 'socket'] as const) {
    it(`let a feed tell what comes into an area and leaves it, over ${transport}`, async () => {
      const name = await asking.filled(definition, []);
      const id = await idOf(name, { name: 'walker', at: point(10, 12) });
      const feed = await openFeed(replica, name, { transport, token: ada.token, filter: zone });
      feeds.push(feed);
      await move(`${name}/${id}`, point(10, 10.03));
      await move(`${name}/${id}`, point(10, 8));
      await move(`${name}/${id}`, {
        type: 'LineString',
        coordinates: [
          [10, 8],
          [10, 20],
        ],
      });
      await move(`${name}/${id}`, point(15, 5));
      await move(`${name}/${id}`, null);
      const told = await feed.count(5);
      assert.deepEqual(
        told.map(({ event }) => event),
        ['entered', 'updated', 'left', 'entered', 'left'],
      );
    });
  }

  it('let changes by filter reach what lies in an area', async () => {
    const rows = [point(10, 7), point(10, 10.03), point(10, 10.05), null].map((at, n) => ({ name: `r${n}`, at }));
    const name = await asking.filled(definition, rows);
    const filter = encodeURIComponent(JSON.stringify(zone));
    const changed = await call(`PATCH /v1/data/${name}?filter=${filter}`, { seen: true }, ada, merge);
    assert.deepEqual([changed.status, changed.body.changed], [200, 2], changed.text);
    const seen = pageOf(await asking.query(name, { filter: { seen: true }, sort: ['name'] }, ada)).items;
    assert.deepEqual(
      seen.map((each) => each.name),
      ['r0', 'r1'],
    );
    const removed = await replica.call(`DELETE /v1/data/${name}?filter=${filter}`, { token: ada.token });
    assert.deepEqual([removed.status, pageOf(await asking.query(name, {}, ada)).items.length], [200, 2], removed.text);
  });

  it('let a migration reach what lies in an area', async () => {
    const rows = [point(10, 7), point(10, 10.05)].map((at, n) => ({ name: `r${n}`, at }));
    const name = await asking.filled(definition, rows);
    const change = { change: { collection: name, filter: zone, operators: { $set: { seen: true } } } };
    const define = (indexes: readonly object[]) => ({ define: { collection: name, ...definition, indexes } });
    const placed = define(definition.indexes);
    const make = (steps: readonly object[]): Promise<Answered> =>
      call('POST /v1/migrations', { name: '0001-places', steps }, admin);
    // Nobody has to wait until it runs to be told that by then no index checks its places.
    for (const steps of [
      [define([]), change],
      [placed, define([]), change],
    ]) {
      const refused = await make(steps);
      const [fault] = refused.body.errors as unknown as readonly [{ readonly pointer: string; readonly code: string }];
      const pointer = `/steps/${steps.length - 1}/change/filter`;
      assert.deepEqual([refused.status, fault.pointer, fault.code], [400, pointer, 'needs-index'], refused.text);
    }
    const sent = await make([define([]), placed, change]);
    assert.equal(sent.status, 202, sent.text);
    for (let status: unknown = ''; status !== 'applied';) {
      const asked = await replica.call('GET /v1/migrations/0001-places', { token: admin.token });
      status = asked.body.status;
      assert.notEqual(status, 'failed', asked.text);
    }
    const { items } = pageOf(await asking.query(name, { filter: { seen: true } }, ada));
    assert.deepEqual(
      items.map((each) => each.name),
      ['r0'],
    );
  });

  it('need an index, as lists do, and rings that do not cross', async () => {
    const bare = { ...definition, indexes: [] };
    const name = await asking.filled(bare, []);
    const filter = JSON.stringify(zone);
    // What it does not hold MongoDB has not checked.
    const partly = { ...definition, indexes: [{ keys: { at: '2dsphere' }, where: { name: 'a' } }] };
    const ofSome = await asking.filled(partly, []);
    assert.equal((await asking.list(`${ofSome}/changes`, { filter }, ada)).status, 422);
    const feed = await asking.list(`${name}/changes`, { filter }, ada);
    assert.deepEqual([feed.status, feed.body.code], [422, 'query-needs-index'], feed.text);
    assert.deepEqual(feed.body.indexes, [{ keys: { at: '2dsphere' } }]);
    const changed = await call(
      `PATCH /v1/data/${name}?filter=${encodeURIComponent(filter)}`,
      { seen: true },
      ada,
      merge,
    );
    assert.deepEqual([changed.status, changed.body.code], [422, 'query-needs-index'], changed.text);
    const crossing: Position[] = [
      [0, 0],
      [2, 2],
      [2, 0],
      [0, 2],
      [0, 0],
    ];
    const bad: readonly (readonly [object, string, string])[] = [
      [{ ...bare, rules: { update: [{ name: 'a' }, { $nor: [zone] }] } }, '/rules/update/1', 'needs-index'],
      [{ ...bare, fields: { name: { read: [zone] } } }, '/fields/name/read/0', 'needs-index'],
      [{ ...partly, rules: { read: [zone] } }, '/rules/read/0', 'needs-index'],
      [
        { ...definition, rules: { read: [within(crossing)] } },
        '/rules/read/0/at/$geoWithin/$geometry/coordinates',
        'invalid-geometry',
      ],
    ];
    for (const [body, pointer, code] of bad) {
      const refused = await call('PUT /v1/collections/refused', body, admin);
      assert.deepEqual(faultsOf(refused), [400, 'invalid-request', [['', pointer, code]]], refused.text);
    }
    const refused = await asking.list(`${name}/changes`, { filter: JSON.stringify(within(crossing)) }, ada);
    assert.deepEqual(faultsOf(refused), [
      400,
      'invalid-request',
      [['filter', '/at/$geoWithin/$geometry/coordinates', 'invalid-geometry']],
    ]);
  });

  it('end a feed whose index is taken away', async () => {
    const name = await asking.filled(definition, []);
    const feed = await openFeed(replica, name, { transport: 'event-stream', token: ada.token, filter: zone });
    feeds.push(feed);
    const changed = await call(`PUT /v1/collections/${name}`, { ...definition, indexes: [] }, admin);
    assert.equal(changed.status, 200, changed.text);
    await idOf(name, { name: 'later' });
    const last = await feed.ended();
    assert.deepEqual([last?.event, JSON.parse(last?.data ?? '{}')], ['end', { reason: 'query-needs-index' }]);
  });
});
