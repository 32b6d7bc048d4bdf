import type { Timestamp } from 'mongodb';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { isFresh, reaches } from '../positions/freshness.ts';
import type { Followed } from '../positions/freshness.ts';

/**
 * Finds a collection to read from, by name.
 *
 * @param after - the highest position that the caller has seen
 */
export type FindCurrent = (name: string, after: Timestamp | undefined) => Promise<Collection | undefined>;

/**
 * Makes the way to the definition that reads are judged by: the one that this process knows, as long as it follows the
 * commits and has seen what the caller has; otherwise MongoDB's. A write needs no such care, for MongoDB refuses it under an
 * old definition.
 */
export const createFindCurrent =
  ({
    registry,
    stream,
  }: {
    readonly registry: Pick<CollectionRegistry, 'find' | 'reload'>;
    readonly stream: Followed;
  }): FindCurrent =>
  async (name, after) => {
    const known = await registry.find(name);
    if (known === undefined || (after === undefined ? isFresh(stream) : reaches(stream, after))) return known;
    const current = await registry.reload(known.id);
    // Removed, and made again under another id.
    return current ?? registry.find(name);
  };

/**
 * {@link FindCurrent} by id: the collection that a reference leads to.
 *
 * @returns undefined where it is gone
 */
export async function findCurrentById(
  { registry, findCurrent }: FindCurrentById,
  id: string,
  after: Timestamp | undefined,
): Promise<Collection | undefined> {
  const known = registry.get(id) ?? (await registry.reload(id));
  const current = known && (await findCurrent(known.name, after));
  return current?.id === id ? current : undefined;
}

/** Where {@link findCurrentById} looks. */
export interface FindCurrentById {
  readonly registry: Pick<CollectionRegistry, 'get' | 'reload'>;
  readonly findCurrent: FindCurrent;
}
