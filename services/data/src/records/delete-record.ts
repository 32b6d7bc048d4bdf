import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, IfMatch } from '@causeway/events';
import { matches } from '@causeway/service';

import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { dependentsBudget, planDeletion } from '../references/plan-deletion.ts';
import { writeDeletion } from '../references/write-deletion.ts';
import type { Caller } from '../rules/rule.ts';
import { demandReadable, demandRight, demandWritable } from './judge-record.ts';
import { deleted } from './records.events.ts';
import { demandCurrent, underDefinition } from './under-definition.ts';

/** Which record somebody wants to be gone. */
export interface DeleteRecord {
  readonly collection: string;
  readonly id: string;
  readonly caller: Caller;
  readonly ifMatch: IfMatch | undefined;
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
    const { id: by } = cause.principal;
    return await underDefinition(registry, name, async (collection) => {
      demandReadable(collection, caller);
      demandWritable(collection);
      return await events.transaction(async (session) => {
        const at = now();
        await demandCurrent(events.db, collection, session);
        const document = await collection.records.native.findOne({ _id: id }, { session });
        if (document === null) throw faults.notFound();
        demandRight(collection, 'delete', caller, document, { at });
        if (!matches(ifMatch, document.revision)) throw faults.preconditionFailed();
        const asking = { caller, at, session, by, budget: dependentsBudget() };
        const dependents = await planDeletion(lookup, collection, document, asking);
        const deletion = { collection, document, event: deleted(collection, document, by) };
        return await writeDeletion(lookup, cause, deletion, dependents, asking);
      });
    });
  };
}
