import type { Collection } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import type { CollectionKeys } from '../encryption/field-keys.ts';

const maxTries = 10;

/**
 * Changes what is kept of a collection's keys, by compare-and-set: no event, no revision, for replicas have heard of all of them by the event with
 * which a key came, and nothing that is answered of a definition changes.
 *
 * @param decide - gives undefined where nothing is to be changed
 * @returns what is kept then; undefined where the collection is gone
 */
export async function changeKeys(
  definitions: Collection<DefinitionDocument>,
  id: string,
  decide: (keys: CollectionKeys) => CollectionKeys | undefined,
): Promise<CollectionKeys | undefined> {
  for (let tries = 1; tries <= maxTries; tries += 1) {
    const document = await definitions.findOne({ _id: id }, { projection: { keys: 1 } });
    const keys = document?.keys;
    if (keys === undefined) return undefined;
    const wanted = decide(keys);
    if (wanted === undefined) return keys;
    const { matchedCount } = await definitions.updateOne({ _id: id, keys }, { $set: { keys: wanted } });
    if (matchedCount > 0) return wanted;
  }
  throw new Error(`the keys of ${id} change faster than they can be changed`);
}
