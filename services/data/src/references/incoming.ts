import type { ClientSession } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { DefinitionChange, DefinitionDocument } from '../collections/collection.model.ts';
import { changesCollection, definitionsCollection } from '../collections/collection.model.ts';
import { OutdatedDefinition } from '../records/under-definition.ts';
import type { DeclaredReference } from './declared-references.ts';
import { referencesOf } from './declared-references.ts';
import type { Lookup } from './lookup.ts';
import { collectionBy } from './lookup.ts';

/** A field by which records refer to those of a collection. */
export interface Incoming {
  /** Whose records refer. */
  readonly from: Collection;
  readonly reference: DeclaredReference;
}

/**
 * Finds by which fields records may refer to those of a collection, as of a transaction: also those of definitions that are about to come,
 * which are being held against the records.
 *
 * @param to - the collection that is referred to
 * @throws OutdatedDefinition where this process knew another definition of a collection that refers to it; it is read by then
 */
export async function findIncoming(
  lookup: Lookup,
  to: Collection,
  session: ClientSession,
): Promise<readonly Incoming[]> {
  const { db, registry } = lookup;
  const definitions = await db
    .collection<DefinitionDocument>(definitionsCollection)
    .find({ 'definition.refersTo': to.id }, { projection: { revision: 1 }, session })
    .toArray();
  const changes = await db
    .collection<DefinitionChange>(changesCollection)
    .find({ 'pending.refersTo': to.id }, { projection: { def: 1 }, session })
    .toArray();
  const outdated = async (id: string): Promise<never> => {
    await registry.reload(id);
    throw new OutdatedDefinition();
  };
  const from = new Map<string, Collection>();
  for (const { _id: id, revision } of definitions) {
    const known = await collectionBy(lookup, id);
    if (known?.revision !== revision) return outdated(id);
    from.set(id, known);
  }
  for (const { _id: id, def } of changes) {
    // Read again: one whose process is gone is ended by that.
    const known = await registry.reload(id);
    if (known?.pending === undefined || known.def !== def) throw new OutdatedDefinition();
    from.set(id, known);
  }
  return [to, ...from.values()].flatMap((each) =>
    referencesOf(each)
      .filter(({ target }) => target === to.id)
      .map((reference) => ({ from: each, reference })),
  );
}
