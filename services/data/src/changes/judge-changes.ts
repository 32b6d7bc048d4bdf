import { TooCostly } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import type { FeedMessage, FeedView } from './feed-view.ts';
import type { RecordChange } from './record-change.ts';

/** What is told of a change: it itself, or that it cannot be told. */
export type Told = FeedMessage | { readonly event: 'gap'; readonly data: string };

/**
 * What a view's feeds are told of the changes of one commit. Where one of them cannot be judged that is a gap, of this view alone and in place
 * of them all, and its feeds go on after it.
 *
 * @param budget - of the view's among all views; it has one of its own besides
 * @returns nothing where they see none of them
 */
export type JudgeChanges = (view: FeedView, changes: readonly RecordChange[], budget?: Spend) => readonly Told[];

const tooCostly: Told = { event: 'gap', data: JSON.stringify({ reason: 'too-costly' }) };

/** Makes it. */
export function createJudgeChanges(logger: {
  error(fields: Record<string, unknown>, message: string): void;
}): JudgeChanges {
  const judge = (view: FeedView, change: RecordChange, budget?: Spend): Told | undefined => {
    try {
      return view.tell(change, budget);
    } catch (error) {
      if (!(error instanceof TooCostly)) {
        const { collectionId, id, revision } = change;
        logger.error({ error, collectionId, id, revision }, 'a change could not be judged for some feeds');
      }
      return tooCostly;
    }
  };
  return (view, changes, budget) => {
    const told: Told[] = [];
    for (const change of changes) {
      const message = judge(view, change, budget);
      if (message === tooCostly) return [tooCostly];
      if (message !== undefined) told.push(message);
    }
    return told;
  };
}
