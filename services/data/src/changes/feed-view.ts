import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Value } from '../conditions/condition.ts';
import { createBudget } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import { answerRecord } from '../records/record.model.ts';
import type { RecordChange } from './record-change.ts';

/** What a subscriber is told of a change. */
export interface FeedMessage {
  readonly event: 'created' | 'updated' | 'deleted' | 'entered' | 'left';
  /** JSON. */
  readonly data: string;
}

/** What subscribers with the same filter, rule and bound values see: judged once for all of them. */
export interface FeedView {
  /** The same for the same conditions. */
  readonly key: string;
  /**
   * @param spend - the budget of the change, over all views
   * @returns undefined for a change that they do not see
   * @throws TooCostly where patterns take too long to tell
   */
  tell(change: RecordChange, spend?: Spend): FeedMessage | undefined;
}

/** What the patterns of one view may take over one change, before and after: about 20 ms. */
const viewUnits = 2_000_000;

/** The key of the view through two conditions. */
export const viewKey = (rule: Condition<Value>, filter: Condition<Value>): string => JSON.stringify([rule, filter]);

/**
 * Makes a view.
 *
 * @param rule - the read rule, bound to the callers' values
 * @param filter - what they asked for
 */
export function createFeedView(rule: Condition<Value>, filter: Condition<Value>): FeedView {
  let budget: Spend;
  const spend: Spend = (units) => budget(units);
  const mayRead = compilePredicate(rule, spend);
  const isAskedFor = compilePredicate(filter, spend);
  return {
    key: viewKey(rule, filter),
    tell(change, whole) {
      budget = createBudget(viewUnits, whole);
      const { id, revision, eventId, before, after } = change;
      const couldRead = before !== undefined && mayRead(before);
      const saw = couldRead && isAskedFor(before);
      const sees = after !== undefined && mayRead(after) && isAskedFor(after);
      // `previous` only for who could read it, whether or not the filter asked for it.
      const about = { revision, eventId, ...(couldRead ? { previous: answerRecord(before) } : {}) };
      if (sees) {
        const event = saw ? 'updated' : before === undefined ? 'created' : 'entered';
        return { event, data: JSON.stringify({ record: answerRecord(after), ...about }) };
      }
      if (!saw) return undefined;
      return { event: after === undefined ? 'deleted' : 'left', data: JSON.stringify({ id, ...about }) };
    },
  };
}
