import { Fault } from '@causeway/contracts';
import type { Collection, Db } from 'mongodb';

import { referenceIndexesOf } from '../references/all-indexes.ts';
import type { Definition, DefinitionChange } from './collection.model.ts';
import type { DefinitionLock } from './definition-lock.ts';
import { lockDefinition } from './definition-lock.ts';

/** Where changes are noted that are under way. */
export interface Changes {
  readonly db: Db;
  readonly changes: Collection<DefinitionChange>;
}

/**
 * Begins a change of a definition, or joins one to the same definition that is under way.
 *
 * @param id - of the collection
 * @param wanted - by `wantedBy`
 * @returns the lock, or the owner of that change
 * @throws Fault where another change is under way
 */
export async function beginOrJoin(
  { db, changes }: Changes,
  id: string,
  source: Definition,
  wanted: string,
): Promise<DefinitionLock | string> {
  // Asked of writers later where references come first: see `createDefineCollection`.
  const demand = referenceIndexesOf(source).length === 0 ? { pending: source } : undefined;
  try {
    return await lockDefinition(db, id, demand, undefined, wanted);
  } catch (error) {
    const row = error instanceof Fault ? await changes.findOne({ _id: id }) : null;
    if (row?.owner === undefined || row.progress?.wanted !== wanted) throw error;
    return row.owner;
  }
}
