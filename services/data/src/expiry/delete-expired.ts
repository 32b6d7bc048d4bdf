import { Fault, faults } from '@causeway/contracts';
import type { Events } from '@causeway/events';
import { bySystem } from '@causeway/service';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { deleted } from '../records/records.events.ts';
import { demandCurrent, underDefinition } from '../records/under-definition.ts';
import { dependentsBudget, planDeletion } from '../references/plan-deletion.ts';
import { stillReferenced, tooManyDependents } from '../references/references.errors.ts';
import { writeDeletion } from '../references/write-deletion.ts';
import { anonymous } from '../rules/caller.ts';
import { expiryIn, firstExpiry } from './expiry-of.ts';
import { annotationOf } from './fill-expiry.ts';

/** What {@link createDeleteExpired} is given. */
export interface DeleteExpiredDependencies {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly registry: Pick<CollectionRegistry, 'find' | 'get' | 'reload'>;
  readonly now: () => Date;
}

/** What has become of a record. */
export interface ExpiredOutcome {
  /**
   * It went, its time is not over or it is gone already, or others that refer to it keep it; or it is over
   * under a definition alone that is about to come.
   */
  readonly kind: 'deleted' | 'passed-over' | 'kept' | 'undecided';
  /** Records that were written, with what followed. */
  readonly written: number;
}

const passedOver: ExpiredOutcome = { kind: 'passed-over', written: 0 };

/** Why a record cannot go. */
const keeping: ReadonlySet<string> = new Set([stillReferenced, tooManyDependents].map((each) => each.declaration.code));

/**
 * Deletes a record whose time is over, with what its references have follow from that, as a delete that somebody asks for. Whether its time is over is
 * looked at in the transaction of the delete: who has moved it meanwhile has saved the record.
 *
 * @returns the use case; it takes a collection's name, a record's id and the time, by MongoDB's clock
 */
export function createDeleteExpired({ events, registry, now }: DeleteExpiredDependencies) {
  const { db, transaction } = events;
  const lookup = { db, registry };

  /** @returns the record where it is to stay, how many were written where it is gone */
  const remove = async (collection: Collection, id: string, time: Date): Promise<RecordDocument | number> =>
    transaction(async (session) => {
      await demandCurrent(db, collection, session);
      const document = await collection.records.native.findOne({ _id: id }, { session });
      if (document === null) throw faults.notFound();
      const expiresAt = expiryIn(collection.expiry, document.fields);
      if (expiresAt === undefined || expiresAt > time) return document;
      const asking = { caller: anonymous, at: now(), session };
      const how = { ...asking, by: undefined, budget: dependentsBudget() };
      const dependents = await planDeletion(lookup, collection, document, how);
      const event = deleted(collection, document, undefined, { reason: 'expired' });
      await writeDeletion(lookup, bySystem(), { collection, document, event }, dependents, asking);
      return dependents.length + 1;
    });

  const decide = async (collection: Collection, id: string, time: Date): Promise<ExpiredOutcome> => {
    // Its records go with it.
    if (collection.removing) return passedOver;
    const left = await remove(collection, id, time);
    if (typeof left === 'number') return { kind: 'deleted', written: left };
    const first = firstExpiry(collection, left.fields);
    if (collection.pending !== undefined && first !== undefined && first <= time)
      return { kind: 'undecided', written: 0 };
    const annotation = annotationOf(collection, left);
    if (annotation !== undefined) await collection.records.annotate([annotation]);
    return passedOver;
  };

  return async (name: string, id: string, time: Date): Promise<ExpiredOutcome> => {
    try {
      return await underDefinition(registry, name, (collection) => decide(collection, id, time));
    } catch (error) {
      if (error instanceof Fault && error.code === faults.notFound.declaration.code) return passedOver;
      if (error instanceof Fault && keeping.has(error.code)) return { kind: 'kept', written: 0 };
      throw error;
    }
  };
}
