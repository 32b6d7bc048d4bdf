import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { TooCostly } from '../conditions/evaluation-budget.ts';
import { createFairBudget } from './fair-budget.ts';

interface View {
  readonly name: string;
}

describe('the budget that views share', () => {
  let now = 0;
  const names = 'abcdefghij'.split('').map((name): View => ({ name }));
  const create = () => createFairBudget<View>({ evenUnits: 1_000, spareUnits: 1_000, clock: () => now });
  /** Asks all about a change, each of which needs so much; gives those who did not get it. */
  const ask = (budget: ReturnType<typeof create>, needs: (view: View) => number, views = names): string[] => {
    const { inTurn, spendOf } = budget.begin(views, 1);
    return inTurn.flatMap((view) => {
      try {
        spendOf(view)(needs(view));
        return [];
      } catch (error) {
        assert.ok(error instanceof TooCostly);
        return [view.name];
      }
    });
  };

  it('gives everyone an even part, whatever the others take', () => {
    assert.deepEqual(
      ask(create(), ({ name }) => (name === 'j' ? 100 : 5_000)),
      names.slice(0, -1).map(({ name }) => name),
    );
  });

  it('gives one who needs more what is to spare, and no more than that', () => {
    const budget = create();
    assert.deepEqual(
      ask(budget, ({ name }) => (name === 'a' ? 1_100 : 50)),
      [],
    );
    assert.deepEqual(
      ask(budget, ({ name }) => (name === 'a' ? 1_101 : 50)),
      ['a'],
    );
    // What nobody could get does not make it less for others.
    assert.deepEqual(
      ask(create(), ({ name }) => (name === 'a' ? 5_000 : 200)),
      ['a'],
    );
  });

  it('serves those first who took least of late', () => {
    const budget = create();
    const views = names.slice(0, 3);
    const needs = ({ name }: View): number => ({ a: 1_200, b: 900, c: 300 })[name] ?? 0;
    // Nobody knows yet that the first takes most.
    assert.deepEqual(ask(budget, needs, views), ['b']);
    assert.deepEqual(ask(budget, needs, views), ['a']);
    assert.deepEqual(ask(budget, needs, views), ['a']);
    now += 1_001;
    assert.deepEqual(ask(budget, needs, views), ['b']);
  });

  it('is as many times as large as there are changes', () => {
    const [view = { name: '' }] = names;
    const spend = create().begin([view], 3).spendOf(view);
    spend(6_000);
    assert.throws(() => spend(1), TooCostly);
  });

  it('counts all that one spends over a change', () => {
    const { spendOf } = create().begin(names.slice(0, 1), 1);
    const [view = { name: '' }] = names;
    const spend = spendOf(view);
    spend(900);
    spend(900);
    spend(200);
    assert.throws(() => spend(1), TooCostly);
  });
});
