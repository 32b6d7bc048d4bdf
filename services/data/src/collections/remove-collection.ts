import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, IfMatch, RecordedCollection } from '@causeway/events';
import { matches } from '@causeway/service';

import { ownCollection } from '../fields/declared-field.ts';
import { demandNoReferrers } from '../references/referrers.ts';
import { collectionReferenced } from '../references/references.errors.ts';
import { EventIds } from '../records/event-ids.ts';
import type { RecordDocument } from '../records/record.model.ts';
import * as recordEvents from '../records/records.events.ts';
import type { CollectionRegistry } from './collection-registry.ts';
import type { DefinitionDocument } from './collection.model.ts';
import { collectionNotEmpty } from './collections.errors.ts';
import { deleted } from './collections.events.ts';
import type { DefinitionLock } from './definition-lock.ts';
import { lockDefinition } from './definition-lock.ts';
import { demandDefinition } from './records-store.ts';
import type { Collection } from './collection-registry.ts';

/** What {@link createRemoveCollection} is given. */
export interface RemoveCollectionDependencies {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly definitions: RecordedCollection<DefinitionDocument>;
  readonly registry: CollectionRegistry;
}

/** Which collection, and whether its records go with it. */
export interface RemoveCollection {
  readonly name: string;
  readonly withRecords: boolean;
  readonly ifMatch: IfMatch | undefined;
  /** Aborted when the client goes: what is deleted by then stays deleted, and the call may be repeated. */
  readonly signal: AbortSignal;
}

/**
 * Removes a collection: writes are refused, its records are deleted one by one, each with its event, then the definition.
 * The empty MongoDB collection stays: its name is never used again, and dropping it could lose events without a word.
 *
 * @returns the use case, giving the events' ids where they are few; it throws faults `not-found`, `collection-not-empty`,
 *   `collection-referenced`, `definition-busy` and `precondition-failed`
 */
export function createRemoveCollection({ events, definitions, registry }: RemoveCollectionDependencies) {
  const deleteRecords = async (
    cause: Cause,
    collection: Collection,
    lock: DefinitionLock,
    { signal }: RemoveCollection,
    eventIds: EventIds,
  ): Promise<void> => {
    const { records } = collection;
    const { id: by } = cause.principal;
    // Each looks for the lock itself: this process may have stood still for longer than that lasts, and records may be written again.
    const deleteRecord = (id: string) =>
      events.transaction(async (session) => {
        await lock.demandHeldIn(session);
        const tell = (current: RecordDocument) => recordEvents.deleted(collection, current, by);
        return await records.delete(cause, id, tell, { session });
      });
    for (;;) {
      signal.throwIfAborted();
      await lock.demandHeld();
      const rows = await records.native.find({}, { projection: { _id: 1 }, limit: 500 }).toArray();
      if (rows.length === 0) return;
      for (const { _id } of rows) {
        const write = await deleteRecord(_id);
        if (write !== undefined) eventIds.add(write.event.id);
      }
    }
  };

  const remove = async (
    cause: Cause,
    collection: Collection,
    lock: DefinitionLock,
    command: RemoveCollection,
  ): Promise<readonly string[]> => {
    const eventIds = new EventIds();
    await demandNoReferrers(events.db, collection.id);
    await demandDefinition(events.db, collection.id, lock.def);
    if (command.withRecords) {
      demandLoose(collection);
      await deleteRecords(cause, collection, lock, command, eventIds);
    } else if ((await collection.records.native.findOne({}, { projection: { _id: 1 } })) !== null) {
      throw collectionNotEmpty();
    }
    const write = await events.transaction(async (session) => {
      await lock.remove(session);
      const options = { session, ...(command.ifMatch === undefined ? {} : { ifMatch: command.ifMatch }) };
      return await definitions.delete(cause, collection.id, deleted, options);
    });
    if (write === undefined) throw faults.notFound();
    eventIds.add(write.event.id);
    return eventIds.named;
  };

  return async (cause: Cause, command: RemoveCollection): Promise<readonly string[]> => {
    const { name, ifMatch } = command;
    // What is there, not what this process has heard of.
    const document = await definitions.native.findOne({ name }, { projection: { revision: 1 } });
    if (document === null) throw faults.notFound();
    const { _id: id } = document;
    if (!matches(ifMatch, document.revision)) throw faults.preconditionFailed();
    const lock = await lockDefinition(events.db, id, { removing: true });
    try {
      // Somebody may have changed it before it was locked.
      const collection = await registry.reload(id);
      if (collection === undefined) throw faults.notFound();
      if (!matches(ifMatch, collection.revision)) throw faults.preconditionFailed();
      return await remove(cause, collection, lock, command);
    } finally {
      await lock.release();
      await registry.reload(id);
    }
  };
}

/**
 * Records are deleted one by one, and the removal may break off: those that are left must not refer to any that are gone.
 *
 * @throws Fault `collection-referenced` where records refer to others of their own collection
 */
function demandLoose({ name, fields }: Collection): void {
  if (fields.every(({ reference }) => reference?.collection !== ownCollection)) return;
  const detail = 'Its records refer to one another. Define it without these references first.';
  throw collectionReferenced({ detail, extensions: { collections: [name] } });
}
