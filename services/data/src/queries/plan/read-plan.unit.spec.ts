import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import type { Document } from 'mongodb';

import { isScan, isWalk, lacksIndex } from './judge-plan.ts';
import { readPlans } from './read-plan.ts';

const { explained } = JSON.parse(readFileSync(new URL('testing/explained.json', import.meta.url), 'utf8')) as {
  explained: Readonly<Record<string, Document>>;
};

const plansOf = (name: string) => readPlans(explained[name] ?? assert.fail(name));

describe('a plan of MongoDB’s', () => {
  for (const [name, indexes, verdict] of [
    ['one value, in order', ['by_status'], 'walks'],
    ['everything by id', ['_id_'], 'walks'],
    ['a field without index', ['_id_'], 'walks, scans, lacks'],
    ['a field without index along an index', ['by_status'], 'walks, scans, lacks'],
    ['an order without index', ['by_status'], 'sorts'],
    ['an order alone', [undefined], 'sorts, scans, lacks'],
    // It may look through all of them where that is less work: an index would serve it.
    ['alternatives with an index each', ['_id_'], 'walks, scans'],
    ['alternatives, one without index', ['_id_'], 'walks, scans, lacks'],
    ['alternatives and a field without index', ['by_status', 'by_author'], 'sorts'],
    ['values merged in order', ['by_author', 'by_author'], 'walks'],
    ['one id', ['_id_'], 'walks'],
    ['nothing', ['_id_'], 'walks'],
    ['another value', ['_id_'], 'walks, scans'],
    ['a pattern', ['_id_'], 'walks, scans'],
    ['a text', ['by_body', 'by_body'], 'walks'],
    ['what is near', ['by_at'], 'walks'],
    ['what is within', ['by_at'], 'sorts'],
    ['groups of one value', ['by_status'], 'walks'],
    ['groups of all', [undefined], 'scans, lacks'],
    ['a lookup', ['by_status'], 'walks'],
    ['a field without index, sharded', ['_id_', '_id_'], 'walks, scans, lacks'],
  ] as const) {
    it(`is read and judged: ${name}`, () => {
      const plans = plansOf(name);
      assert.deepEqual(
        plans.winning.accesses.map(({ index }) => index),
        indexes,
      );
      const found = [
        isWalk(plans.winning) ? 'walks' : '',
        plans.winning.sortsInMemory ? 'sorts' : '',
        isScan(plans.winning) ? 'scans' : '',
        lacksIndex(plans) ? 'lacks' : '',
      ];
      assert.equal(found.filter((each) => each !== '').join(', '), verdict);
    });
  }

  it('names its stages, what gives the result first', () => {
    assert.deepEqual(plansOf('an order without index').winning.stages, [
      'PROJECTION_SIMPLE',
      'SORT',
      'FETCH',
      'IXSCAN',
    ]);
    assert.deepEqual(plansOf('groups of one value').winning.stages, ['GROUP', 'PROJECTION_DEFAULT', 'FETCH', 'IXSCAN']);
  });

  for (const [bounds, isWide] of [
    [['[MinKey, MaxKey]'], true],
    [['[MaxKey, MinKey]'], true],
    [['[MinKey, "x")', '("x", MaxKey]'], true],
    [['(MaxKey, "x")', '("x", MinKey]'], true],
    [['[MinKey, undefined)', '(null, MaxKey]'], true],
    [['["", {})'], true],
    [['["", {})', '[/x/, /x/]'], true],
    [['[-inf.0, inf.0]'], true],
    [['[inf.0, -inf.0]'], true],
    [['["x", "x"]'], false],
    [['["x", {})'], false],
    [['[5, inf.0]'], false],
    [['[MinKey, 5)'], false],
    [['["[MinKey, ", ", MaxKey]"]'], false],
    [['[null, null]'], false],
    [[], false],
  ] as const) {
    it(`goes along ${isWide ? 'all' : 'a part'} of an index between ${JSON.stringify(bounds)}`, () => {
      const scan = {
        stage: 'IXSCAN',
        indexName: 'by_a',
        indexBounds: { 'fields.a': bounds, _id: ['[MinKey, MaxKey]'] },
      };
      const winningPlan = { stage: 'FETCH', filter: {}, inputStage: scan };
      const plans = readPlans({ queryPlanner: { winningPlan } });
      assert.equal(lacksIndex(plans), isWide);
    });
  }

  it('goes along no more than what is asked for in a partial index', () => {
    const indexBounds = { 'fields.a': ['[MinKey, MaxKey]'] };
    const inputStage = { stage: 'IXSCAN', indexName: 'by_a', isPartial: true, indexBounds };
    const winningPlan = { stage: 'FETCH', filter: {}, inputStage };
    assert.equal(lacksIndex(readPlans({ queryPlanner: { winningPlan } })), false);
  });

  it('that is none is an error, not a judgement', () => {
    assert.throws(() => readPlans({ stages: [{ $match: {} }] }), TypeError);
  });
});
