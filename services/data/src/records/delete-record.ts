import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, IfMatch } from '@causeway/events';
import { matches } from '@causeway/service';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import type { Asking, Lookup } from '../references/lookup.ts';
import { dependentsBudget, planDeletion } from '../references/plan-deletion.ts';
import { writeDeletion } from '../references/write-deletion.ts';
import { followFrom } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { demandReadable, demandRight, demandWritable } from './judge-record.ts';
import type { RecordDocument } from './record.model.ts';
import { deleted } from './records.events.ts';
import { demandCurrent, underDefinition } from './under-definition.ts';

/** Which record somebody wants to be gone. */
export interface DeleteRecord {
  readonly collection: string;
  readonly id: string;
  readonly caller: Caller;
  readonly ifMatch: IfMatch | undefined;
}

/** A record that is gone. */
export interface DeletedRecord {
  readonly eventId: string;
  /** How many records were written: it, and those that referred to it. */
  readonly written: number;
}

/**
 * Deletes a record that was read in a transaction, with what its references have follow from that. That its caller may is known by then.
 *
 * @param reason - of its event, where it is not what somebody has asked for
 * @throws Fault `still-referenced`, `too-many-dependents`; OutdatedDefinition
 */
export async function deleteWithDependents(
  lookup: Lookup,
  cause: Cause,
  collection: Collection,
  document: RecordDocument,
  asking: Asking,
  reason?: 'migration',
): Promise<DeletedRecord> {
  const { id: by } = cause.principal;
  const own = { ...asking, by, budget: dependentsBudget() };
  const dependents = await planDeletion(lookup, collection, document, own);
  const deletion = { collection, document, event: deleted(collection, document, by, reason && { reason }) };
  const eventId = await writeDeletion(lookup, cause, deletion, dependents, own);
  return { eventId, written: dependents.length + 1 };
}

/**
 * Deletes a record, with what its references have follow from that.
 *
 * @returns the use case, giving the event's id; it throws faults `not-found`, `forbidden`, `precondition-failed` `still-referenced` and
 *   `too-many-dependents`
 */
export function createDeleteRecord({
  events,
  registry,
  now,
}: {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly registry: CollectionRegistry;
  readonly now: () => Date;
}) {
  const lookup = { db: events.db, registry };

  return async (cause: Cause, { collection: name, id, caller, ifMatch }: DeleteRecord): Promise<string> => {
    return await underDefinition(registry, name, async (collection) => {
      demandReadable(collection, caller);
      demandWritable(collection);
      return await events.transaction(async (session) => {
        const at = now();
        await demandCurrent(events.db, collection, session);
        const document = await collection.records.native.findOne({ _id: id }, { session });
        if (document === null) throw faults.notFound();
        const asking = await followFrom(events.db, collection, caller, [document], { session });
        demandRight(collection, 'delete', asking, document, { at });
        if (!matches(ifMatch, document.revision)) throw faults.preconditionFailed();
        return (await deleteWithDependents(lookup, cause, collection, document, { caller, at, session })).eventId;
      });
    });
  };
}
