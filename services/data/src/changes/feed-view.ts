import { bindCondition, usesNow } from '../conditions/bind-condition.ts';
import type { Predicate } from '../conditions/compile-predicate.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import { createBudget } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import { answerRecord } from '../records/record.model.ts';
import type { Interest } from './interests.ts';
import { interestsOf } from './interests.ts';
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
  /** What a record has to have, before or after, for them to see its change; undefined where that cannot be said. */
  readonly interests: readonly Interest[] | undefined;
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
const viewKey = (rule: Condition<Operand>, filter: Condition<Operand>): string => JSON.stringify([rule, filter]);

/**
 * Makes a view. To conditions that ask for the time it is the time of each change, for the record as it was, too.
 *
 * @param rule - the read rule, with the callers' values
 * @param filter - what they asked for
 */
export function createFeedView(rule: Condition<Operand>, filter: Condition<Operand>): FeedView {
  let budget: Spend;
  const mayRead = compileAt(rule, (units) => budget(units));
  const isAskedFor = compileAt(filter, (units) => budget(units));
  return {
    key: viewKey(rule, filter),
    interests: interestsOf({ kind: 'and', branches: [rule, filter] }),
    tell(change, whole) {
      budget = createBudget(viewUnits, whole);
      const { id, revision, eventId, before, after, time } = change;
      const [reads, asks] = [mayRead(time), isAskedFor(time)];
      const couldRead = before !== undefined && reads(before);
      const saw = couldRead && asks(before);
      const sees = after !== undefined && reads(after) && asks(after);
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

/** Compiles a condition once, or anew for each time where it asks for it. */
function compileAt(condition: Condition<Operand>, spend: Spend): (at: Date) => Predicate {
  if (usesNow(condition)) return (at) => compilePredicate(bindCondition(condition, { at }), spend);
  const always = compilePredicate(bindCondition(condition, {}), spend);
  return () => always;
}
