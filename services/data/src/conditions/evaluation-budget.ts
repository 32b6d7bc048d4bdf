import type { Spend } from './pattern/automaton.ts';

/** Thrown in the middle of an evaluation that takes more than it may. */
export class TooCostly extends Error {
  override readonly name = 'TooCostly';
}

/**
 * Makes the budget of an evaluation in memory, where nothing else ends it.
 *
 * @param units - see {@link Spend}
 * @param whole - a budget that this one is part of
 * @returns throws {@link TooCostly} once more has been spent, of the one or the other
 */
export function createBudget(units: number, whole?: Spend): Spend {
  let left = units;
  return (spent) => {
    left -= spent;
    if (left < 0) throw new TooCostly(`an evaluation took more than ${units} units`);
    whole?.(spent);
  };
}
