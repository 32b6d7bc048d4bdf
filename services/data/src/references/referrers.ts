import type { ClientSession, Db } from 'mongodb';

import type { DefinitionChange, DefinitionDocument } from '../collections/collection.model.ts';
import { changesCollection, definitionsCollection } from '../collections/collection.model.ts';
import { definitionBusy } from '../collections/collections.errors.ts';
import { collectionReferenced } from './references.errors.ts';

/**
 * Makes sure that no other definition refers to a collection that is to be removed. Call it once its change says `removing`: from then on none
 * that does can be committed (`holdTargets`).
 *
 * @throws Fault `collection-referenced`
 */
export async function demandNoReferrers(db: Db, id: string): Promise<void> {
  const definitions = db.collection<DefinitionDocument>(definitionsCollection);
  const pending = await db
    .collection<DefinitionChange>(changesCollection)
    .find({ 'pending.refersTo': id, until: { $gte: new Date() } }, { projection: { _id: 1 } })
    .toArray();
  const filter = { $or: [{ 'definition.refersTo': id }, { _id: { $in: pending.map(({ _id }) => _id) } }] };
  const rows = await definitions
    .find(filter, { projection: { name: 1 } })
    .sort({ name: 1 })
    .toArray();
  if (rows.length > 0) throw collectionReferenced({ extensions: { collections: rows.map(({ name }) => name) } });
}

/**
 * Has the collections that a definition refers to stay, in the transaction that commits it: whoever removes one of them meets this write.
 *
 * @param ids - of the collections
 * @throws Fault `definition-busy` where one of them is being removed, or is gone
 */
export async function holdTargets(db: Db, ids: readonly string[], session: ClientSession): Promise<void> {
  if (ids.length === 0) return;
  const { matchedCount } = await db
    .collection<DefinitionChange>(changesCollection)
    .updateMany({ _id: { $in: [...ids] }, removing: { $exists: false } }, { $inc: { refs: 1 } }, { session });
  if (matchedCount < ids.length) throw definitionBusy();
}
