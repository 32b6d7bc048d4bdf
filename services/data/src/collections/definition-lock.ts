import { randomUUID } from 'node:crypto';

import type { ClientSession, Collection as MongoCollection, Db } from 'mongodb';

import type { Definition, DefinitionChange } from './collection.model.ts';
import { changesCollection } from './collection.model.ts';
import { definitionBusy } from './collections.errors.ts';

/** What a change asks of all writes while it is under way. */
export type Demand = { readonly pending: Definition } | { readonly removing: true };

/** A definition that nobody else is changing. */
export interface DefinitionLock {
  /** The number that the records' validator is to demand. */
  readonly def: number;
  /** Moves the lock's end on. @throws Fault `definition-busy` where somebody has taken it over */
  renew(): Promise<void>;
  /** Ends the change in the transaction that commits it. @throws Fault `definition-busy` */
  commit(session: ClientSession): Promise<void>;
  /** Ends it together with the definition, in the transaction that removes it. @throws Fault `definition-busy` */
  remove(session: ClientSession): Promise<void>;
  /** Ends a change that has not come about. */
  release(): Promise<void>;
}

/** A process that has not moved its lock on for so long is taken for dead. */
const lockMs = 30_000;

/**
 * Begins a change of a definition: takes the lock, raises the number, and tells all writers what they have to keep to
 * meanwhile. A writer that knows an older number is refused by the records' validator, and reads this.
 *
 * @param db - the service's database
 * @param id - the definition's
 * @param demand - what writers have to keep to as well
 * @throws Fault `definition-busy` where another change is under way, or the definition is gone
 */
export async function lockDefinition(db: Db, id: string, demand: Demand): Promise<DefinitionLock> {
  const changes = db.collection<DefinitionChange>(changesCollection);
  const owner = randomUUID();
  const { def } = await take(changes, id, owner, demand);
  const own = { _id: id, owner };
  const until = (): Date => new Date(Date.now() + lockMs);
  return {
    def,
    async renew() {
      const { matchedCount } = await changes.updateOne(own, { $set: { until: until() } });
      if (matchedCount === 0) throw definitionBusy();
    },
    async commit(session) {
      const end = { $unset: { owner: true, until: true, pending: true, removing: true } } as const;
      const { matchedCount } = await changes.updateOne(own, end, { session });
      if (matchedCount === 0) throw definitionBusy();
    },
    async remove(session) {
      const { deletedCount } = await changes.deleteOne(own, { session });
      if (deletedCount === 0) throw definitionBusy();
    },
    async release() {
      await changes.updateOne(own, { $unset: { owner: true, until: true, pending: true, removing: true } });
    },
  };
}

async function take(
  changes: MongoCollection<DefinitionChange>,
  id: string,
  owner: string,
  demand: Demand,
): Promise<DefinitionChange> {
  const now = new Date();
  // An abandoned change leaves its demand behind, and writers keep to it: it is replaced here.
  const free = { _id: id, $or: [{ owner: { $exists: false } }, { until: { $lt: now } }] };
  const until = new Date(now.getTime() + lockMs);
  const { pending, removing } = { pending: undefined, removing: undefined, ...demand };
  const begin = {
    def: { $add: ['$def', 1] },
    owner,
    until,
    // A schema holds names such as $ref, which are no operators here.
    pending: pending === undefined ? '$$REMOVE' : { $literal: pending },
    removing: removing ?? '$$REMOVE',
  };
  // Without a row the collection has been removed: one made here would count anew, and let old writers in again.
  const locked = await changes.findOneAndUpdate(free, [{ $set: begin }], { returnDocument: 'after' });
  if (locked === null) throw definitionBusy();
  return locked;
}
