import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { compareValues } from '../conditions/bson-order.ts';
import { seededRandom } from '../conditions/testing/random.ts';
import { createAsking, pageOf } from '../testing/asked-data.ts';
import type { Listed } from '../testing/asked-data.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../testing/test-data.ts';

const { CAUSEWAY_TEST_SEED } = process.env;

type Row = Readonly<Record<string, unknown>>;

const definition = {
  schema: {
    type: 'object',
    properties: { owner: { type: 'string' }, place: { type: 'integer' }, open: {}, a: {}, n: {}, kind: {} },
  },
  rules: { read: [{ owner: { $auth: 'sub' } }, { open: true }], create: 'signed-in' },
};

/** What stands at a path: of what each object in it has, where an array is on the way. */
function at(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value;
  if (Array.isArray(value)) {
    return value.flatMap((each: unknown) => {
      const found = Array.isArray(each) ? undefined : at(each, [name, ...rest]);
      return found === undefined ? [] : [found];
    });
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return at((value as Row)[name], rest);
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isThere = (value: unknown): boolean => value !== undefined && value !== null;

/** Values that are equal in MongoDB are the same text. */
const textOf = (value: unknown): string => JSON.stringify(value ?? null);

function made(kind: string, values: readonly unknown[]): unknown {
  const there = values.filter(isThere);
  const numbers = there.filter(isNumber);
  const sum = numbers.reduce((total, each) => total + each, 0);
  const distinct = [...new Map(there.map((value) => [textOf(value), value])).values()].toSorted(compareValues);
  switch (kind) {
    case 'sum':
      return sum;
    case 'avg':
      return numbers.length === 0 ? null : sum / numbers.length;
    case 'min':
      return there.toSorted(compareValues)[0] ?? null;
    case 'max':
      return there.toSorted(compareValues).at(-1) ?? null;
    case 'first':
      return values[0] ?? null;
    case 'last':
      return values.at(-1) ?? null;
    case 'addToSet':
      return distinct;
    default:
      return distinct.length;
  }
}

const kinds = ['sum', 'avg', 'min', 'max', 'first', 'last', 'addToSet', 'countDistinct'];

/** Rows in the order of `place`, put together by what stands at paths. */
function grouped(rows: readonly Row[], by: readonly string[], path: string): Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = textOf(by.map((each) => at(row, each.split('.')) ?? null));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups].map(([key, own]) => ({
    ...Object.fromEntries((JSON.parse(key) as unknown[]).map((value, index) => [`k${index}`, value])),
    n: own.length,
    ...Object.fromEntries(
      kinds.map((kind) => [
        kind,
        made(
          kind,
          own.map((row) => at(row, path.split('.'))),
        ),
      ]),
    ),
  }));
}

const asked = (by: readonly string[], path: string): object => ({
  by: Object.fromEntries(by.map((each, index) => [`k${index}`, each])),
  fields: { n: 'count', ...Object.fromEntries(kinds.map((kind) => [kind, { [kind]: path }])) },
});

const inOrder = (rows: readonly Row[]): Row[] => rows.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));

/** Members in the order of their names. */
const plain = (row: Row): Row => Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)));

