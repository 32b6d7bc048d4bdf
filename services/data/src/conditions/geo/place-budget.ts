import { createBudget } from '../evaluation-budget.ts';
import type { Spend } from '../pattern/automaton.ts';

/** Bounds of all areas of one condition together. */
export const placeLimits = {
  positions: 2_000,
  /** To lay them out: about 50 ms. See {@link Spend}. */
  units: 5_000_000,
} as const;

/** What the areas of one condition have used so far. */
export class PlaceBudget {
  readonly spend: Spend = createBudget(placeLimits.units);
  #positions = 0;

  /** @returns whether there is room for so many more positions */
  count(positions: number): boolean {
    this.#positions += positions;
    return this.#positions <= placeLimits.positions;
  }
}
