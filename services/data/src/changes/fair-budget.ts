import { TooCostly } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';

/** What the patterns of all views may take over the changes that a process tells, shared so that none can use up what others need. */
export interface FairBudget<View extends object> {
  /**
   * Begins with the changes of one commit.
   *
   * @param views - all that are asked about them
   * @param changes - how many there are
   * @returns in which order to ask them, and what each may spend
   */
  begin(
    views: Iterable<View>,
    changes: number,
  ): { readonly inTurn: readonly View[]; readonly spendOf: (view: View) => Spend };
}

/** How much there is for each change. */
export interface FairBudgetOptions {
  /** Of this everyone has an even part, which nobody else can use up. */
  readonly evenUnits: number;
  /** Of this takes who needs more, those last who took most of late. */
  readonly spareUnits: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** A commit of more changes has no more than one of so many: nothing else is served meanwhile. */
const mostCounted = 8;

/** For so long it counts what somebody took beyond an even part. */
const rememberedMs = 1_000;

/** Makes it. */
export function createFairBudget<View extends object>(options: FairBudgetOptions): FairBudget<View> {
  const { evenUnits, spareUnits, clock } = options;
  /** What was taken beyond an even part, and when that began: few ever do. */
  const taken = new Map<View, { readonly since: number; units: number }>();

  const forget = (): void => {
    const oldest = clock() - rememberedMs;
    for (const [view, { since }] of taken) if (since < oldest) taken.delete(view);
  };

  const note = (view: View, units: number): void => {
    const known = taken.get(view) ?? { since: clock(), units: 0 };
    known.units += units;
    taken.set(view, known);
  };

  const order = (views: Iterable<View>): View[] => {
    const all = [...views];
    if (taken.size > 0) forget();
    if (taken.size === 0) return all;
    const took = (view: View): number => taken.get(view)?.units ?? 0;
    const modest = all.filter((view) => !taken.has(view));
    return [...modest, ...all.filter((view) => taken.has(view)).sort((a, b) => took(a) - took(b))];
  };

  return {
    begin(views, changes) {
      const inTurn = order(views);
      const counted = Math.min(changes, mostCounted);
      const even = (counted * evenUnits) / Math.max(1, inTurn.length);
      let spare = counted * spareUnits;
      const spendOf = (view: View): Spend => {
        let own = even;
        return (units) => {
          own -= units;
          if (own >= 0) return;
          const beyond = -own;
          own = 0;
          note(view, beyond);
          if (beyond > spare) throw new TooCostly('evaluations took more than there is for all');
          spare -= beyond;
        };
      };
      return { inTurn, spendOf };
    },
  };
}
