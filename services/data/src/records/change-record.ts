import { isDeepStrictEqual } from 'node:util';

import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Decision, Events, IfMatch, UpdateOptions } from '@causeway/events';
import { matches } from '@causeway/service';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { openFields, sealFields } from '../encryption/seal-fields.ts';
import { demandFieldRights, writesHidden } from '../fields/check-field-rights.ts';
import { demandFieldWrites } from '../fields/check-writes.ts';
import { referencesOf } from '../references/declared-references.ts';
import { keepReferences } from '../references/keep-references.ts';
import { newlyNamed } from '../references/referenced-ids.ts';
import type { NamedRecord } from '../references/referenced-ids.ts';
import { redact, restore } from '../fields/redact.ts';
import { valueAt } from '../fields/value-at.ts';
import type { Follow } from '../rules/follow/follow-records.ts';
import { createFollow } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { createSight } from '../rules/see.ts';
import { checkRecord, demandReadable, demandRight, demandWritable, mayDo } from './judge-record.ts';
import { createInTurn } from './in-turn.ts';
import type { Fields, RecordDocument } from './record.model.ts';
import { stateOfRecord } from './record-state.ts';
import { updated } from './records.events.ts';
import type { ShownRecord } from './show-record.ts';
import { showRecord } from './show-record.ts';
import { underDefinition } from './under-definition.ts';

/** How somebody wants to change a record. */
export interface ChangeRecord {
  readonly collection: string;
  readonly id: string;
  readonly caller: Caller;
  readonly ifMatch: IfMatch | undefined;
  /** Makes the new fields of the current ones, as the caller sees them: replaces them, or applies a patch. */
  readonly change: (fields: Fields) => unknown;
  /** Looks at what is there before anything is judged, and throws where it is not what was to be changed. */
  readonly demand?: (current: RecordDocument) => Promise<void> | void;
  /** Whether it means the same whatever is there: then others who change the record are waited for, and not told of. */
  readonly isAtomic?: boolean;
}

/** The record after the change. */
export interface ChangedRecord {
  /** As the caller sees it. */
  readonly shown: ShownRecord;
  /** Absent where there was nothing to change. */
  readonly eventId: string | undefined;
}

/** A change names other records: it is decided anew in a transaction, in which they are held. */
class NamesRecords extends Error {
  override readonly name = 'NamesRecords';
}

/** Tries of a change that means the same whatever is there. Single ones come in turn in a process: it is others that a race is lost against. */
export const atomicTries = 25;

/**
 * Judges a change of a record, and decides what is written.
 *
 * @param by - whose change it is
 * @param at - when, for rules that look at it
 * @param follow - looks where references lead that rules follow
 * @returns undefined where there is nothing to change
 * @throws Fault `not-found`, `forbidden`, `precondition-failed`, `invalid-request`, `payload-too-large`, `field-forbidden`,
 *   `field-read-only`, `field-write-once`, and what the change throws
 */
export async function decideChange(
  collection: Collection,
  { caller: asking, ifMatch, change }: Pick<ChangeRecord, 'caller' | 'ifMatch' | 'change'>,
  current: RecordDocument,
  { by, at, follow }: { readonly by: string | undefined; readonly at: Date; readonly follow: Follow },
): Promise<Decision<RecordDocument> | undefined> {
  const caller = await follow(collection, asking, [current]);
  demandRight(collection, 'update-before', caller, current, { at });
  // Only now: whoever may not see the record does not learn its revision.
  if (!matches(ifMatch, current.revision)) throw faults.preconditionFailed();
  // What is hidden is missing: nothing can be copied from it, tested against it, or taken away by who does not know of it.
  const hidden = createSight(collection, caller, { at }).hidden(current);
  const whole = openFields(collection, current);
  const seen = redact(whole, hidden);
  const after = change(seen);
  const fields = restore(after, whole, hidden);
  const own = { before: seen, after, hidden };
  const unseen = hidden.filter((segments) => valueAt(after, segments) === undefined);
  checkRecord(collection, fields, unseen);
  demandFieldRights(collection, caller, own, current, { at });
  demandFieldWrites(collection, caller, whole, fields);
  const { createdBy } = current;
  const before = { sealed: current.sealed, fields: whole };
  const state = stateOfRecord(collection, {
    ...sealFields(collection, { id: current._id, fields, before }),
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(by === undefined ? {} : { updatedBy: by }),
  });
  const judged = { ...current, ...state, revision: current.revision + 1, updatedAt: at };
  const afterwards = await follow(collection, asking, [judged]);
  if (!mayDo(collection, 'update-after', afterwards, judged, { at, before: current })) throw faults.forbidden();
  // That it was the same before is nothing to be told of what is hidden.
  if (isDeepStrictEqual(fields, whole) && !writesHidden(own)) return undefined;
  return { state, event: updated(collection, current, state) };
}

