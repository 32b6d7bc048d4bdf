import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import { applyOperators } from './apply-operators.ts';
import { parseOperators } from './parse-operators.ts';

type Fields = Readonly<Record<string, unknown>>;

function made(fields: Fields, patch: unknown): unknown {
  const operators = parseOperators(patch);
  assert.ok(operators.ok, JSON.stringify(operators));
  const before = structuredClone(fields);
  const result = applyOperators(fields, operators.value);
  assert.deepEqual(fields, before);
  return result;
}

/** Code and pointer of what refuses the patch before a record is looked at. */
function refused(patch: unknown): string[] {
  const operators = parseOperators(patch);
  assert.ok(!operators.ok, `taken: ${JSON.stringify(patch)}`);
  return operators.faults.map(({ code, pointer }) => `${code} ${pointer}`);
}

const each = (count: number): unknown[] => Array<number>(count).fill(1);
const many = (count: number): Fields => Object.fromEntries(each(count).map((value, index) => [`f${index}`, value]));

describe('operators', () => {
  const changes: readonly (readonly [Fields, unknown, Fields])[] = [
    [{ n: 1 }, { $inc: { n: 2 } }, { n: 3 }],
    [{}, { $inc: { 'count.of.views': 1 } }, { count: { of: { views: 1 } } }],
    [{ a: 1, b: 1 }, { $set: { a: [{ c: 1 }] }, $unset: { b: true } }, { a: [{ c: 1 }] }],
    [{ a: [1, 2] }, { $set: { 'a.2': 3 }, $unset: { 'a.0': '' } }, { a: [null, 2, 3] }],
    [{ a: [1] }, { $set: { 'a.2': 3, 'a.1': 2 } }, { a: [1, 2, 3] }],
    [
      { a: 5, b: 5, c: 5 },
      { $min: { a: 4, b: 6, d: 1 }, $max: { c: 6 } },
      { a: 4, b: 5, c: 6, d: 1 },
    ],
    [{ a: 'text' }, { $max: { a: 5 } }, { a: 'text' }],
    [{ tags: ['a'] }, { $push: { tags: 'b' } }, { tags: ['a', 'b'] }],
    [{ tags: ['a'] }, { $push: { tags: { $each: ['b', 'c'], $position: 0, $slice: 2 } } }, { tags: ['b', 'c'] }],
    [{ tags: ['a', 'b'] }, { $push: { tags: { $each: ['c'], $slice: -2 } } }, { tags: ['b', 'c'] }],
    [{ tags: ['a'] }, { $addToSet: { tags: { $each: ['a', 'b', 'b'] } } }, { tags: ['a', 'b'] }],
    [{ a: [{ x: 1, y: 2 }] }, { $addToSet: { a: { x: 1, y: 2 } } }, { a: [{ x: 1, y: 2 }] }],
    [
      { a: [{ x: 1, y: 2 }] },
      { $addToSet: { a: { y: 2, x: 1 } } },
      {
        a: [
          { x: 1, y: 2 },
          { y: 2, x: 1 },
        ],
      },
    ],
    [{ a: [1, 2, 1, [1]] }, { $pull: { a: 1 } }, { a: [2, [1]] }],
    [{ a: [1, 5, 9, 'x'] }, { $pull: { a: { $gte: 5 } } }, { a: [1, 'x'] }],
    [{ a: [{ by: 'x', n: 1 }, { by: 'y' }, 'x'] }, { $pull: { a: { by: 'x' } } }, { a: [{ by: 'y' }, 'x'] }],
    [{ a: 1 }, { $pull: { b: 1 }, $unset: { 'a.b': true, c: true } }, { a: 1 }],
  ];
  for (const [fields, patch, expected] of changes) {
    it(`make ${JSON.stringify(expected)} of ${JSON.stringify(fields)} by ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(made(fields, patch), expected);
    });
  }

  it('may be applied again, and share nothing with what they made before', () => {
    const operators = parseOperators({ $set: { list: [] } });
    assert.ok(operators.ok);
    const first = applyOperators({}, operators.value) as { list: unknown[] };
    first.list.push(1);
    assert.deepEqual(applyOperators({}, operators.value), { list: [] });
  });

  const misfits: readonly (readonly [Fields, unknown, string])[] = [
    [{ a: 'text' }, { $inc: { a: 1 } }, 'does-not-fit /$inc/a'],
    [{ a: null }, { $inc: { a: 1 } }, 'does-not-fit /$inc/a'],
    [{ a: Number.MAX_SAFE_INTEGER }, { $inc: { a: 1 } }, 'number-out-of-range /$inc/a'],
    [{ a: -Number.MAX_SAFE_INTEGER }, { $inc: { a: -0.5 } }, 'number-out-of-range /$inc/a'],
    [{ a: {} }, { $push: { a: 1 } }, 'does-not-fit /$push/a'],
    [{ a: null }, { $addToSet: { a: 1 } }, 'does-not-fit /$addToSet/a'],
    [{ a: 1 }, { $pull: { a: 1 } }, 'does-not-fit /$pull/a'],
    [{ a: 1 }, { $set: { 'a.b': 1 } }, 'does-not-fit /$set/a.b'],
    [{ a: [1] }, { $set: { 'a.b': 1 } }, 'does-not-fit /$set/a.b'],
    [{ a: [1] }, { $set: { 'a.00': 1 } }, 'does-not-fit /$set/a.00'],
    [{ a: [1] }, { $set: { 'a.2': 1 } }, 'no-such-place /$set/a.2'],
    [{ a: [1] }, { $set: { 'a.1000000000000': 1 } }, 'does-not-fit /$set/a.1000000000000'],
    [{ a: [1], b: 1 }, { $inc: { b: 1 }, $push: { 'a.0': 1 } }, 'does-not-fit /$push/a.0'],
    [{ a: each(90_000) }, { $pull: { a: { $in: each(500) } } }, 'too-costly /$pull/a'],
  ];
  for (const [fields, patch, expected] of misfits) {
    it(`name themselves where they do not fit: ${expected} by ${JSON.stringify(patch).slice(0, 80)}`, () => {
      assert.throws(
        () => made(fields, patch),
        (error) => {
          assert.ok(error instanceof Fault);
          assert.equal(`${error.status} ${error.code}`, '409 operator-failed');
          const [located] = error.errors as readonly { code: string; pointer?: string }[];
          assert.equal(`${located?.code} ${located?.pointer}`, expected);
          return true;
        },
      );
    });
  }

  const faulty: readonly (readonly [unknown, readonly string[]])[] = [
    [{}, ['invalid-patch ']],
    [[], ['invalid-patch ']],
    [{ $rename: { a: 'b' } }, ['unknown-operator /$rename']],
    [{ $inc: { a: 1 }, title: 'x' }, ['unknown-operator /title']],
    [{ $inc: {} }, ['invalid-operand /$inc']],
    [{ $inc: 1 }, ['invalid-operand /$inc']],
    [{ $inc: { a: '1' } }, ['invalid-operand /$inc/a']],
    [{ $inc: { a: 2 ** 53 } }, ['integer-out-of-range /$inc/a']],
    [{ $unset: { a: false } }, ['invalid-operand /$unset/a']],
    [{ $set: { a: { $b: 1 } } }, ['invalid-name /$set/a/$b']],
    [
      { $set: { id: 'x', revision: 1, createdAt: 1 } },
      ['invalid-path /$set/id', 'invalid-path /$set/revision', 'invalid-path /$set/createdAt'],
    ],
    [
      { $set: { 'a..b': 1, _a: 1, 'a.$': 1, 'a.$[]': 1 } },
      ['invalid-path /$set/a..b', 'invalid-path /$set/_a', 'invalid-path /$set/a.$', 'invalid-path /$set/a.$[]'],
    ],
    [{ $set: { 'constructor.prototype': 1 } }, ['invalid-path /$set/constructor.prototype']],
    [{ $set: { a: 1 }, $inc: { a: 1 } }, ['conflicting-paths /$inc/a']],
    [{ $set: { a: 1, 'b.c': 1 }, $inc: { 'a.b.c': 1 } }, ['conflicting-paths /$inc/a.b.c']],
    [{ $set: { 'a.10': 1, 'a.9': 1, 'a.10a': 1 }, $unset: { 'a.10.b': true } }, ['conflicting-paths /$unset/a.10.b']],
    [{ $set: many(101) }, ['too-large ']],
    [{ $push: { a: { $each: 1 } } }, ['invalid-operand /$push/a/$each']],
    [{ $push: { a: { $each: each(1_001) } } }, ['invalid-operand /$push/a/$each']],
    [{ $push: { a: { $position: 1 } } }, ['invalid-operand /$push/a/$each']],
    [{ $push: { a: { $each: [], $sort: 1 } } }, ['unknown-operator /$push/a/$sort']],
    [{ $push: { a: { $each: [], $slice: 1.5 } } }, ['invalid-operand /$push/a/$slice']],
    [{ $addToSet: { a: { $each: [], $slice: 1 } } }, ['unknown-operator /$addToSet/a/$slice']],
    [{ $pull: { a: {} } }, ['invalid-operand /$pull/a']],
    [{ $pull: { a: { $where: 1 } } }, ['unknown-operator /$pull/a/$where']],
    [{ $pull: { a: { by: { $auth: 'sub' } } } }, ['unknown-operator /$pull/a/by']],
  ];
  for (const [patch, expected] of faulty) {
    it(`are refused where they are none: ${expected.join()} by ${JSON.stringify(patch).slice(0, 80)}`, () => {
      assert.deepEqual(refused(patch), expected);
    });
  }

  it('are as many as their paths are allowed to be', () => {
    assert.equal(Object.keys(made({}, { $set: many(100) }) as object).length, 100);
  });
});
