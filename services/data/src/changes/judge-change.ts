import { TooCostly } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import type { FeedMessage, FeedView } from './feed-view.ts';
import type { RecordChange } from './record-change.ts';

/** What is told of a change: it itself, or that it cannot be told. */
export type Told = FeedMessage | { readonly event: 'gap'; readonly data: string };

const tooCostly: Told = { event: 'gap', data: JSON.stringify({ reason: 'too-costly' }) };

/**
 * What a view's feeds are told of a change. Where patterns take too long over it that is a gap, and the feeds go on after it.
 *
 * @param budget - of all views together; the view has one of its own besides
 * @returns undefined where they do not see it
 */
export function judgeChange(view: FeedView, change: RecordChange, budget?: Spend): Told | undefined {
  try {
    return view.tell(change, budget);
  } catch (error) {
    if (error instanceof TooCostly) return tooCostly;
    throw error;
  }
}
