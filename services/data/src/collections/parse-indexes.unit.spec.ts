import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseIndexes } from './parse-indexes.ts';

function parsed(...indexes: unknown[]): unknown {
  const result = parseIndexes(indexes, '/indexes');
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

const faultsOf = (...indexes: unknown[]): string[] => {
  const result = parseIndexes(indexes, '/indexes');
  return result.ok ? [] : result.faults.map(({ pointer, code }) => `${code} ${pointer}`);
};

describe('indexes', () => {
  it('are of values, of words and of places, unique or partial', () => {
    const indexes = [
      { keys: { status: 1, score: -1 } },
      { keys: { slug: 1 }, unique: true, where: { status: 'published' } },
      { keys: { title: 'text', 'about.body': 'text' }, weights: { title: 10 }, language: 'german' },
      {
        keys: { at: '2dsphere', status: 1 },
        where: { $or: [{ status: { $in: ['a', 'b'] } }, { score: { $gte: 1 } }] },
      },
      { keys: { createdAt: -1 }, where: { updatedBy: { $exists: true }, createdAt: { $gt: '2026-01-01T00:00:00Z' } } },
    ];
    assert.deepEqual(parsed(...indexes), indexes);
  });

  it('say nothing of what is the default', () => {
    assert.deepEqual(parsed({ keys: { a: 'text' }, unique: false, language: 'none' }), [{ keys: { a: 'text' } }]);
  });

  for (const [what, index, ...faults] of [
    ['another kind', { keys: { a: 'hashed' } }, 'invalid-index /indexes/0/keys/a'],
    ['a kind of the planes', { keys: { a: '2d' } }, 'invalid-index /indexes/0/keys/a'],
    ['a direction as text', { keys: { a: '1' } }, 'invalid-index /indexes/0/keys/a'],
    ['everything at once', { keys: { '$**': 'text' } }, 'invalid-path /indexes/0/keys/$**'],
    ['words beside values', { keys: { a: 'text', b: 1 } }, 'invalid-index /indexes/0/keys'],
    ['words beside places', { keys: { a: 'text', b: '2dsphere' } }, 'invalid-index /indexes/0/keys'],
    ['two places', { keys: { a: '2dsphere', b: '2dsphere' } }, 'invalid-index /indexes/0/keys'],
    ['words of what the service keeps', { keys: { createdBy: 'text' } }, 'invalid-index /indexes/0/keys/createdBy'],
    ['places in what the service keeps', { keys: { id: '2dsphere' } }, 'invalid-index /indexes/0/keys/id'],
    ['unique words', { keys: { a: 'text' }, unique: true }, 'invalid-index /indexes/0/unique'],
    ['unique places', { keys: { a: '2dsphere' }, unique: true }, 'invalid-index /indexes/0/unique'],
    ['uniqueness as text', { keys: { a: 1 }, unique: 'yes' }, 'invalid-index /indexes/0/unique'],
    ['ids of some', { keys: { id: 1 }, where: { a: 1 } }, 'invalid-index /indexes/0/where'],
    ['weights of values', { keys: { a: 1 }, weights: { a: 2 } }, 'invalid-index /indexes/0/weights'],
    ['no weights', { keys: { a: 'text' }, weights: {} }, 'invalid-index /indexes/0/weights'],
    ['weights of others', { keys: { a: 'text' }, weights: { b: 2 } }, 'invalid-index /indexes/0/weights/b'],
    ...[0, -1, 1.5, 1_001, '2', null].map(
      (a) => ['such a weight', { keys: { a: 'text' }, weights: { a } }, 'invalid-index /indexes/0/weights/a'] as const,
    ),
    ['a language of values', { keys: { a: 1 }, language: 'german' }, 'invalid-index /indexes/0/language'],
    ['a language that is not known', { keys: { a: 'text' }, language: 'klingon' }, 'invalid-index /indexes/0/language'],
    ['a language that is none', { keys: { a: 'text' }, language: null }, 'invalid-index /indexes/0/language'],
    ['a life of its own', { keys: { a: 1 }, expireAfterSeconds: 1 }, 'unknown-field /indexes/0/expireAfterSeconds'],
    ['nothing', null, 'invalid-index /indexes/0/keys'],
  ] as const) {
    it(`are not of ${what}: ${JSON.stringify(index)}`, () => assert.deepEqual(faultsOf(index), faults));
  }

  it('are given once, and told apart by what they leave out', () => {
    const where = { a: 1, b: { $in: [2, 3] } };
    const same = { $and: [{ b: { $in: [3, 2, 3] } }, { $and: [{ a: { $eq: 1 } }] }] };
    const keys = { a: 1 };
    assert.deepEqual(faultsOf({ keys }, { keys, unique: true }), ['duplicate-index /indexes/1']);
    assert.deepEqual(faultsOf({ keys, where }, { keys, where: same }), ['duplicate-index /indexes/1']);
    assert.deepEqual(faultsOf({ keys, where }, { keys }, { keys, where: { a: 1 } }), []);
    assert.deepEqual(faultsOf({ keys: { a: 'text' } }, { keys: { c: 1 } }, { keys: { b: 'text' } }), [
      'duplicate-index /indexes/2',
    ]);
  });
});

describe('the `where` of an index', () => {
  const faults = (where: unknown): string[] => faultsOf({ keys: { a: 1 }, where });

  for (const [where, ...expected] of [
    [{ a: { $ne: 1 } }, 'invalid-where /indexes/0/where/a/$ne'],
    [{ a: { $nin: [1] } }, 'invalid-where /indexes/0/where/a/$nin'],
    [{ a: { $exists: false } }, 'invalid-where /indexes/0/where/a/$exists'],
    [{ a: { $regex: '^x' } }, 'invalid-where /indexes/0/where/a/$regex'],
    [{ a: { $size: 1 } }, 'invalid-where /indexes/0/where/a/$size'],
    [{ a: { $all: [1] } }, 'invalid-where /indexes/0/where/a/$all'],
    [{ a: { $not: { $gt: 1 } } }, 'invalid-where /indexes/0/where/a/$not'],
    [{ a: { $elemMatch: { $gt: 1 } } }, 'invalid-where /indexes/0/where/a/$elemMatch'],
    [{ $nor: [{ a: 1 }] }, 'invalid-where /indexes/0/where/$nor'],
    [{ $or: [{ b: 1 }, { a: { $gt: 1, $ne: 2 } }] }, 'invalid-where /indexes/0/where/$or/1/a/$ne'],
    [{ a: null }, 'invalid-where /indexes/0/where/a'],
    [{ a: [1] }, 'invalid-where /indexes/0/where/a'],
    [{ a: { b: 1 } }, 'invalid-where /indexes/0/where/a'],
    [{ a: { $eq: [1] } }, 'invalid-where /indexes/0/where/a/$eq'],
    [{ a: { $gte: null } }, 'invalid-where /indexes/0/where/a/$gte'],
    [{ a: { $in: [1, null] } }, 'invalid-where /indexes/0/where/a/$in/1'],
    [{ a: { $in: [] } }, 'invalid-where /indexes/0/where/a/$in'],
    [{}, 'invalid-where /indexes/0/where'],
    [{ $or: [{ a: 1 }, {}] }, 'invalid-where /indexes/0/where/$or/1'],
    [{ a: { $where: '1' } }, 'unknown-operator /indexes/0/where/a/$where'],
    [{ a: { $auth: 'sub' } }, 'unknown-operator /indexes/0/where/a'],
    [{ 'a..b': 1 }, 'invalid-path /indexes/0/where/a..b'],
    [{ outbox: 1 }, 'invalid-path /indexes/0/where/outbox'],
    ['published', 'invalid-condition /indexes/0/where'],
    [null, 'invalid-condition /indexes/0/where'],
  ] as const) {
    it(`is refused where it is ${JSON.stringify(where)}`, () => assert.deepEqual(faults(where), expected));
  }

  it('has as many levels as MongoDB takes', () => {
    const levels = (count: number): object =>
      count === 0 ? { a: 1 } : { [count % 2 === 0 ? '$and' : '$or']: [levels(count - 1), { [`b${count}`]: 1 }] };
    assert.deepEqual(faults(levels(3)), []);
    assert.deepEqual(faults(levels(4)), ['invalid-where /indexes/0/where']);
    assert.deepEqual(faults({ $and: [{ $and: [{ $and: [{ $and: [{ a: 1 }] }] }] }] }), []);
  });
});
