import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { compileStages } from './compile-stages.ts';
import { parseStages } from './parse-stages.ts';

const collection = {
  id: 'col_1',
  fields: [{ path: 'author', segments: ['author'], reference: { collection: 'col_2', onDelete: 'restrict' as const } }],
  scalarTypesAt: ([name]: readonly string[]) =>
    name === 'tags' || name === 'any' ? undefined : new Set(['number' as const]),
};
const at = new Date('2026-10-25T10:00:00Z');
const parse = (stages: unknown) => parseStages(stages, '/stages', collection, at);

/** Pointer and code of the first fault. */
const faultOf = (stages: unknown): readonly unknown[] => {
  try {
    parse(stages);
  } catch (error) {
    const { errors = [] } = error as { errors?: readonly { pointer?: string; code: string }[] };
    if (errors[0] !== undefined) return [errors[0].pointer, errors[0].code];
    throw error;
  }
  return ['taken'];
};

const count = { fields: { n: 'count' } };
const group = { group: count };

/** What is sent, and the pointer and code of what is wrong with it. */
const bad: readonly (readonly [unknown, string, string])[] = [
  [[{ group: { by: { t: 'tags.0' }, ...count } }], '/stages/0/group/by/t', 'invalid-path'],
  [[{ group: { fields: { n: { sum: 'tags.1' } } } }], '/stages/0/group/fields/n/sum', 'invalid-path'],
  [undefined, '/stages', 'invalid-stages'],
  [{}, '/stages', 'invalid-stages'],
  [[], '/stages', 'invalid-stages'],
  [Array.from({ length: 11 }, () => group), '/stages', 'invalid-stages'],
  [[null], '/stages/0', 'invalid-stage'],
  [['match'], '/stages/0', 'invalid-stage'],
  [[{}], '/stages/0', 'invalid-stage'],
  [[{ match: {}, limit: 1 }], '/stages/0', 'invalid-stage'],
  ...['$match', '$out', '$merge', '$lookup', '$function', '$unionWith', 'out', 'facet', '__proto__', 'constructor'].map(
    (name) => [[JSON.parse(`{"${name}": {}}`) as unknown], `/stages/0/${name}`, 'unknown-stage'] as const,
  ),
  // Their order.
  [[{ sort: 'n' }, { match: {} }], '/stages/1/match', 'misplaced-stage'],
  [[{ limit: 1 }, { sort: 'n' }], '/stages/1/sort', 'misplaced-stage'],
  [[{ match: {} }, { match: {} }], '/stages/1/match', 'misplaced-stage'],
  [[{ project: ['n'] }, group], '/stages/1/group', 'misplaced-stage'],
  [[{ lookup: { reference: 'author', as: 'who' } }, { limit: 1 }], '/stages/1/limit', 'misplaced-stage'],
  // What enters.
  [[{ match: 'x' }], '/stages/0/match', 'invalid-condition'],
  [[{ match: [] }], '/stages/0/match', 'invalid-condition'],
  [[{ match: { $where: '1' } }], '/stages/0/match/$where', 'unknown-operator'],
  [[{ match: { $expr: {} } }], '/stages/0/match/$expr', 'unknown-operator'],
  [[{ match: { n: { $function: {} } } }], '/stages/0/match/n/$function', 'unknown-operator'],
  [[{ match: JSON.parse('{"__proto__": 1}') as unknown }], '/stages/0/match/__proto__', 'invalid-path'],
  [
    [{ match: { at: { $near: { $geometry: { type: 'Point', coordinates: [0, 0] } } } } }],
    '/stages/0/match',
    'invalid-operator',
  ],
  [[{ sort: ['tags'] }], '/stages/0/sort', 'unsortable-field'],
  [[{ sort: 5 }], '/stages/0/sort', 'invalid-sort'],
  [[{ sort: ['a', 'b', 'c', 'd', 'e'] }], '/stages/0/sort', 'invalid-sort'],
  ...[0, -1, 1.5, '5', null, 1e9].map((limit) => [[{ limit }], '/stages/0/limit', 'invalid-limit'] as const),
  ...[[], 'n', [1], [['n']]].map((project) => [[{ project }], '/stages/0/project', 'invalid-project'] as const),
  [[{ project: ['$n'] }], '/stages/0/project', 'invalid-path'],
  // Groups.
  [[{ group: {} }], '/stages/0/group', 'invalid-stage'],
  [[{ group: 'n' }], '/stages/0/group', 'invalid-stage'],
  [[{ group: { _id: '$n' } }], '/stages/0/group/_id', 'unknown-member'],
  [[{ group: { by: 'n' } }], '/stages/0/group/by', 'invalid-stage'],
  [[{ group: { by: { k: '$n' } } }], '/stages/0/group/by/k', 'invalid-path'],
  [[{ group: { by: { k: '$$ROOT' } } }], '/stages/0/group/by/k', 'invalid-path'],
  [[{ group: { by: { k: 'outbox' } } }], '/stages/0/group/by/k', 'invalid-path'],
  [[{ group: { by: { k: '_id' } } }], '/stages/0/group/by/k', 'invalid-path'],
  [[{ group: { by: { k: 'a.__proto__' } } }], '/stages/0/group/by/k', 'invalid-path'],
  [[{ group: { by: { k: 5 } } }], '/stages/0/group/by/k', 'invalid-path'],
  [[{ group: { by: { k: { $toUpper: 'n' } } } }], '/stages/0/group/by/k/by', 'invalid-path'],
  [[{ group: { by: { k: { by: 'n', $add: 1 } } } }], '/stages/0/group/by/k/$add', 'unknown-member'],
  ...['$k', 'a.b', '_id', 'id', 'revision', 'outbox', '', '__proto__', 'constructor', 'x'.repeat(257)].map((name) => {
    const by = JSON.parse(`{${JSON.stringify(name)}: "n"}`) as unknown;
    const isPlain = name === 'a.b' || name === 'id' || name === 'revision';
    return [[{ group: { by } }], `/stages/0/group/by/${name}`, isPlain ? 'invalid-name' : 'invalid-path'] as const;
  }),
  [
    [{ group: { by: Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`k${n}`, 'n'])) } }],
    '/stages/0/group/by',
    'too-many',
  ],
  [[{ group: { by: { n: 'n' }, ...count } }], '/stages/0/group/fields/n', 'duplicate-name'],
  ...['sum', { $sum: 'n' }, { sum: 'n', avg: 'n' }, { push: 'n' }, { accumulator: {} }, {}, null, ['count']].map(
    (field) => [[{ group: { fields: { f: field } } }], '/stages/0/group/fields/f', 'unknown-accumulator'] as const,
  ),
  [[{ group: { fields: { f: { sum: { $add: ['$n', 1] } } } } }], '/stages/0/group/fields/f/sum', 'invalid-path'],
  [[{ group: { fields: { f: { sum: 'createdAt' } } } }], '/stages/0/group/fields/f/sum', 'invalid-operand'],
  [[{ group: { fields: { f: { first: 'n' } } } }], '/stages/0/group/fields/f/first', 'not-sorted'],
  // Buckets.
  [[{ bucket: { by: 'n' } }], '/stages/0/bucket', 'invalid-bucket'],
  [[{ bucket: { by: 'n', unit: 'day', boundaries: [1, 2] } }], '/stages/0/bucket', 'invalid-bucket'],
  [[{ bucket: { by: 'n', unit: 'decade' } }], '/stages/0/bucket/unit', 'invalid-unit'],
  [[{ bucket: { by: 'n', boundaries: [1, 2], timeZone: 'UTC' } }], '/stages/0/bucket/timeZone', 'unknown-member'],
  ...['Mars/Phobos', '+02:00', '$tz', 5, '', 'a'.repeat(500)].map(
    (timeZone) =>
      [[{ bucket: { by: 'n', unit: 'day', timeZone } }], '/stages/0/bucket/timeZone', 'unknown-time-zone'] as const,
  ),
  ...[[], [1], [1, 1], [2, 1], [1, '2'], [1, Infinity], 5, Array.from({ length: 101 }, (_, n) => n)].map(
    (boundaries) =>
      [[{ bucket: { by: 'n', boundaries } }], '/stages/0/bucket/boundaries', 'invalid-boundaries'] as const,
  ),
  [[{ bucket: { by: 'createdAt', boundaries: [1, 2] } }], '/stages/0/bucket/boundaries', 'invalid-bucket'],
  [[{ bucket: { by: 'n', boundaries: [1, 2], as: 5 } }], '/stages/0/bucket/as', 'invalid-name'],
  [[{ bucket: { by: 'n', boundaries: [1, 2], default: 5 } }], '/stages/0/bucket/default', 'unknown-member'],
  // What groups give.
  [[group, { match: { other: 1 } }], '/stages/1/match', 'unknown-name'],
  [[group, { match: { $or: [{ n: 1 }, { $nor: [{ createdAt: null }] }] } }], '/stages/1/match', 'unknown-name'],
  [[group, { match: { n: { $geoWithin: {} } } }], '/stages/1/match/n/$geoWithin', 'unknown-operator'],
  [[group, { sort: 'id' }], '/stages/1/sort', 'unknown-name'],
  [[group, { sort: ['n', '-n'] }], '/stages/1/sort', 'duplicate-field'],
  [[group, { project: ['x'] }], '/stages/1/project', 'unknown-name'],
  [[group, { group: { by: { k: 'author' } } }], '/stages/1/group/by/k', 'unknown-name'],
  [[{ group: { by: { any: 'any' } } }, { sort: 'any' }], '/stages/1/sort', 'unsortable-field'],
  [[{ group: { fields: { s: { addToSet: 'n' } } } }, { sort: 's' }], '/stages/1/sort', 'unsortable-field'],
  [
    [{ group: { fields: { s: { addToSet: 'n' } } } }, { group: { by: { s: 's' } } }],
    '/stages/1/group/by/s',
    'invalid-operand',
  ],
  [[{ sort: 'n' }, group, { group: { fields: { f: { last: 'n' } } } }], '/stages/2/group/fields/f/last', 'not-sorted'],
  // What is referred to.
  [[{ lookup: { reference: 'n', as: 'x' } }], '/stages/0/lookup/reference', 'no-reference'],
  [[{ lookup: { reference: 'author' } }], '/stages/0/lookup/as', 'invalid-name'],
  [[{ lookup: { reference: 'author', as: 'a.b' } }], '/stages/0/lookup/as', 'invalid-name'],
  [[{ lookup: { from: 'x', pipeline: [], as: 'x' } }], '/stages/0/lookup/from', 'unknown-member'],
  [[{ lookup: { reference: 'author', as: 'x', fields: ['$x'] } }], '/stages/0/lookup/fields/0', 'invalid-path'],
  [
    [{ group: { by: { who: 'author' } } }, { lookup: { reference: 'who', as: 'who' } }],
    '/stages/1/lookup/as',
    'duplicate-name',
  ],
  [Array.from({ length: 4 }, (_, n) => ({ lookup: { reference: 'author', as: `a${n}` } })), '/stages', 'too-many'],
];

