import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { bindCondition } from '../../conditions/bind-condition.ts';
import type { Condition, Value } from '../../conditions/condition.ts';
import { parseCondition } from '../../conditions/parse-condition.ts';
import type { ScalarTypesAt, Sort } from '../../sorting/sort.ts';
import { parseSort } from '../../sorting/sort.ts';
import { adviseIndexes } from './advise-index.ts';
import { shapeOf } from './shape-of.ts';

/** Of these fields the schema says nothing. */
const arrays = new Set(['tags', 'labels']);
const scalarTypesAt: ScalarTypesAt = ([first = '']) => (arrays.has(first) ? undefined : new Set(['string']));

function condition(json: unknown): Condition<Value> {
  const parsed = parseCondition(json, { auth: false });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return bindCondition(parsed.value, {});
}

function sort(...terms: string[]): Sort {
  const parsed = parseSort(terms, scalarTypesAt);
  assert.ok(parsed.ok);
  return parsed.value;
}

const advise = (json: unknown, terms: readonly string[] = [], known: readonly Record<string, 1 | -1>[] = []) =>
  adviseIndexes(condition(json), sort(...terms), { scalarTypesAt, known: known.map((keys) => ({ keys })) }).map(
    ({ keys }) => keys,
  );

describe('the index that is proposed', () => {
  for (const [what, json, terms, expected] of [
    ['one value', { author: 'a' }, [], [{ author: 1 }]],
    ['one value, falling order', { author: 'a' }, ['-id'], [{ author: 1 }]],
    [
      'values before the order',
      { score: { $gt: 1 }, author: 'a' },
      ['-title'],
      [{ author: 1, title: -1, id: -1, score: 1 }],
    ],
    ['the order alone', {}, ['-score', 'title'], [{ score: -1, title: 1 }]],
    ['an order that ends against its last key', { a: 1, b: { $in: [1, 2] } }, ['-score'], [{ a: 1, b: 1, score: -1 }]],
    ['a range before an order that is looked for in none', { score: { $gt: 1 } }, ['title'], [{ score: 1, title: 1 }]],
    ['what is not one value', { author: { $ne: 'a' } }, [], [{ author: 1 }]],
    ['what is missing', { author: { $exists: false } }, [], [{ author: 1 }]],
    ['a pattern with a beginning', { author: { $regex: '^ab' }, status: { $ne: 'x' } }, [], [{ author: 1, status: 1 }]],
    ['alternatives, one each', { $or: [{ a: 1 }, { b: 1 }] }, [], [{ a: 1 }, { b: 1 }]],
    ['what alternatives have in common', { $or: [{ a: 1 }, { b: 1 }], c: 1 }, [], [{ c: 1 }]],
    [
      'alternatives with what does not narrow them',
      { $or: [{ a: 1 }, { b: 1 }], c: { $ne: 1 } },
      [],
      [
        { a: 1, c: 1 },
        { b: 1, c: 1 },
      ],
    ],
    ['one array at most', { tags: 'a', labels: 'b', author: 'c' }, [], [{ tags: 1, author: 1 }]],
    ['elements', { tags: { $elemMatch: { name: 'a', at: { $gt: 1 } } } }, [], [{ 'tags.name': 1 }]],
    ['an element by itself', { tags: { $elemMatch: { $gt: 1, $lt: 3 } } }, [], [{ tags: 1 }]],
    ['the opposite of the opposite', { $nor: [{ author: { $exists: true } }] }, [], [{ author: 1 }]],
    ['times', { createdAt: { $gt: '2026-01-01T00:00:00Z' } }, ['-createdAt'], [{ createdAt: -1 }]],
  ] as const) {
    it(`holds ${what}`, () =>
      assert.deepEqual(
        advise(json, terms).map((each) => Object.entries(each)),
        expected.map((each) => Object.entries(each)),
      ));
  }

  for (const [what, json] of [
    ['a size', { tags: { $size: 3 } }],
    ['alternatives, one of which no index knows', { $or: [{ a: 1 }, { tags: { $size: 3 } }] }],
    ['a place in an array', { 'tags.0': 'a' }],
    ['nothing that is asked', {}],
    ['ids', { id: 'rec_1' }],
    ['the opposite of a pattern', { a: { $not: { $regex: 'x' } } }],
    ['no alternative', { $or: Array.from({ length: 50 }, () => ({ $or: [{ a: 1 }, { b: 1 }] })) }],
  ] as const) {
    it(`is none for ${what}`, () => assert.deepEqual(advise(json), []));
  }

  it('is none that is there, and never more than three', () => {
    assert.deepEqual(advise({ $or: [{ a: 1 }, { b: 1 }] }, [], [{ a: 1 }]), [{ b: 1 }]);
    assert.equal(advise({ $or: ['a', 'b', 'c', 'd', 'e'].map((name) => ({ [name]: 1 })) }).length, 3);
  });
});

describe('the shape of a query', () => {
  const shape = (json: unknown, ...terms: string[]): string => shapeOf(condition(json), sort(...terms), new Set());

  it('is the same whatever the values are', () => {
    assert.equal(shape({ a: 'x', b: { $gt: 1 } }), shape({ a: 'y', b: { $gt: 2 } }));
    assert.equal(shape({ a: { $in: ['x', 'y'] } }), shape({ a: { $in: ['z', 'w'] } }));
  });

  it('tells values apart where a partial index does', () => {
    const filtered = new Set(['fields.a']);
    const asked = [{ a: 'x' }, { a: 'y' }, { a: { $in: ['x', 'y'] } }, { a: { $in: ['x', 'z'] } }];
    const shapes = asked.map((json) => shapeOf(condition({ ...json, b: 1 }), sort(), filtered));
    assert.equal(new Set(shapes).size, shapes.length);
    assert.equal(shapes[0], shapeOf(condition({ a: 'x', b: 2 }), sort(), filtered));
  });

  it('tells apart what an index may tell apart', () => {
    const all = [
      shape({ a: 'x' }),
      shape({ a: 1 }),
      shape({ a: null }),
      shape({ a: [] }),
      shape({ a: { b: 1 } }),
      shape({ b: 'x' }),
      shape({ a: 'x' }, 'b'),
      shape({ a: 'x' }, '-b'),
      shape({ a: { $gt: 'x' } }),
      shape({ a: { $gte: '' } }),
      shape({ a: { $ne: 'x' } }),
      shape({ a: { $exists: true } }),
      shape({ a: { $exists: false } }),
      shape({ a: { $in: ['x', null] } }),
      shape({ a: { $regex: '^x' } }),
      shape({ a: { $regex: 'x' } }),
      shape({ a: { $size: 1 } }),
      shape({ a: { $elemMatch: { $gt: 1 } } }),
      shape({ a: { $elemMatch: { $not: { $gt: 1 } } } }),
      shape({ a: { $elemMatch: { b: 1 } } }),
      shape({ $or: [{ a: 'x' }, { b: 'x' }] }),
      shape({ $nor: [{ a: 'x' }, { b: 'x' }] }),
      shape({ a: 'x', b: 'x' }),
      shape({ 'a"or': 'x' }),
    ];
    assert.equal(new Set(all).size, all.length);
  });
});