/** The other records that a change names anew. */
export const namedBy = (
  collection: Collection,
  current: RecordDocument,
  decision: Decision<RecordDocument> | undefined,
): readonly NamedRecord[] =>
  newlyNamed(referencesOf(collection), current.fields, decision?.state.fields).filter(
    ({ target, id }) => target !== collection.id || id !== current._id,
  );

/** What {@link createChangeRecord} is given. */
export interface ChangeRecordDependencies {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly registry: CollectionRegistry;
  readonly now: () => Date;
}

/**
 * Makes what changes a record of a collection, and holds the records that it names anew.
 *
 * @returns it gives undefined where there is no such record, and throws what {@link decideChange} throws, `DuplicateKey`, and faults
 *   `conflict`, `reference-not-found`
 */
export function createApplyChange({ events, registry, now }: ChangeRecordDependencies) {
  const update = (
    cause: Cause,
    collection: Collection,
    command: Omit<ChangeRecord, 'collection'>,
    how: Pick<UpdateOptions<RecordDocument>, 'tries' | 'current' | 'session'>,
  ) => {
    const { session } = how;
    let decided = 0;
    return collection.records.update(
      cause,
      command.id,
      async (current) => {
        decided += 1;
        await command.demand?.(current);
        const at = now();
        const { caller } = command;
        const follow = createFollow(events.db, { session });
        const decision = await decideChange(collection, command, current, { by: cause.principal.id, at, follow });
        const named = namedBy(collection, current, decision);
        if (named.length === 0) return decision;
        if (session === undefined) {
          // An earlier try may have been made, though nobody has said so: only this loop would find it.
          throw decided === 1 ? new NamesRecords() : faults.unavailable({ retryAfterS: 1 });
        }
        await keepReferences({ db: events.db, registry }, named, { caller, at, session });
        return decision;
      },
      how,
    );
  };

  /** What names no record anew needs no transaction, and most changes do not. */
  return async (
    cause: Cause,
    collection: Collection,
    command: Omit<ChangeRecord, 'collection'>,
    how: Pick<UpdateOptions<RecordDocument>, 'tries' | 'current'> = {},
  ) => {
    try {
      return await update(cause, collection, command, how);
    } catch (error) {
      if (!(error instanceof NamesRecords)) throw error;
      return await events.transaction((session) => update(cause, collection, command, { session }));
    }
  };
}

/**
 * Changes a record: the rules for before and for after have to hold.
 *
 * @returns the use case; it throws faults `not-found`, `forbidden`, `precondition-failed`, `invalid-request`,
 *   `duplicate-value`, `field-forbidden`, `field-read-only`, `field-write-once`, `reference-not-found`, and what the change throws
 */
export function createChangeRecord({ events, registry, now }: ChangeRecordDependencies) {
  const inTurn = createInTurn();
  const change = createApplyChange({ events, registry, now });

  return async (cause: Cause, command: ChangeRecord): Promise<ChangedRecord> =>
    underDefinition(registry, command.collection, async (collection) => {
      demandReadable(collection, command.caller);
      demandWritable(collection);
      const write =
        command.isAtomic === true
          ? await inTurn(`${collection.id}/${command.id}`, () =>
              change(cause, collection, command, { tries: atomicTries }),
            )
          : await change(cause, collection, command);
      if (write === undefined) throw faults.notFound();
      const shown = showRecord(collection, command.caller, write.document, { at: now() });
      return { shown, eventId: write.event?.id };
    });
}
