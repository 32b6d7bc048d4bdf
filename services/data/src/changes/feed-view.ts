import { bindCondition, usesNow } from '../conditions/bind-condition.ts';
import type { Predicate } from '../conditions/compile-predicate.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import { createBudget } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import type { RecordAnswer, VisibleRecord } from '../records/record.model.ts';
import { answerRecord } from '../records/record.model.ts';
import { hashOf } from './hash-of.ts';
import type { Interest } from './interests.ts';
import { interestsOf } from './interests.ts';
import type { Guard } from '../rules/guard-condition.ts';
import type { Vision } from '../rules/see.ts';
import { compileHidden, guardsAt, showWithout, visionKey } from '../rules/see.ts';
import type { ToldChange } from './record-change.ts';

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
  tell(change: ToldChange, spend?: Spend): FeedMessage | undefined;
}

/** A view that says what it would tell, too. */
export interface AskedView extends FeedView {
  /** Which event {@link FeedView.tell} would tell of a change. @throws TooCostly */
  eventOf(change: ToldChange): FeedMessage['event'] | undefined;
}

/** What the patterns of one view may take over one change, before and after: about 20 ms. */
const viewUnits = 2_000_000;

/**
 * Makes a view. To conditions that ask for the time it is the time of each change, for the record as it was, too.
 *
 * @param vision - the read rules and what they asked for, with the callers' values
 */
export function createFeedView(vision: Vision): AskedView {
  let budget: Spend;
  const spend: Spend = (units) => budget(units);
  const mayRead = compileAt(vision.rule, spend);
  const isAskedFor = compileAt(vision.filter, spend);
  const hiddenIn = compileHiddenAt(vision.guards, spend);
  const look = ({ before, after, time }: ToldChange) => {
    const [reads, asks] = [mayRead(time), isAskedFor(time)];
    const couldRead = before !== undefined && reads(before);
    const saw = couldRead && asks(before);
    const sees = after !== undefined && reads(after) && asks(after);
    return { couldRead, event: eventBy({ saw, sees, isNew: before === undefined, isGone: after === undefined }) };
  };
  return {
    // The whole of it would be most of what a view holds.
    key: hashOf(visionKey(vision)),
    interests: interestsOf({ kind: 'and', branches: [vision.rule, vision.filter] }),
    tell(change, whole) {
      budget = createBudget(viewUnits, whole);
      const { id, revision, eventId, before, after, time } = change;
      const { couldRead, event } = look(change);
      if (event === undefined) return undefined;
      const hides = hiddenIn(time);
      const shown = (record: VisibleRecord): RecordAnswer =>
        answerRecord(showWithout(vision.seen, record, hides(record)));
      // `previous` only for who could read it, whether or not the filter asked for it.
      const about = { revision, eventId, ...(couldRead && before !== undefined ? { previous: shown(before) } : {}) };
      const isShown = after !== undefined && event !== 'left';
      return { event, data: JSON.stringify(isShown ? { record: shown(after), ...about } : { id, ...about }) };
    },
    eventOf(change) {
      budget = createBudget(viewUnits);
      return look(change).event;
    },
  };
}

/** What somebody is told who saw a record before, or sees it after a change. */
function eventBy({
  saw,
  sees,
  isNew,
  isGone,
}: Readonly<Record<'saw' | 'sees' | 'isNew' | 'isGone', boolean>>): FeedMessage['event'] | undefined {
  if (sees) return saw ? 'updated' : isNew ? 'created' : 'entered';
  if (!saw) return undefined;
  return isGone ? 'deleted' : 'left';
}

/** Compiles a condition once, or anew for each time where it asks for it. */
function compileAt(condition: Condition<Operand>, spend: Spend): (at: Date) => Predicate {
  if (usesNow(condition)) return (at) => compilePredicate(bindCondition(condition, { at }), spend);
  const always = compilePredicate(bindCondition(condition, {}), spend);
  return () => always;
}

/** The same for what is hidden. */
function compileHiddenAt(
  guards: readonly Guard<Operand>[],
  spend: Spend,
): (at: Date) => ReturnType<typeof compileHidden> {
  if (guards.some(({ condition }) => usesNow(condition))) return (at) => compileHidden(guardsAt(guards, at), spend);
  // No place is left for a time.
  const always = compileHidden(guardsAt(guards, new Date(0)), spend);
  return () => always;
}
