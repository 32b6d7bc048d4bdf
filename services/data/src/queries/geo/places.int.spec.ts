import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { createAsking, faultsOf, pageOf } from '../../testing/asked-data.ts';
import { openTestData } from '../../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../../testing/test-data.ts';

const text = { type: 'string' } as const;
const definition = {
  schema: {
    type: 'object',
    properties: { name: text, kind: text, at: {}, n: { type: 'integer' }, hidden: { type: 'boolean' } },
  },
  indexes: [{ keys: { at: '2dsphere' } }],
  rules: { read: [{ hidden: { $ne: true } }], create: 'signed-in', update: 'signed-in', delete: 'signed-in' },
};

type Position = readonly [number, number];

const point = (...coordinates: Position) => ({ type: 'Point', coordinates });
const polygon = (...coordinates: Position[][]) => ({ type: 'Polygon', coordinates });
const box = (west: number, south: number, east: number, north: number): Position[] => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
];
const within = (area: object) => ({ at: { $geoWithin: { $geometry: area } } });
const intersects = (area: object) => ({ at: { $geoIntersects: { $geometry: area } } });
const near = (place: Position, distances: object = {}) => ({
  at: { $near: { $geometry: point(...place), ...distances } },
});

/** On the sphere that MongoDB takes the globe for. */
function metresBetween([a, b]: Position, [c, d]: Position): number {
  const [west, south, east, north] = [a, b, c, d].map((degrees) => (degrees * Math.PI) / 180) as [
    number,
    number,
    number,
    number,
  ];
  const half =
    Math.sin((north - south) / 2) ** 2 + Math.cos(south) * Math.cos(north) * Math.sin((east - west) / 2) ** 2;
  return 2 * Math.asin(Math.sqrt(half)) * 6_378_100;
}

