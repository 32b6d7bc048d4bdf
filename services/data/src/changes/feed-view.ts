import type { Predicate } from '../conditions/compile-predicate.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Value } from '../conditions/condition.ts';
import type { RecordAnswer, VisibleRecord } from '../records/record.model.ts';
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
  /** @returns undefined for a change that they do not see */
  tell(change: RecordChange): FeedMessage | undefined;
}

/** The key of the view through two conditions. */
export const viewKey = (rule: Condition<Value>, filter: Condition<Value>): string => JSON.stringify([rule, filter]);

/**
 * Makes a view.
 *
 * @param rule - the read rule, bound to the callers' values
 * @param filter - what they asked for
 */
export function createFeedView(rule: Condition<Value>, filter: Condition<Value>): FeedView {
  const mayRead = compilePredicate(rule);
  const isAskedFor = compilePredicate(filter);
  const sees = (record: VisibleRecord): boolean => mayRead(record) && isAskedFor(record);
  return {
    key: viewKey(rule, filter),
    tell(change) {
      const { before, after } = change;
      const saw = before !== undefined && sees(before);
      if (after !== undefined && sees(after)) {
        const event = saw ? 'updated' : before === undefined ? 'created' : 'entered';
        return { event, data: JSON.stringify({ record: answerRecord(after), ...aboutChange(change, mayRead) }) };
      }
      if (!saw) return undefined;
      const event = after === undefined ? 'deleted' : 'left';
      return { event, data: JSON.stringify({ id: change.id, ...aboutChange(change, mayRead) }) };
    },
  };
}

/** `previous` only for who could read it, whether or not the filter asked for it. */
function aboutChange(
  { revision, eventId, before }: RecordChange,
  mayRead: Predicate,
): { revision: number; eventId: string; previous?: RecordAnswer } {
  const isReadable = before !== undefined && mayRead(before);
  return { revision, eventId, ...(isReadable ? { previous: answerRecord(before) } : {}) };
}
