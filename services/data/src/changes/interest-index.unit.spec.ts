import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';

import { bindCondition } from '../conditions/bind-condition.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import { generateDocument, generateFilter } from '../conditions/testing/generate.ts';
import { seededRandom } from '../conditions/testing/random.ts';
import { createInterestIndex } from './interest-index.ts';
import { interestsOf } from './interests.ts';

const { CAUSEWAY_TEST_SEED } = process.env;

describe('the index of what views care for', () => {
  const parse = (json: unknown): Condition<Operand> | undefined => {
    const parsed = parseCondition(json, { now: true });
    return parsed.ok ? parsed.value : undefined;
  };
  const valuesOf = (json: unknown) => interestsOf(parse(json) ?? assert.fail())?.map(({ value }) => value);

  it('knows what a record has to have', () => {
    assert.deepEqual(valuesOf({ a: 'x' }), ['x']);
    assert.deepEqual(valuesOf({ a: { $in: ['x', 1, true] } }), ['x', 1, true]);
    assert.deepEqual(valuesOf({ $and: [{ a: { $in: ['x', 'y'] } }, { b: 'z' }, { c: { $gt: 1 } }] }), ['z']);
    assert.deepEqual(valuesOf({ $or: [{ a: 'x' }, { b: 'y' }] }), ['x', 'y']);
    assert.deepEqual(valuesOf({ a: { $in: [] } }), []);
  });

  it('leaves alone what may be met otherwise', () => {
    const others = [{}, { a: null }, { a: { $in: ['x', null] } }, { $or: [{ a: 'x' }, { b: { $gt: 1 } }] }];
    const more = [{ a: { $ne: 'x' } }, { $nor: [{ a: 'x' }] }, { a: { $eq: { $now: true } } }, { a: { $eq: [1] } }];
    for (const json of [...others, ...more]) assert.equal(valuesOf(json), undefined, JSON.stringify(json));
    assert.equal(valuesOf({ a: { $in: Array.from({ length: 101 }, (_, n) => n) } }), undefined);
  });

  it('finds all whom asking each would find, in generated documents', () => {
    const seed = CAUSEWAY_TEST_SEED === undefined ? randomInt(2 ** 31) : Number(CAUSEWAY_TEST_SEED);
    const random = seededRandom(seed);
    let indexed = 0;
    let met = 0;
    for (let round = 0; round < 20; round += 1) {
      const documents = Array.from({ length: 100 }, (_, n) => generateDocument(random, `rec_${n}`));
      const index = createInterestIndex<object>();
      const members = Array.from({ length: 200 }, () => generateFilter(random)).flatMap((filter) => {
        const condition = parse(filter);
        if (condition === undefined) return [];
        const interests = interestsOf(condition);
        const at = new Date('2026-01-02T00:00:00.000Z');
        const predicate = compilePredicate(bindCondition(condition, { at }), () => undefined);
        const member = { filter, interests, predicate };
        index.add(member, interests);
        return [member];
      });
      indexed += members.filter(({ interests }) => interests !== undefined).length;
      for (const document of documents) {
        const found = new Set(index.find([document]));
        for (const member of members.filter(({ predicate }) => predicate(document))) {
          if (member.interests !== undefined) met += 1;
          assert.ok(found.has(member), `seed ${seed}: ${JSON.stringify([member.filter, document])}`);
        }
      }
      const two = documents.slice(0, 2);
      assert.deepEqual(new Set(index.find(two)), new Set(two.flatMap((each) => [...index.find([each])])));
    }
    assert.ok(indexed > 100 && met > 100, `${indexed} of the filters were indexed, and met ${met} times`);
  });

  it('forgets who has gone', () => {
    const index = createInterestIndex<string>();
    const interests = interestsOf(parse({ a: 'x' }) ?? assert.fail());
    index.add('one', interests);
    index.add('two', interests);
    index.add('all', undefined);
    const document = { fields: { a: ['y', 'x'] } };
    assert.deepEqual([...index.find([document])].sort(), ['all', 'one', 'two']);
    assert.deepEqual([...index.find([{ fields: { a: 'y' } }])], ['all']);
    index.remove('one', interests);
    index.remove('all', undefined);
    assert.deepEqual([...index.find([document])], ['two']);
    index.remove('two', interests);
    assert.deepEqual([...index.find([document])], []);
  });
});