describe('what an aggregate gives', () => {
  let data: TestData;
  let replica: TestReplica;
  let asking: ReturnType<typeof createAsking>;
  let people: readonly Person[];

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    people = await Promise.all([data.person({ roles: ['admin'] }), data.person(), data.person()]);
    asking = createAsking(replica, people[0] ?? assert.fail());
  });

  after(() => data.stop());

  const aggregate = async (name: string, stages: readonly object[], by: Person): Promise<Row[]> => {
    const answer = await replica.call(`POST /v1/data/${name}/aggregate`, { body: { stages }, token: by.token });
    assert.equal(answer.status, 200, answer.text);
    return (answer.body as unknown as { items: Row[] }).items;
  };

  it('is what the records come to that whoever asks may see, of whatever types their values are', async (test) => {
    const seed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    const pick = <T>(values: readonly T[]): T => values[random.below(values.length)] as T;
    const [admin, ada, bob] = people as [Person, Person, Person];
    const values: readonly unknown[] = [
      ...[
        undefined,
        undefined,
        null,
        0,
        1,
        -1,
        2,
        0.25,
        1e6,
        2 ** 31,
        '',
        'a',
        'Å',
        '1',
        true,
        false,
        [],
        [1],
        [1, 'a'],
        [[1]],
      ],
      ...[{}, { b: 1 }, { b: 'x', c: null }, [{ b: 1 }, { b: 2 }, {}], [{ b: [3] }, 7], { b: { b: 1 } }],
    ];
    const rows = Array.from({ length: 300 }, (_, place) => {
      const row = { place, owner: pick([ada.id, bob.id, 'nobody']), open: pick([true, false, undefined]) };
      return { ...row, a: pick(values), n: pick(values), kind: pick(['x', 'y', null, undefined]) };
    });
    await asking.define('odd', definition);
    await asking.fill('odd', rows);
    for (const person of [admin, ada, bob]) {
      const seen: Listed[] = await asking.all('odd', { sort: ['place'], limit: 200 }, person);
      assert.ok(seen.length > 0 && (person === admin) === (seen.length === rows.length));
      for (const by of [['kind'], ['a'], ['a.b'], ['kind', 'n'], []]) {
        for (const path of ['n', 'a.b', 'a']) {
          const stages = [{ sort: 'place' }, { group: asked(by, path) }];
          const found = await aggregate('odd', stages, person);
          const wanted = grouped(seen, by, path);
          assert.deepEqual(inOrder(found.map(plain)), inOrder(wanted.map(plain)), `${by.join()} ${path}`);
        }
      }
      const few = await aggregate(
        'odd',
        [{ match: { kind: 'x' } }, { sort: '-place' }, { limit: 20 }, { group: asked(['kind'], 'n') }],
        person,
      );
      const fewSeen = seen
        .filter(({ kind }) => kind === 'x')
        .toReversed()
        .slice(0, 20);
      assert.deepEqual(few.map(plain), grouped(fewSeen, ['kind'], 'n').map(plain));
      const again = await aggregate(
        'odd',
        [
          { group: { by: { kind: 'kind', owner: 'owner' }, fields: { n: 'count' } } },
          { match: { n: { $gt: 3 } } },
          { group: { by: { kind: 'kind' }, fields: { owners: 'count', most: { max: 'n' } } } },
          { sort: '-most' },
        ],
        person,
      );
      const pairs = grouped(seen, ['kind', 'owner'], 'n').filter(({ n }) => Number(n) > 3);
      assert.deepEqual(
        again.map(({ kind, owners, most }) => [kind, owners, most]).toSorted(),
        grouped(pairs, ['k0'], 'n')
          .map(({ k0, n, max }) => [k0, n, max])
          .toSorted(),
      );
      const most = again.map((row) => Number(row.most));
      assert.deepEqual(
        most,
        most.toSorted((a, b) => b - a),
      );
      const shown = await aggregate(
        'odd',
        [{ match: { kind: null } }, { sort: 'place' }, { project: ['a', 'place'] }],
        person,
      );
      const list = await asking.all('odd', { filter: { kind: null }, sort: ['place'], fields: ['a', 'place'] }, person);
      assert.deepEqual(shown, list);
    }
    assert.equal(pageOf(await asking.query('odd', { count: true }, admin)).count, rows.length);
  });

  it('puts numbers between boundaries, and times into units of the calendar where they are', async () => {
    const admin = people[0] ?? assert.fail();
    const whens: readonly unknown[] = [
      '2026-03-28T23:30:00Z',
      '2026-03-29T00:30:00.5Z',
      '2026-03-29T21:59:59.999Z',
      '2026-03-29T22:00:00Z',
      '2026-10-25T00:30:00+02:00',
      '2026-10-25T22:59:59Z',
      '2026-10-25T23:00:00Z',
      '2026-10-25',
      ...[
        'soon',
        'July 4th',
        '2026-13-45T00:00:00Z',
        '9999-12-31T23:59:59-12:00',
        '0001-01-01',
        5,
        null,
        ['2026-10-25'],
        undefined,
      ],
    ];
    await asking.define('times', {
      schema: { type: 'object', properties: { when: {}, n: {} } },
      rules: { read: 'public' },
    });
    await asking.fill(
      'times',
      whens.map((when, n) => ({ when, n: n < 6 ? n * 2.5 : pickOdd(n) })),
    );
    const bucket = async (json: object): Promise<unknown[]> =>
      (await aggregate('times', [{ bucket: json }], admin)).map(({ bucket: key, count }) => [key, count]);
    const nulls = whens.length - 8;
    const berlin = [
      ['2026-03-28T23:00:00.000Z', 3],
      ['2026-03-29T22:00:00.000Z', 1],
      ['2026-10-24T22:00:00.000Z', 3],
      ['2026-10-25T23:00:00.000Z', 1],
    ];
    assert.deepEqual(await bucket({ by: 'when', unit: 'day', timeZone: 'Europe/Berlin' }), [[null, nulls], ...berlin]);
    assert.deepEqual(await bucket({ by: 'when', unit: 'day' }), [
      [null, nulls],
      ['2026-03-28T00:00:00.000Z', 1],
      ['2026-03-29T00:00:00.000Z', 3],
      ['2026-10-24T00:00:00.000Z', 1],
      ['2026-10-25T00:00:00.000Z', 3],
    ]);
    // Monday the 23rd of March, and the 30th in Berlin, where it has begun.
    assert.deepEqual(await bucket({ by: 'when', unit: 'week', timeZone: 'Europe/Berlin' }), [
      [null, nulls],
      ['2026-03-22T23:00:00.000Z', 3],
      ['2026-03-29T22:00:00.000Z', 1],
      ['2026-10-18T22:00:00.000Z', 3],
      ['2026-10-25T23:00:00.000Z', 1],
    ]);
    assert.deepEqual(await bucket({ by: 'when', unit: 'month' }), [
      [null, nulls],
      ['2026-03-01T00:00:00.000Z', 4],
      ['2026-10-01T00:00:00.000Z', 4],
    ]);
    assert.deepEqual(await bucket({ by: 'n', boundaries: [0, 2.5, 10] }), [
      [null, whens.length - 4],
      [0, 1],
      [2.5, 3],
    ]);
    const [created] = await aggregate(
      'times',
      [
        {
          group: {
            by: { year: { by: 'createdAt', unit: 'year' } },
            fields: { last: { max: 'createdAt' }, n: 'count' },
          },
        },
      ],
      admin,
    );
    const listed =
      pageOf(await asking.query('times', { sort: ['-createdAt'], limit: 1 }, admin)).items[0] ?? assert.fail();
    assert.deepEqual([created?.last, created?.n], [listed.createdAt, whens.length]);
    assert.equal(created?.year, `${String(listed.createdAt).slice(0, 4)}-01-01T00:00:00.000Z`);
  });
});

/** What lies between no boundaries. */
const pickOdd = (n: number): unknown => ['3', null, [3], -0.5, 10, undefined][n % 6];