describe('the stages of an aggregate', () => {
  for (const [stages, pointer, code] of bad) {
    it(`are refused: ${(stages === undefined ? 'none' : JSON.stringify(stages)).slice(0, 90)}`, () => {
      assert.deepEqual(faultOf(stages), [pointer, code]);
    });
  }

  it('hold names and numbers of clients, and no expression of theirs', () => {
    const asked = parse([
      { match: { n: { $gt: 1 } } },
      { group: { by: { 'k-1 é': 'n.of' }, fields: { total: { sum: 'amount' } } } },
    ]);
    const text = JSON.stringify(compileStages(asked, {}, {}));
    assert.match(text, /"k-1 é":"\$_id\.k0"/);
    assert.match(text, /"\$fields\.n\.of"/);
    assert.deepEqual(asked.names, ['k-1 é', 'total']);
    assert.deepEqual(
      asked.computed.map(({ path, pointer }) => [path.text, pointer]),
      [
        ['n.of', '/stages/1/group/by/k-1 é'],
        ['amount', '/stages/1/group/fields/total/sum'],
      ],
    );
  });

  it('name what they are made of once they are put together', () => {
    const asked = parse([
      { sort: '-n' },
      { group: { by: { who: 'author', month: { by: 'createdAt', unit: 'month' } }, fields: { top: { first: 'n' } } } },
      { match: { top: { $gt: 1 }, month: { $lt: '2026-01-01' } } },
      { sort: ['-top', 'month'] },
      { group: { by: { who: 'who' }, fields: { best: { last: 'top' }, n: 'count' } } },
      { limit: 5 },
      { project: ['best', 'who'] },
      { lookup: { reference: 'who', as: 'author', fields: ['name'] } },
    ]);
    assert.deepEqual(asked.names, ['best', 'who']);
    assert.deepEqual(
      asked.lookups.map(({ target, as }) => [target, as]),
      [['col_2', 'author']],
    );
    assert.equal(asked.computed.length, 3);
  });
});
