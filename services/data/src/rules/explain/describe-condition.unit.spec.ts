import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseCondition } from '../../conditions/parse-condition.ts';
import { describeCondition } from './describe-condition.ts';

const wordsFor = (json: unknown): string => {
  const parsed = parseCondition(json, { auth: true, now: true, before: true });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return describeCondition(parsed.value);
};

const cases: readonly (readonly [condition: unknown, words: string])[] = [
  [{}, 'anything'],
  [{ status: 'published' }, '`status` is "published"'],
  [{ status: { $ne: 'draft' } }, '`status` is not "draft"'],
  [{ author: { $auth: 'sub' } }, '`author` is the caller'],
  [{ author: { $ne: { $auth: 'sub' } } }, '`author` is not the caller'],
  [{ team: { $auth: 'org' } }, "`team` is the caller's organisation"],
  [{ team: { $in: { $auth: 'roles' } } }, "`team` is one of the caller's roles"],
  [{ team: { $nin: [{ $auth: 'org' }, 'all'] } }, '`team` is none of the caller\'s organisation, "all"'],
  [{ n: { $in: [1, 2, 3, 4, 5, 6, 7] } }, '`n` is one of 1, 2, 3, 4, 5 and 2 more'],
  [{ n: { $in: [] } }, '`n` is one of nothing'],
  [{ owner: null }, '`owner` is null or missing'],
  [{ owner: { $exists: true } }, '`owner` is there'],
  [{ owner: { $exists: false } }, '`owner` is missing'],
  [{ n: { $gte: 1, $lt: 5 } }, '`n` is at least 1 and `n` is less than 5'],
  [{ n: { $not: { $gt: 5 } } }, '`n` is not more than 5'],
  [{ n: { $not: { $gt: 5, $lt: 9 } } }, 'not (`n` is more than 5 and `n` is less than 9)'],
  [{ createdAt: { $gt: { $now: '-24h' } } }, '`createdAt` is later than 1 day ago'],
  [{ createdAt: { $lte: { $now: true } } }, '`createdAt` is at or earlier than now'],
  [{ due: { $lt: { $now: '90m' } } }, '`due` is earlier than 90 minutes from now'],
  [{ createdAt: { $gt: '2026-01-01T00:00:00Z' } }, '`createdAt` is later than 2026-01-01T00:00:00.000Z'],
  [{ owner: { $before: 'owner' } }, '`owner` is what it was'],
  [{ previous: { $ne: { $before: 'owner' } } }, '`previous` is not what `owner` was'],
  [{ tags: { $all: ['a', 'b'] } }, '`tags` has each of "a", "b"'],
  [{ tags: { $size: 1 } }, '`tags` has 1 element'],
  [{ title: { $regex: '^a', $options: 'i' } }, '`title` matches /^a/i'],
  [{ title: { $not: { $regex: 'x' } } }, '`title` does not match /x/'],
  [{ n: { $elemMatch: { $gt: 1, $ne: 3 } } }, '`n` has an element that is more than 1 and is not 3'],
  [{ n: { $not: { $elemMatch: { $gt: 1 } } } }, '`n` has no element that is more than 1'],
  [{ items: { $elemMatch: { a: 1, b: 2 } } }, '`items` has an element in which (`a` is 1 and `b` is 2)'],
  [{ a: 1, $or: [{ b: 2 }, { c: 3, d: 4 }] }, '`a` is 1 and (`b` is 2 or (`c` is 3 and `d` is 4))'],
  [{ $or: [{ $and: [{ $or: [{ a: 1 }, { b: 2 }] }] }, { c: 3 }] }, '(`a` is 1 or `b` is 2) or `c` is 3'],
  [{ $nor: [{ a: 1 }, { b: 2 }] }, 'none of this: `a` is 1; `b` is 2'],
  [{ a: { b: ['x'.repeat(80)] } }, `\`a\` is {"b":["${'x'.repeat(53)}…`],
];

describe('the words for a condition', () => {
  for (const [condition, words] of cases) {
    it(`${JSON.stringify(condition).slice(0, 80)} are: ${words.slice(0, 80)}`, () =>
      assert.equal(wordsFor(condition), words));
  }

  it('are cut where there are too many', () => {
    const words = wordsFor({ $or: Array.from({ length: 50 }, (_, n) => ({ a: `${n}${'x'.repeat(40)}` })) });
    assert.equal(words.length, 1_001);
    assert.ok(words.endsWith('…'));
  });
});
