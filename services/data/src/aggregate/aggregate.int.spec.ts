import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { createAsking, faultsOf } from '../testing/asked-data.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const text = { type: 'string' } as const;
const whole = { type: 'integer' } as const;
/** Its records refer to others of the same collection. */
const staff = {
  schema: {
    type: 'object',
    properties: {
      name: text,
      team: text,
      salary: { type: 'number' },
      home: { type: 'object', properties: { city: text, street: text } },
      mentor: { type: ['string', 'null'] },
      friends: { type: 'array', items: text },
      hidden: { type: 'boolean' },
    },
  },
  fields: {
    salary: { read: [{ name: { $auth: 'sub' } }] },
    'home.street': { read: [] },
    mentor: { reference: { collection: '' } },
    friends: { reference: { collection: '' } },
  },
  rules: { read: [{ hidden: { $ne: true } }], create: 'signed-in', update: 'signed-in', delete: 'signed-in' },
};

interface Rows {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly explain?: Readonly<Record<string, unknown>>;
}

describe('aggregates', () => {
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

  /** Where a reference says no collection it is to the records' own. */
  const filled = (rows: readonly object[], definition: object = staff): Promise<string> => {
    const text = JSON.stringify(definition);
    return asking.filled(
      (name: string) => JSON.parse(text.replaceAll('"collection":""', `"collection":"${name}"`)) as object,
      rows,
    );
  };
  const ask = (name: string, stages: unknown, by: Person | null = ada, more: object = {}, on = replica) =>
    on.call(`POST /v1/data/${name}/aggregate`, {
      body: { stages, ...more },
      ...(by === null ? {} : { token: by.token }),
    });
  const rowsOf = (answer: Answered): Rows => {
    assert.equal(answer.status, 200, answer.text);
    return answer.body as unknown as Rows;
  };
  const create = async (name: string, body: object): Promise<string> => {
    const created = await replica.call(`POST /v1/data/${name}`, { body, token: admin.token });
    assert.equal(created.status, 201, created.text);
    return String(created.body.id);
  };

  it('are of the records that one may read, by any caller', async () => {
    const name = await filled([
      { name: 'a', team: 'x' },
      { name: 'b', team: 'x', hidden: true },
      { name: 'c', team: 'y' },
    ]);
    const stages = [{ group: { by: { team: 'team' }, fields: { n: 'count' } } }];
    const wanted = [
      { team: 'x', n: 1 },
      { team: 'y', n: 1 },
    ];
    assert.deepEqual(rowsOf(await ask(name, stages)).items, wanted);
    assert.deepEqual(rowsOf(await ask(name, stages, null)).items, wanted);
    assert.equal(rowsOf(await ask(name, stages, admin)).items[0]?.n, 2);
    const all = rowsOf(await ask(name, [{ group: { fields: { n: 'count', most: { max: 'hidden' } } } }]));
    assert.deepEqual(all.items, [{ n: 2, most: null }]);
    assert.deepEqual(
      rowsOf(await ask(name, [{ match: { team: 'z' } }, { group: { fields: { n: 'count' } } }])).items,
      [],
    );
    const closed = await filled([{ name: 'a' }], { ...staff, rules: {} });
    // A stage that is wrong tells nothing either.
    for (const asked of [stages, [{ $out: 'x' }]]) {
      assert.equal((await ask(closed, asked)).status, 404);
      assert.equal((await ask('nowhere', asked)).status, 404);
    }
  });

  it('are refused where they would be made of what one does not see everywhere, whatever the records are', async () => {
    const guarded = (path: string): readonly (readonly [unknown[], string])[] =>
      [
        [[{ group: { by: { k: path } } }], '/stages/0/group/by/k'],
        [[{ group: { by: { k: { by: path, boundaries: [0, 1] } } } }], '/stages/0/group/by/k/by'],
        [[{ match: {} }, { bucket: { by: path, unit: 'day' } }], '/stages/1/bucket/by'],
        ...['sum', 'avg', 'min', 'max', 'addToSet', 'countDistinct'].map(
          (kind) => [[{ group: { fields: { f: { [kind]: path } } } }], `/stages/0/group/fields/f/${kind}`] as const,
        ),
        ...['first', 'last'].map(
          (kind) =>
            [
              [{ sort: 'name' }, { group: { fields: { f: { [kind]: path } } } }],
              `/stages/1/group/fields/f/${kind}`,
            ] as const,
        ),
      ].map(([stages, pointer]) => [stages as unknown[], pointer as string] as const);
    for (const rows of [[], [{ name: 'a', salary: 5, home: { city: 'x', street: 'secret' } }]]) {
      const name = await filled(rows);
      for (const path of ['salary', 'home.street', 'home', 'home.street.no']) {
        for (const [stages, pointer] of guarded(path)) {
          const answer = await ask(name, stages);
          assert.deepEqual(faultsOf(answer), [400, 'invalid-request', [['', pointer, 'guarded-field']]], answer.text);
          assert.equal((await ask(name, stages, admin)).status, 200);
        }
      }
      const sorted = await ask(name, [{ sort: '-salary' }, { limit: 1 }]);
      assert.deepEqual(faultsOf(sorted), [400, 'invalid-request', [['', '/stages/0/sort', 'guarded-field']]]);
      const torn = await ask(name, [{ match: { home: { city: 'x' } } }]);
      assert.deepEqual(faultsOf(torn), [400, 'invalid-request', [['', '/stages/0/match', 'guarded-field']]]);
      const asAda = await ask(name, [{ group: { fields: { s: { sum: 'salary' } } } }], admin, {
        explain: true,
        as: { sub: ada.id },
      });
      assert.equal(asAda.status, 400, asAda.text);
    }
  });

  it('match what is hidden as missing, and do not show it', async () => {
    const name = await filled([
      { name: ada.id, team: 'x', salary: 5, home: { city: 'c', street: 'secret' } },
      { name: 'b', team: 'x', salary: 6 },
      { name: 'c', team: 'y', salary: 6 },
    ]);
    const count = { group: { fields: { n: 'count' } } };
    assert.deepEqual(rowsOf(await ask(name, [{ match: { salary: { $gt: 0 } } }, count])).items, [{ n: 1 }]);
    assert.deepEqual(rowsOf(await ask(name, [{ match: { salary: null } }, count])).items, [{ n: 2 }]);
    assert.deepEqual(rowsOf(await ask(name, [{ match: { 'home.street': 'secret' } }, count])).items, []);
    const { items } = rowsOf(await ask(name, [{ sort: 'team' }, { project: ['name', 'salary', 'home'] }]));
    const shown = items.map(({ name: who, salary, home }) => [who, salary, home]);
    assert.deepEqual(
      shown.toSorted(),
      [
        [ada.id, 5, { city: 'c' }],
        ['b', undefined, undefined],
        ['c', undefined, undefined],
      ].toSorted(),
    );
  });

  it('show what rows refer to, by the rules of its own collection', async () => {
    const name = await filled([]);
    const boss = await create(name, { name: 'boss', team: 'top', salary: 9, home: { city: 'c', street: 'secret' } });
    const ghost = await create(name, { name: 'ghost', hidden: true });
    for (const [who, mentor] of [
      ['a', boss],
      ['b', boss],
      ['c', ghost],
      ['d', null],
    ] as const) {
      await create(name, { name: who, team: 'x', mentor, friends: [ghost, boss] });
    }
    const rows = rowsOf(
      await ask(name, [
        { match: { team: 'x' } },
        { group: { by: { mentor: 'mentor' }, fields: { n: 'count' } } },
        { sort: ['-n', 'mentor'] },
        { lookup: { reference: 'mentor', as: 'who', fields: ['name', 'salary', 'home'] } },
      ]),
    ).items;
    assert.deepEqual(rows, [
      { mentor: boss, n: 2, who: { id: boss, name: 'boss', home: { city: 'c' } } },
      { mentor: null, n: 1, who: null },
      // What is there and hidden is as what is not there.
      { mentor: ghost, n: 1, who: null },
    ]);
    const own = rowsOf(
      await ask(name, [
        { match: { name: 'a' } },
        { project: ['name'] },
        { lookup: { reference: 'friends', as: 'known', fields: ['name'] } },
        { lookup: { reference: 'mentor', as: 'teacher' } },
      ]),
    ).items;
    const [{ known, teacher, ...rest } = {}] = own;
    assert.deepEqual(Object.keys(rest).toSorted(), ['id', 'name']);
    assert.deepEqual(known, [null, { id: boss, name: 'boss' }]);
    const { name: called, salary, revision } = teacher as Record<string, unknown>;
    assert.deepEqual([called, salary, revision], ['boss', undefined, 1]);
    const sets = [{ match: { team: 'x' } }, { group: { fields: { all: { addToSet: 'mentor' } } } }];
    const ofAdmin = rowsOf(
      await ask(name, [...sets, { lookup: { reference: 'all', as: 'them', fields: ['name'] } }], admin),
    );
    const [{ all, them } = {}] = ofAdmin.items;
    assert.deepEqual(new Set(all as string[]), new Set([boss, ghost]));
    assert.equal((them as { name: string }[]).length, 2);
  });

  it('show nothing of a reference that is hidden itself', async () => {
    const hidden = {
      ...staff,
      fields: { ...staff.fields, mentor: { ...staff.fields.mentor, read: [] } },
    };
    const name = await filled([], hidden);
    const boss = await create(name, { name: 'boss' });
    await create(name, { name: 'a', mentor: boss });
    const stages = [{ match: { name: 'a' } }, { lookup: { reference: 'mentor', as: 'who' } }];
    assert.equal(rowsOf(await ask(name, stages)).items[0]?.who, null);
    assert.equal((rowsOf(await ask(name, stages, admin)).items[0]?.who as { id: string }).id, boss);
    const grouped = await ask(name, [{ group: { by: { m: 'mentor' } } }, { lookup: { reference: 'm', as: 'who' } }]);
    assert.deepEqual(faultsOf(grouped), [400, 'invalid-request', [['', '/stages/0/group/by/m', 'guarded-field']]]);
  });

  it('have bounds, and say which', async () => {
    const schema = { type: 'object', properties: { n: whole, big: text, huge: { type: 'number' } } };
    const open = { schema, rules: { read: 'public' } };
    const many = await filled(
      Array.from({ length: 1_001 }, (_, n) => ({ n, huge: 2 ** 53 - 1 })),
      open,
    );
    const group = { group: { by: { n: 'n' } } };
    const tooMany = await ask(many, [group]);
    assert.deepEqual([tooMany.status, tooMany.body.code, tooMany.body.limit], [422, 'query-too-costly', 1_000]);
    assert.equal((await ask(many, [{ sort: 'n' }])).status, 422);
    assert.equal(rowsOf(await ask(many, [group, { sort: '-n' }, { limit: 1_000 }])).items[0]?.n, 1_000);
    assert.equal(rowsOf(await ask(many, [{ sort: 'n' }, { limit: 3 }])).items.length, 3);
    const set = { group: { fields: { all: { addToSet: 'n' }, n: { countDistinct: 'n' } } } };
    const tooWide = await ask(many, [set]);
    assert.deepEqual([tooWide.status, tooWide.body.code], [422, 'query-too-costly']);
    assert.equal(rowsOf(await ask(many, [set, { project: ['n'] }])).items[0]?.n, 1_001);
    const [{ all } = {}] = rowsOf(await ask(many, [{ limit: 1_000 }, set])).items;
    assert.equal((all as number[]).length, 1_000);
    assert.equal(
      rowsOf(await ask(many, [{ limit: 1 }, { group: { fields: { f: { sum: 'huge' } } } }])).items[0]?.f,
      2 ** 53 - 1,
    );
    const beyond = await ask(many, [{ group: { fields: { f: { sum: 'huge' } } } }]);
    assert.deepEqual([beyond.status, beyond.body.code], [422, 'result-out-of-range'], beyond.text);
    const large = await filled(
      Array.from({ length: 50 }, () => ({ big: 'x'.repeat(100_000) })),
      open,
    );
    const tooLong = await ask(large, [{ limit: 50 }]);
    assert.deepEqual([tooLong.status, tooLong.body.code], [422, 'query-too-costly']);
    assert.equal((await ask(large, [{ limit: 40 }])).status, 200);
  });

  it('need an index in a large collection, put together no more than they may, and are explained', async () => {
    const rows = Array.from({ length: 40 }, (_, n) => ({
      name: `p${n}`,
      team: `t${n % 4}`,
      home: { city: `c${n % 2}` },
    }));
    const definition = { ...staff, indexes: [{ keys: { team: 1 } }], rules: { ...staff.rules, read: 'public' } };
    const name = await filled(rows, definition);
    const bounded = await data.replica({ QUERY_SCAN_LIMIT: '5', QUERY_COST: '20' });
    const few = (stages: unknown, by?: Person, more?: object) => ask(name, stages, by, more, bounded);
    const count = { group: { fields: { n: 'count' } } };
    const lacking = await few([{ match: { 'home.city': 'c1' } }, count]);
    assert.deepEqual([lacking.status, lacking.body.code], [422, 'query-needs-index']);
    assert.deepEqual(lacking.body.indexes, [{ keys: { 'home.city': 1 } }]);
    assert.deepEqual(rowsOf(await few([{ match: { team: 't1' } }, count])).items, [{ n: 10 }]);
    const costly = await few([{ match: { team: { $in: ['t0', 't1', 't2'] } } }, count]);
    assert.deepEqual([costly.status, costly.body.code, costly.body.limit], [422, 'query-too-costly', 20]);
    assert.equal((await few([count])).status, 422);
    assert.deepEqual(rowsOf(await few([{ limit: 15 }, count])).items, [{ n: 15 }]);
    assert.deepEqual(rowsOf(await few([count], admin, { scan: 'allow' })).items, [{ n: 40 }]);
    const explained = rowsOf(await few([{ match: { team: 't1' } }, count], admin, { explain: true }));
    assert.deepEqual([explained.items, explained.explain?.indexes], [[{ n: 10 }], [{ keys: { team: 1 } }]]);
    assert.deepEqual(explained.explain?.examined, { keys: 10, records: 10 });
    const refused = rowsOf(await few([{ match: { 'home.city': 'c1' } }, count], admin, { explain: true }));
    assert.deepEqual([refused.items, refused.explain?.refused], [[], true]);
    for (const more of [{ explain: true }, { scan: 'allow' }, { as: { sub: admin.id } }]) {
      assert.equal((await few([count], ada, more)).status, 403);
    }
    await bounded.stop();
  });

  it('look for words and areas, too', async () => {
    const point = { type: 'Point', coordinates: [1, 1] };
    const indexes = [{ keys: { name: 'text' } }, { keys: { place: '2dsphere' } }];
    const definition = {
      schema: { type: 'object', properties: { name: text, place: {} } },
      indexes,
      rules: { read: 'public' },
    };
    const name = await filled([{ name: 'a mole', place: point }, { name: 'a worm' }], definition);
    const count = { group: { fields: { n: 'count' } } };
    assert.deepEqual(rowsOf(await ask(name, [{ match: { $text: { $search: 'mole' } } }, count])).items, [{ n: 1 }]);
    const circle = { place: { $geoWithin: { $centerSphere: [[1, 1], 0.01] } } };
    assert.deepEqual(rowsOf(await ask(name, [{ match: circle }, count])).items, [{ n: 1 }]);
    const crossing = [
      [0, 0],
      [2, 2],
      [2, 0],
      [0, 2],
      [0, 0],
    ];
    const wrong = { place: { $geoIntersects: { $geometry: { type: 'Polygon', coordinates: [crossing] } } } };
    const answer = await ask(name, [{ match: wrong }, count]);
    const place = '/stages/0/match/place/$geoIntersects/$geometry/coordinates';
    assert.deepEqual(faultsOf(answer), [400, 'invalid-request', [['', place, 'invalid-geometry']]]);
  });

  it('are refused where they are none, by their place', async () => {
    const name = await filled([]);
    const asked: readonly (readonly [unknown, string])[] = [
      [[{ $lookup: { from: 'x', pipeline: [], as: 'x' } }], '/stages/0/$lookup'],
      [[{ match: {} }, { group: { fields: { f: { $function: {} } } } }], '/stages/1/group/fields/f'],
      [[{ project: { team: 1 } }], '/stages/0/project'],
    ];
    for (const [stages, pointer] of asked) {
      const [status, code, [first]] = faultsOf(await ask(name, stages));
      assert.deepEqual([status, code, first?.[1]], [400, 'invalid-request', pointer]);
    }
    for (const body of [{}, { stages: 'x' }, { stages: [{ limit: 1 }], pipeline: [] }, []]) {
      const answer = await replica.call(`POST /v1/data/${name}/aggregate`, { body, token: ada.token });
      assert.equal(answer.status, 400, answer.text);
    }
  });
});
