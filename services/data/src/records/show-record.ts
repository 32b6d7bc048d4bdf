import { createHash } from 'node:crypto';

import { etag } from '@causeway/service';

import type { Caller, RuleContext } from '../rules/rule.ts';
import type { Seen, Sight } from '../rules/see.ts';
import { createSight } from '../rules/see.ts';
import type { RecordAnswer, VisibleRecord } from './record.model.ts';
import { answerRecord } from './record.model.ts';

/** A record as somebody sees it. */
export interface ShownRecord {
  readonly record: RecordAnswer;
  /** Its entity tag (RFC 9110 §8.8.3). */
  readonly tag: string;
}

/**
 * Shows a record.
 *
 * @param context - for the rules of its fields
 * @throws Fault `rule-too-costly`
 */
export function showRecord(
  collection: Pick<Seen, 'fields' | 'cipher'>,
  caller: Caller,
  record: VisibleRecord,
  context: RuleContext,
): ShownRecord {
  const sight = createSight(collection, caller, context);
  const shown = answerRecord(sight.show(record));
  return { record: shown, tag: tagOf(sight, shown.revision, () => JSON.stringify(shown)) };
}

/**
 * The entity tag of a record: its revision, strong, for who sees all of it. For others it is weak, and says what they were shown
 * besides: that changes with their rights as well, at the same revision. Whether something was hidden it does not say.
 *
 * @param json - the record as it is answered
 */
export const tagOf = ({ isWhole }: Pick<Sight, 'isWhole'>, revision: number, json: () => string): string =>
  isWhole ? etag(revision) : `W/"${revision}-${createHash('sha256').update(json()).digest('base64url').slice(0, 16)}"`;
