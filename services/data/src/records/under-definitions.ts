import { setTimeout as delay } from 'node:timers/promises';

import { faults } from '@causeway/contracts';
import type { ClientSession, Db } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import { definitionsCollection } from '../collections/collection.model.ts';
import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { findForWrite, isOutdated, OutdatedDefinition } from './under-definition.ts';

const maxTries = 5;

/**
 * Makes sure, in one snapshot, of all definitions that something was decided under; see `demandCurrent`.
 *
 * @throws OutdatedDefinition
 */
export async function demandAllCurrent(
  db: Db,
  collections: Iterable<Pick<Collection, 'id' | 'revision'>>,
  session: ClientSession,
): Promise<void> {
  const known = [...collections];
  const rows = await db
    .collection<DefinitionDocument>(definitionsCollection)
    .find({ _id: { $in: known.map(({ id }) => id) } }, { projection: { revision: 1 }, session })
    .toArray();
  const current = new Map(rows.map(({ _id, revision }) => [_id, revision]));
  if (known.some(({ id, revision }) => current.get(id) !== revision)) throw new OutdatedDefinition();
}

/**
 * Runs what writes records of several collections; where one of the definitions has changed since this process heard of it,
 * all are read again and the work is done anew. See `underDefinition`.
 *
 * @param registry - the definitions
 * @param names - the collections'
 * @param work - is given those that are there, by name
 * @throws Fault `unavailable` where definitions change faster than we read
 */
export async function underDefinitions<T>(
  registry: Pick<CollectionRegistry, 'find' | 'reload'>,
  names: readonly string[],
  work: (collections: ReadonlyMap<string, Collection>) => Promise<T>,
): Promise<T> {
  for (let tries = 1; tries <= maxTries; tries += 1) {
    const collections = new Map<string, Collection>();
    for (const name of names) {
      // After the first try they have just been read.
      const collection = await (tries === 1 ? findForWrite(registry, name) : registry.find(name));
      if (collection !== undefined) collections.set(name, collection);
    }
    try {
      return await work(collections);
    } catch (error) {
      if (!isOutdated(error)) throw error;
      for (const { id } of collections.values()) await registry.reload(id);
      if (tries > 1) await delay(tries * 20 * (0.5 + Math.random()));
    }
  }
  throw faults.unavailable({ message: 'a definition changed during every try', retryAfterS: 1 });
}
