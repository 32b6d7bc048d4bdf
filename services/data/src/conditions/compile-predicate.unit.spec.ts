import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bindCondition } from './bind-condition.ts';
import { compilePredicate } from './compile-predicate.ts';
import { parseCondition } from './parse-condition.ts';

function meets(filter: unknown, fields: unknown): boolean {
  const parsed = parseCondition(filter, { auth: false });
  assert.ok(parsed.ok);
  return compilePredicate(bindCondition(parsed.value, {}), () => undefined)({ _id: 'rec_1', revision: 1, fields });
}

/** Each as MongoDB 6 answers; the integration test holds thousands of generated ones against it. */
const cases: readonly (readonly [filter: unknown, fields: unknown, expected: boolean])[] = [
  [{ a: null }, {}, true],
  [{ a: { $ne: null } }, {}, false],
  [{ a: { $gte: null } }, {}, true],
  [{ a: { $gt: null } }, { a: null }, false],
  [{ a: { $in: [null] } }, {}, true],
  [{ a: { $not: { $gt: 5 } } }, {}, true],
  [{ $nor: [{ a: 1 }, { b: 1 }] }, { a: 2 }, true],
  [{ a: [1, 2] }, { a: [1, 2] }, true],
  [{ a: [1, 2] }, { a: [[1, 2]] }, true],
  [{ a: [1, 2] }, { a: [2, 1] }, false],
  [{ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, false],
  [{ a: { $gt: 1, $lt: 3 } }, { a: [0, 4] }, true],
  [{ a: { $elemMatch: { $gt: 1, $lt: 3 } } }, { a: [0, 4] }, false],
  [{ 'a.b': 1 }, { a: [{ b: 2 }, { b: [1] }] }, true],
  [{ 'a.b': null }, { a: [] }, false],
  [{ 'a.b': null }, { a: [{ b: 1 }, {}] }, true],
  [{ 'a.b': null }, { a: [5] }, false],
  [{ 'a.b': { $exists: false } }, { a: [5] }, true],
  [{ 'a.0': 1 }, { a: [1, 2] }, true],
  [{ 'a.0': 5 }, { a: [[5]] }, false],
  [{ 'a.0.b': 1 }, { a: [{ b: 1 }] }, true],
  [{ 'a.00': 1 }, { a: [1] }, false],
  [{ a: { $all: [] } }, { a: [] }, false],
  [{ a: { $size: 1 } }, { a: [[1, 2]] }, true],
  [{ a: { $gt: '1' } }, { a: 2 }, false],
  [{ a: { $gt: '\uFFFD' } }, { a: '\u{1F600}' }, true],
  [{ a: { $eq: 0 } }, { a: -0 }, true],
  [{ toString: { $exists: true } }, {}, false],
  [{ a: { $elemMatch: { 0: 1 } } }, { a: [[1]] }, true],
];

describe('a predicate', () => {
  for (const [filter, fields, expected] of cases) {
    it(`answers ${expected} to ${JSON.stringify(filter)} on ${JSON.stringify(fields)}`, () => {
      assert.equal(meets(filter, fields), expected);
    });
  }
});
