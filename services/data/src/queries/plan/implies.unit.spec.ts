import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parsePartialFilter } from '../../collections/partial-filter.ts';
import { bindCondition } from '../../conditions/bind-condition.ts';
import { parseCondition } from '../../conditions/parse-condition.ts';
import { boundValue, implies } from './implies.ts';
import { filteredPaths, servingIndexes } from './serving-indexes.ts';

const condition = (json: unknown) => {
  const parsed = parseCondition(json, { auth: false });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return bindCondition(parsed.value, {});
};

const holds = (json: unknown, where: unknown): boolean => {
  const filter = parsePartialFilter(where, '');
  assert.ok(filter.ok, JSON.stringify(filter));
  return implies(condition(json), filter.value, boundValue);
};

describe('a partial index serves', () => {
  for (const [json, where] of [
    [{ a: 1 }, { a: 1 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [
      { a: 1, b: 2, c: 3 },
      { b: 2, a: 1 },
    ],
    [{ a: { $in: [1, 2] } }, { a: { $in: [2, 1, 3] } }],
    [{ a: { $in: [1] } }, { a: 1 }],
    [{ a: 1 }, { a: { $in: [1, 2] } }],
    [{ a: { $all: [1, 5] } }, { a: 1 }],
    [{ a: 5 }, { a: { $gt: 4 } }],
    [{ a: { $gt: 4 } }, { a: { $gt: 4 } }],
    [{ a: { $gt: 4 } }, { a: { $gte: 4 } }],
    [{ a: { $gte: 5, $lt: 9 } }, { a: { $gt: 4 } }],
    [{ a: { $lt: 'b' } }, { a: { $lte: 'b' } }],
    [{ a: 1 }, { a: { $exists: true } }],
    [{ a: { $gt: 1 } }, { a: { $exists: true } }],
    [{ a: { $size: 1 } }, { a: { $exists: true } }],
    [
      {
        $or: [
          { a: 1, b: 1 },
          { a: 1, c: 1 },
        ],
      },
      { a: 1 },
    ],
    [{ a: 1 }, { $or: [{ a: 1 }, { b: 1 }] }],
    [{ $or: [{ a: 1 }, { b: 1 }] }, { $or: [{ b: 1 }, { a: 1 }, { c: 1 }] }],
    [{ $or: [{ a: 1 }, { a: 2 }], b: 1 }, { $or: [{ a: { $in: [1, 2] } }, { c: 1 }] }],
    [{ createdAt: { $gt: '2026-02-01T00:00:00Z' } }, { createdAt: { $gt: '2026-01-01T00:00:00Z' } }],
  ] as const) {
    it(`where ${JSON.stringify(json)} meets ${JSON.stringify(where)}`, () => assert.equal(holds(json, where), true));
  }
});

describe('a partial index serves nothing', () => {
  for (const [json, where] of [
    [{}, { a: 1 }],
    [{ b: 1 }, { a: 1 }],
    [{ a: 2 }, { a: 1 }],
    [{ a: '1' }, { a: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: { $in: [1, 2] } }, { a: 1 }],
    [{ a: { $in: [1, null] } }, { a: { $exists: true } }],
    [{ a: null }, { a: { $exists: true } }],
    [{ a: { $gte: null } }, { a: { $exists: true } }],
    [{ a: { $exists: false } }, { a: { $exists: true } }],
    [{ a: { $ne: 2 } }, { a: { $exists: true } }],
    [{ a: { $gte: 4 } }, { a: { $gt: 4 } }],
    [{ a: { $lt: 9 } }, { a: { $gt: 4 } }],
    [{ a: { $gt: 4 } }, { a: 5 }],
    [{ a: { $gt: 'x' } }, { a: { $gt: 4 } }],
    [{ $or: [{ a: 1 }, { b: 1 }] }, { a: 1 }],
    [{ $nor: [{ a: 2 }] }, { a: 1 }],
    [{ a: { $elemMatch: { $eq: 1 } } }, { a: 1 }],
    [{ a: { $elemMatch: { b: 1 } } }, { 'a.b': 1 }],
  ] as const) {
    it(`where ${JSON.stringify(json)} may not meet ${JSON.stringify(where)}`, () =>
      assert.equal(holds(json, where), false));
  }
});

describe('the indexes that serve a condition', () => {
  const indexes = [
    { keys: { a: 1 } },
    { keys: { b: -1 }, where: { status: 'open' } },
    { keys: { title: 'text' } },
    { keys: { c: 1, at: '2dsphere' } },
  ] as const;
  const serving = (json: unknown) => servingIndexes(indexes, condition(json), boundValue).map(({ keys }) => keys);

  it('are those of values that hold all that meets it', () => {
    assert.deepEqual(serving({ b: 1 }), [{ a: 1 }]);
    assert.deepEqual(serving({ b: 1, status: 'open' }), [{ a: 1 }, { b: -1 }]);
    assert.deepEqual(serving({ b: 1, status: 'closed' }), [{ a: 1 }]);
  });

  it('depend on the values of what partial indexes ask', () =>
    assert.deepEqual([...filteredPaths(indexes)], ['fields.status']));
});
