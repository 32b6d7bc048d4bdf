import { setTimeout as delay } from 'node:timers/promises';

import { faults } from '@causeway/contracts';
import { DuplicateKey } from '@causeway/events';
import { MongoServerError } from 'mongodb';
import type { ClientSession, Db } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import { definitionsCollection } from '../collections/collection.model.ts';
import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { reasonOfCode } from '../collections/index-conflicts.ts';
import { validationFailureCode } from '../collections/records-store.ts';
import { fieldsKey } from '../conditions/field-path.ts';
import { guardedPaths } from '../fields/declared-field.ts';
import { duplicateValue, unindexable } from './records.errors.ts';

const maxTries = 5;

/** Something was about to be written under a definition that is not current any more. */
export class OutdatedDefinition extends Error {
  override readonly name = 'OutdatedDefinition';
}

/**
 * Makes sure of the definition that a delete was decided under: no validator sees a delete, so the definition is looked at in the
 * same snapshot.
 *
 * @throws OutdatedDefinition
 */
export async function demandCurrent(
  db: Db,
  { id, revision }: Pick<Collection, 'id' | 'revision'>,
  session: ClientSession,
): Promise<void> {
  const definitions = db.collection<DefinitionDocument>(definitionsCollection);
  const current = await definitions.findOne({ _id: id }, { projection: { revision: 1 }, session });
  if (current?.revision !== revision) throw new OutdatedDefinition();
}

/** Whether MongoDB refused a write because it was decided under a definition that is not current any more. */
export const isOutdated = (error: unknown): boolean =>
  error instanceof OutdatedDefinition || codeOf(error) === validationFailureCode;

/** MongoDB's code, of an error or of one write of a bulk. */
function codeOf(error: unknown): unknown {
  if (error instanceof MongoServerError) return error.code;
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/**
 * Finds a collection for somebody who writes. One that is known to be in the middle of a change is read again: a change
 * that ends without being committed, or whose process dies, tells nobody, and what it asked of writers would be kept to
 * for ever.
 *
 * @param registry - the definitions
 * @param name - the collection's
 * @returns undefined where there is no such collection
 */
export async function findForWrite(
  registry: Pick<CollectionRegistry, 'find' | 'reload'>,
  name: string,
): Promise<Collection | undefined> {
  const known = await registry.find(name);
  if (known === undefined || (known.pending === undefined && !known.removing)) return known;
  await registry.reload(known.id);
  return await registry.find(name);
}

/**
 * Runs what writes records of a collection. Where the definition has changed since this process heard of it, MongoDB
 * refuses the write; then the definition is read again and the work is done anew.
 *
 * @param registry - the definitions
 * @param name - the collection's
 * @param work - decides and writes under the definition that it is given
 * @throws Fault `not-found` where there is no such collection; `unavailable` where definitions change faster than we read
 */
export async function underDefinition<T>(
  registry: Pick<CollectionRegistry, 'find' | 'reload'>,
  name: string,
  work: (collection: Collection) => Promise<T>,
): Promise<T> {
  for (let tries = 1; tries <= maxTries; tries += 1) {
    // After the first try it has just been read.
    const collection = await (tries === 1 ? findForWrite(registry, name) : registry.find(name));
    if (collection === undefined) throw faults.notFound();
    try {
      return await work(collection);
    } catch (error) {
      if (!isOutdated(error)) throw faultOfWrite(error, collection);
      await registry.reload(collection.id);
      if (tries > 1) await delay(tries * 20 * (0.5 + Math.random()));
    }
  }
  throw faults.unavailable({ message: 'the definition changed during every try', retryAfterS: 1 });
}

/** What a failed write of a record is to its author; anything else as it is. It names no field that somebody may not see. */
export function faultOfWrite(error: unknown, { fields, pending }: Pick<Collection, 'fields' | 'pending'>): unknown {
  if (error instanceof DuplicateKey) return faultOfDuplicate(error, guardedPaths(fields, pending?.fields));
  const reason = reasonOfCode(codeOf(error));
  // Without the cause: MongoDB's text may quote the whole record.
  return reason === undefined ? error : unindexable({ detail: details[reason] });
}

const details = {
  'parallel-arrays': 'Two fields of one index are arrays in this record; an index takes one.',
  place:
    'A field of a 2dsphere index holds something that MongoDB cannot place, such as a polygon that crosses itself.',
  'too-many-keys': 'An index takes fewer values or words of one record than this one has.',
} as const;

function faultOfDuplicate(error: DuplicateKey, guarded: readonly string[]): unknown {
  const paths = Object.keys(error.keyPattern).map((path) =>
    path.startsWith(`${fieldsKey}.`) ? path.slice(fieldsKey.length + 1) : path,
  );
  const isWithin = (path: string, outer: string): boolean => path === outer || path.startsWith(`${outer}.`);
  const names = paths.filter((path) => !guarded.some((each) => isWithin(path, each) || isWithin(each, path)));
  const message = names.length === 1 ? 'Another record has this value.' : 'Another record has these values together.';
  return duplicateValue({
    errors: names.map((name) => ({ pointer: `/${name.replaceAll('.', '/')}`, code: 'duplicate', message })),
    cause: error,
  });
}
