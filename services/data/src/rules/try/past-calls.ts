import { isDeepStrictEqual } from 'node:util';

import { recordCreated, recordDeleted, recordUpdated } from '@causeway/contracts';

import type { DeclaredField } from '../../fields/declared-field.ts';
import { redact } from '../../fields/redact.ts';
import { valueAt } from '../../fields/value-at.ts';
import type { Fields, VisibleRecord } from '../../records/record.model.ts';
import { idsAt } from '../../references/referenced-ids.ts';
import { anonymous } from '../caller.ts';
import type { Action, Caller } from '../rule.ts';
import type { PastEvent } from './read-log.ts';

/** A call that was made. */
export interface PastCall {
  readonly action: Exclude<Action, 'read'>;
  readonly eventId: string;
  /** Whose it was. */
  readonly who: string;
  readonly caller: Caller;
  /** Whether nothing is known of them but who they are. */
  readonly isStranger: boolean;
  readonly at: Date;
  /** As it was; of a creation as it was made. */
  readonly record: VisibleRecord;
  /** As an update has made it. */
  readonly changed: VisibleRecord | undefined;
}

/**
 * Why nothing is said of a call: it followed from something else; its event names nobody; what decides is not in the event: of
 * the caller (`roles`, `org` and the like), or whether they wrote what is encrypted; a rule takes too long over it.
 */
export type Unjudged = 'consequence' | 'unattributed' | 'unknown-caller' | 'encrypted-field' | 'too-costly';

const actionOf = new Map<string, PastCall['action']>([
  [recordCreated.type, 'create'],
  [recordUpdated.type, 'update'],
  [recordDeleted.type, 'delete'],
]);

/**
 * Makes of an event the call that has recorded it.
 *
 * @param known - people of whom somebody has said more than events tell, by their ids
 * @param declared - fields of the collection
 */
export function pastCallOf(
  { event, change }: PastEvent,
  known: ReadonlyMap<string, Caller>,
  declared: readonly DeclaredField[],
): PastCall | Unjudged {
  const { before, after, time: at, eventId } = change;
  const action = actionOf.get(event.type);
  const record = before ?? after;
  if (action === undefined || record === undefined) return 'unattributed';
  if (typeof (event.data as { reason?: unknown }).reason === 'string') return 'consequence';
  if (action === 'update' && isLoosening(declared, before?.fields, after?.fields)) return 'consequence';
  const { authid: sub } = event;
  // The service itself changes and deletes, but creates nothing; people who were erased are named no more.
  const isAnonymous = action === 'create' && event.authtype === 'system';
  if (sub === undefined && !isAnonymous) return 'unattributed';
  const caller = sub === undefined ? anonymous : (known.get(sub) ?? strangerOf(sub));
  const isStranger = sub !== undefined && !known.has(sub);
  const changed = action === 'update' ? after : undefined;
  return { action, eventId, at, caller, isStranger, record, who: sub ?? 'anonymous', changed };
}

/** Somebody of whom an event tells who they are, and nothing else: what rules ask besides is not known, which is not the same as not there. */
const strangerOf = (sub: string): Caller => ({ signedIn: true, administrator: false, auth: { sub } });

/** Whether a change is one that the deletion of another record makes: references to it are taken out, and nothing else. */
function isLoosening(
  declared: readonly DeclaredField[],
  before: Fields | undefined,
  after: Fields | undefined,
): boolean {
  if (before === undefined || after === undefined) return false;
  const loose = declared.filter(({ reference }) => reference?.onDelete === 'null').map(({ segments }) => segments);
  const changed = loose.filter((path) => !isDeepStrictEqual(valueAt(before, path), valueAt(after, path)));
  if (changed.length === 0 || !isDeepStrictEqual(redact(before, changed), redact(after, changed))) return false;
  return changed.every((path) => {
    const had = new Set(idsAt(before, path).map(({ id }) => id));
    const left = idsAt(after, path);
    const isEmptied = Array.isArray(valueAt(after, path)) || valueAt(after, path) === null;
    return isEmptied && left.length < had.size && left.every(({ id }) => had.has(id));
  });
}