describe('places in queries', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let asking: ReturnType<typeof createAsking>;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    [admin, ada] = await Promise.all([data.person({ roles: ['admin'] }), data.person()]);
    asking = createAsking(replica, admin);
  });

  after(() => data.stop());

  const filled = (rows: readonly object[], given: object = definition): Promise<string> => asking.filled(given, rows);
  const names = async (collection: string, filter: object, by: Person = ada): Promise<unknown[]> =>
    pageOf(await asking.query(collection, { filter, limit: 200 }, by)).items.map(({ name }) => name);

  it('are found by what is near, the nearest first, with the distance in metres', async () => {
    const here: Position = [13.4, 52.5];
    const towns: Record<string, Position> = {
      Berlin: [13.405, 52.52],
      Potsdam: [13.06, 52.4],
      Wien: [16.37, 48.21],
      Suva: [178.44, -18.14],
    };
    const rows = Object.entries(towns).map(([name, place]) => ({ name, at: point(...place), kind: 'town' }));
    const name = await filled([...rows.toReversed(), { name: 'nowhere' }, { name: 'null', at: null }]);
    const { items } = pageOf(await asking.query(name, { filter: near(here), count: true }, ada));
    assert.deepEqual(
      items.map((each) => each.name),
      Object.keys(towns),
    );
    for (const item of items) {
      const wanted = metresBetween(here, towns[String(item.name)] ?? assert.fail());
      assert.ok(Math.abs(Number(item._distance) / wanted - 1) < 1e-6, `${String(item._distance)} for ${wanted}`);
    }
    assert.deepEqual(await names(name, near(here, { $maxDistance: 50_000 })), ['Berlin', 'Potsdam']);
    assert.deepEqual(await names(name, near(here, { $minDistance: 10_000, $maxDistance: 600_000 })), [
      'Potsdam',
      'Wien',
    ]);
    assert.deepEqual(await names(name, { ...near(here), name: { $in: ['Suva', 'Wien'] } }), ['Wien', 'Suva']);
    const counted = { filter: near(here, { $maxDistance: 50_000 }), count: true, limit: 1, fields: ['name'] };
    const page = pageOf(await asking.query(name, counted, ada));
    assert.deepEqual([page.count, Object.keys(page.items[0] ?? {}).toSorted()], [2, ['_distance', 'id', 'name']]);
    const none = pageOf(await asking.query(name, { filter: { ...near(here), kind: { $in: [] } }, count: true }, ada));
    assert.deepEqual([none.items, none.count], [[], 0]);
    const listed = await asking.list(name, { filter: JSON.stringify(near(here)), limit: '1' }, ada);
    assert.equal(pageOf(listed).items[0]?.name, 'Berlin');
    const ndjson = await asking.list(name, { filter: JSON.stringify(near(here)) }, ada, 'application/x-ndjson');
    const lines = ndjson.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map((line) => [line.name, typeof line._distance]),
      Object.keys(towns).map((each) => [each, 'number']),
    );
  });

  it('have pages that neither skip nor repeat what stays, many in one place among them', async () => {
    const rows = Array.from({ length: 45 }, (_, n) => ({ n, at: point(n % 3 === 0 ? 1 : (n % 5) / 1_000, 1) }));
    const name = await filled(rows);
    const staying = new Set(rows.map(({ n }) => n).filter((n) => n % 4 !== 0));
    const all = pageOf(await asking.query(name, { limit: 200 }, ada)).items;
    const leaving = all.filter(({ n }) => !staying.has(Number(n)));
    let turn = 0;
    const write = async (): Promise<void> => {
      turn += 1;
      const gone = leaving.pop();
      const calls = [
        replica.call(`POST /v1/data/${name}`, { body: { at: point(0.001, 1) }, token: ada.token }),
        replica.call(`POST /v1/data/${name}`, { body: { at: point(turn / 10, 1) }, token: ada.token }),
        ...(gone === undefined
          ? []
          : turn % 2 === 0
            ? [replica.call(`DELETE /v1/data/${name}/${gone.id}`, { token: ada.token })]
            : [replica.call(`PUT /v1/data/${name}/${gone.id}`, { body: { at: point(-1, 1) }, token: ada.token })]),
      ];
      for (const { status, text: told } of await Promise.all(calls)) assert.ok(status < 300, told);
    };
    const items = await asking.all(name, { filter: near([0, 1]), limit: 4 }, ada, write);
    const found = items.flatMap(({ n }) => (staying.has(Number(n)) ? [Number(n)] : []));
    assert.deepEqual(
      found.toSorted((a, b) => a - b),
      [...staying],
    );
    const keys = items.map(({ _distance, id }) => [Number(_distance), id] as const);
    const isAfter = (at: number): boolean => {
      const [[far, id], [before, idBefore]] = [keys[at] ?? [0, ''], keys[at - 1] ?? [0, '']];
      return far > before || (far === before && id > idBefore);
    };
    assert.ok(
      keys.every((_, at) => at === 0 || isAfter(at)),
      JSON.stringify(keys),
    );
  });

  it('are found within an area, whose edges are the shortest ways on the globe', async () => {
    const name = await filled([
      { name: 'inside', at: point(-19, 64.5) },
      // On a flat map the first lies outside and the second inside: edges along a parallel bend to the pole.
      { name: 'above the edge', at: point(-19, 66.08) },
      { name: 'below the edge', at: point(-19, 63.05) },
      { name: 'in the hole', at: point(-18, 65) },
      { name: 'away', at: point(10, 50) },
      {
        name: 'road',
        at: {
          type: 'LineString',
          coordinates: [
            [-20, 64],
            [-19, 64.2],
          ],
        },
      },
      {
        name: 'ferry',
        at: {
          type: 'LineString',
          coordinates: [
            [-20, 64],
            [0, 60],
          ],
        },
      },
      { name: 'nowhere' },
    ]);
    const iceland = polygon(box(-25, 63, -13, 66), box(-18.5, 64.8, -17.5, 65.2));
    assert.deepEqual(new Set(await names(name, within(iceland))), new Set(['inside', 'above the edge', 'road']));
    const touching = ['inside', 'above the edge', 'road', 'ferry'];
    assert.deepEqual(new Set(await names(name, intersects(iceland))), new Set(touching));
    const both = { type: 'MultiPolygon', coordinates: [iceland.coordinates, [box(9, 49, 11, 51)]] };
    assert.deepEqual(new Set(await names(name, within(both))), new Set(['inside', 'above the edge', 'road', 'away']));
    const line = {
      type: 'LineString',
      coordinates: [
        [-19.5, 63.5],
        [-19.5, 64.4],
      ],
    };
    assert.deepEqual(new Set(await names(name, intersects(line))), new Set(['road', 'ferry']));
    const circle = { at: { $geoWithin: { $centerSphere: [[-19, 64.5], 100_000 / 6_378_100] } } };
    assert.deepEqual(new Set(await names(name, circle)), new Set(['inside', 'in the hole', 'road']));
    const others = { $nor: [circle, { name: 'nowhere' }], at: { $not: { $geoIntersects: { $geometry: iceland } } } };
    assert.deepEqual(new Set(await names(name, others)), new Set(['away', 'below the edge']));
    const either = { $or: [within(polygon(box(9, 49, 11, 51))), { name: 'ferry' }] };
    assert.deepEqual(new Set(await names(name, either)), new Set(['away', 'ferry']));
    const counted = pageOf(
      await asking.query(name, { filter: within(iceland), sort: ['name'], count: true, limit: 1 }, ada),
    );
    assert.deepEqual([counted.items[0]?.name, counted.count], ['above the edge', 3]);
    assert.ok(!('_distance' in (counted.items[0] ?? {})));
    const nearby = { at: { ...near([-19, 64.5]).at, ...within(iceland).at } };
    assert.deepEqual(await names(name, nearby), ['inside', 'road', 'above the edge']);
  });

  it('tell nothing of a record or a field that one may not see', async () => {
    const guarded = {
      ...definition,
      fields: { at: { read: [{ kind: 'open' }] } },
    };
    const rows = [
      { name: 'open', kind: 'open', at: point(1, 1) },
      { name: 'closed', kind: 'closed', at: point(1, 1) },
      { name: 'hidden', kind: 'open', hidden: true, at: point(1, 1) },
    ];
    const area = polygon(box(0, 0, 2, 2));
    const plain = await filled(rows);
    assert.deepEqual(new Set(await names(plain, near([1, 1]))), new Set(['open', 'closed']));
    assert.deepEqual(new Set(await names(plain, within(area))), new Set(['open', 'closed']));
    const name = await filled(rows, guarded);
    assert.deepEqual(await names(name, within(area)), ['open']);
    assert.deepEqual(await names(name, { at: { $not: { $geoWithin: { $geometry: area } } } }), ['closed']);
    assert.equal((await names(name, within(area), admin)).length, 3);
    assert.equal((await names(name, near([1, 1]), admin)).length, 3);
    for (const collection of [name, await filled([], guarded)]) {
      const answer = await asking.query(collection, { filter: near([1, 1]) }, ada);
      assert.deepEqual(faultsOf(answer), [400, 'invalid-request', [['', '/filter', 'guarded-field']]]);
    }
  });

  it('need an index of the field, which holds what is asked for', async () => {
    const rows = [
      { name: 'x', kind: 'x', at: point(1, 1) },
      { name: 'y', kind: 'y', at: point(1, 1) },
    ];
    const bare = await filled([{ name: 'pair', at: [1, 1] }], { ...definition, indexes: [] });
    for (const filter of [
      near([1, 1]),
      within(polygon(box(0, 0, 2, 2))),
      { $or: [intersects(point(1, 1)), { n: 1 }] },
    ]) {
      const refused = await asking.query(bare, { filter }, ada);
      assert.deepEqual([refused.status, refused.body.code], [422, 'query-needs-index'], refused.text);
      assert.deepEqual(refused.body.indexes, [{ keys: { at: '2dsphere' } }]);
    }
    const partly = await filled(rows, { ...definition, indexes: [{ keys: { at: '2dsphere' }, where: { kind: 'x' } }] });
    assert.equal((await asking.query(partly, { filter: near([1, 1]) }, ada)).status, 422);
    assert.deepEqual(await names(partly, { ...near([1, 1]), kind: 'x' }), ['x']);
    assert.equal((await names(partly, within(polygon(box(0, 0, 2, 2))))).length, 2);
    const behind = await filled(rows, { ...definition, indexes: [{ keys: { kind: 1, at: '2dsphere' } }] });
    assert.equal((await asking.query(behind, { filter: near([1, 1]) }, ada)).status, 422);
    assert.deepEqual(await names(behind, { ...near([1, 1]), kind: 'y' }), ['y']);
  });

  it('are refused where they are none, or are asked for where they cannot be', async () => {
    const name = await filled([{ at: point(0, 0) }]);
    const crossing = polygon([
      [0, 0],
      [2, 2],
      [2, 0],
      [0, 2],
      [0, 0],
    ]);
    const asked: readonly (readonly [object, string])[] = [
      [{ filter: within(crossing) }, '/filter/at/$geoWithin/$geometry/coordinates'],
      [
        { filter: { $or: [{ n: 1 }, intersects(polygon(box(0, 0, 2, 2), box(5, 5, 6, 6)))] } },
        '/filter/$or/1/at/$geoIntersects/$geometry/coordinates',
      ],
      [{ filter: near([181, 0]) }, '/filter/at/$near/$geometry/coordinates'],
      [{ filter: within(polygon(box(0, 0, 2, 91))) }, '/filter/at/$geoWithin/$geometry/coordinates/0/2'],
      [{ filter: within(point(0, 0)) }, '/filter/at/$geoWithin/$geometry/type'],
      [
        {
          filter: {
            at: {
              $geoWithin: {
                $box: [
                  [0, 0],
                  [1, 1],
                ],
              },
            },
          },
        },
        '/filter/at/$geoWithin',
      ],
      [{ filter: near([0, 0]), sort: ['n'] }, '/sort'],
      [{ filter: { $or: [near([0, 0])] } }, '/filter/$or/0/at/$near'],
      [{ filter: { ...near([0, 0]), $text: { $search: 'a' } } }, '/filter/at/$near'],
      [{ filter: near([0, 0]), search: 'a' }, '/search'],
      [{ filter: { at: { $nearSphere: point(0, 0) } } }, '/filter/at/$nearSphere'],
      [
        { filter: { createdAt: { $geoWithin: { $geometry: polygon(box(0, 0, 1, 1)) } } } },
        '/filter/createdAt/$geoWithin',
      ],
    ];
    for (const [body, pointer] of asked) {
      const answer = await asking.query(name, body, ada);
      const [status, code, faults] = faultsOf(answer);
      assert.deepEqual([status, code, faults[0]?.[1]], [400, 'invalid-request', pointer], answer.text);
    }
    const filter = JSON.stringify(within(crossing));
    const exported = await asking.list(name, { filter }, ada, 'application/x-ndjson');
    assert.deepEqual(faultsOf(exported), [
      400,
      'invalid-request',
      [['filter', '/at/$geoWithin/$geometry/coordinates', 'invalid-geometry']],
    ]);
    const feed = await asking.list(`${name}/changes`, { filter: JSON.stringify(near([0, 0])) }, ada);
    assert.equal(feed.status, 400, feed.text);
    assert.match(feed.text, /filter of a list or a query, .*in rules, in feeds or in changes by filter/);
    const body = { ...definition, rules: { read: [near([0, 0])] } };
    const rule = await replica.call('PUT /v1/collections/other', { body, token: admin.token });
    assert.equal(rule.status, 400, rule.text);
    assert.match(rule.text, /filter of a list or a query, .*in rules, in feeds or in changes by filter/);
  });

  it('are found in a large collection by their index, and explained', async () => {
    const rows = Array.from({ length: 40 }, (_, n) => ({ n, at: point(n, n) }));
    const name = await filled(rows);
    const bounded = await data.replica({ QUERY_SCAN_LIMIT: '5', QUERY_COST: '20' });
    const few = createAsking(bounded, admin);
    const nearest = pageOf(await few.query(name, { filter: near([0, 0]), limit: 3 }, ada)).items;
    assert.deepEqual(
      nearest.map(({ n }) => n),
      [0, 1, 2],
    );
    const inside = await few.query(name, { filter: within(polygon(box(-1, -1, 3.5, 3.5))) }, ada);
    assert.equal(pageOf(inside).items.length, 4);
    const counted = await few.query(name, { filter: near([0, 0]), count: true }, ada);
    assert.deepEqual([counted.status, counted.body.code], [422, 'query-too-costly']);
    const explained = await few.query(name, { filter: near([0, 0]), limit: 3, explain: true }, admin);
    assert.equal(explained.status, 200, explained.text);
    const { explain } = explained.body as unknown as { explain: Record<string, unknown> };
    assert.deepEqual([explain.indexes, explain.refused], [[{ keys: { at: '2dsphere' } }], false]);
    await bounded.stop();
  });
});
