import { isDeepStrictEqual } from 'node:util';

import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Decision, IfMatch } from '@causeway/events';
import { matches } from '@causeway/service';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { demandFieldWrites } from '../fields/check-writes.ts';
import type { Caller } from '../rules/rule.ts';
import { checkRecord, demandReadable, demandRight, demandWritable, mayDo } from './judge-record.ts';
import { createInTurn } from './in-turn.ts';
import type { Fields, RecordDocument } from './record.model.ts';
import { updated } from './records.events.ts';
import { underDefinition } from './under-definition.ts';

/** How somebody wants to change a record. */
export interface ChangeRecord {
  readonly collection: string;
  readonly id: string;
  readonly caller: Caller;
  readonly ifMatch: IfMatch | undefined;
  /** Makes the new fields of the current ones: replaces them, or applies a patch. */
  readonly change: (fields: Fields) => unknown;
  /** Whether it means the same whatever is there: then others who change the record are waited for, and not told of. */
  readonly isAtomic?: boolean;
}

/** The record after the change. */
export interface ChangedRecord {
  readonly document: RecordDocument;
  /** Absent where there was nothing to change. */
  readonly eventId: string | undefined;
}

/** Within a process they come in turn: it is other processes that a race is lost against. */
const atomicTries = 25;

/**
 * Judges a change of a record, and decides what is written.
 *
 * @param by - whose change it is
 * @param at - when, for rules that look at it
 * @returns undefined where there is nothing to change
 * @throws Fault `not-found`, `forbidden`, `precondition-failed`, `invalid-request`, `payload-too-large`, and what the change throws
 */
export function decideChange(
  collection: Collection,
  { caller, ifMatch, change }: Pick<ChangeRecord, 'caller' | 'ifMatch' | 'change'>,
  current: RecordDocument,
  { by, at }: { readonly by: string | undefined; readonly at: Date },
): Decision<RecordDocument> | undefined {
  demandRight(collection, 'update-before', caller, current, { at });
  // Only now: whoever may not see the record does not learn its revision.
  if (!matches(ifMatch, current.revision)) throw faults.preconditionFailed();
  const fields = change(current.fields);
  checkRecord(collection, fields);
  demandFieldWrites(collection, caller, current.fields, fields);
  const { createdBy } = current;
  const state = {
    def: collection.def,
    fields,
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(by === undefined ? {} : { updatedBy: by }),
  };
  const judged = { ...current, ...state, revision: current.revision + 1, updatedAt: at };
  if (!mayDo(collection, 'update-after', caller, judged, { at, before: current })) throw faults.forbidden();
  if (isDeepStrictEqual(fields, current.fields)) return undefined;
  return { state, event: updated(collection, current, state) };
}

/**
 * Changes a record: the rules for before and for after have to hold.
 *
 * @returns the use case; it throws faults `not-found`, `forbidden`, `precondition-failed`, `invalid-request`,
 *   `duplicate-value`, `field-read-only`, `field-write-once`, and what the change throws
 */
export function createChangeRecord({
  registry,
  now,
}: {
  readonly registry: CollectionRegistry;
  readonly now: () => Date;
}) {
  const inTurn = createInTurn();

  return async (cause: Cause, command: ChangeRecord): Promise<ChangedRecord> =>
    underDefinition(registry, command.collection, async (collection) => {
      demandReadable(collection, command.caller);
      demandWritable(collection);
      const update = (options?: { readonly tries: number }) =>
        collection.records.update(
          cause,
          command.id,
          (current) => decideChange(collection, command, current, { by: cause.principal.id, at: now() }),
          options,
        );
      const write =
        command.isAtomic === true
          ? await inTurn(`${collection.id}/${command.id}`, () => update({ tries: atomicTries }))
          : await update();
      if (write === undefined) throw faults.notFound();
      return { document: write.document, eventId: write.event?.id };
    });
}
