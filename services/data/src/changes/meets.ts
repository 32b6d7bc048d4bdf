import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Value } from '../conditions/condition.ts';
import { createBudget } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import { decisionUnits } from '../rules/rule.ts';
import { hashOf } from './hash-of.ts';
import { createWeakPool } from './weak-pool.ts';

/**
 * Whether a record meets a condition, asked once of each state of it however many want to know.
 *
 * @param whole - what there is for all who ask, beside what the condition has for each record
 * @throws TooCostly where patterns take more
 */
export type Meets = (document: object, whole?: Spend) => boolean;

/** The conditions of a process that followed records have to meet. */
export interface MeetsPool {
  of(condition: Condition<Value>): Meets;
}

/** Makes it, with none. */
export function createMeetsPool(): MeetsPool {
  const pool = createWeakPool<Meets>();
  return {
    of: (condition) => pool.take(hashOf(JSON.stringify(condition)), () => remembering(condition)),
  };
}

function remembering(condition: Condition<Value>): Meets {
  const known = new WeakMap<object, boolean>();
  let budget: Spend;
  const isMet = compilePredicate(condition, (units) => budget(units));
  return (document, whole) => {
    const before = known.get(document);
    if (before !== undefined) return before;
    budget = createBudget(decisionUnits, whole);
    const now = isMet(document);
    known.set(document, now);
    return now;
  };
}
