import type { Collection } from '../collections/collection-registry.ts';
import { demandCurrent, OutdatedDefinition } from '../records/under-definition.ts';
import type { Asking, Lookup } from './lookup.ts';
import { collectionBy, readableAmong } from './lookup.ts';
import type { NamedRecord } from './referenced-ids.ts';
import { referenceNotFound } from './references.errors.ts';
import type { FollowFrom } from '../rules/follow/follow-records.ts';

const maxFaults = 100;

/** Gives the ids of each collection that is named. */
function idsByTarget(named: readonly Pick<NamedRecord, 'target' | 'id'>[]): ReadonlyMap<string, readonly string[]> {
  const ids = new Map<string, Set<string>>();
  for (const { target, id } of named) ids.set(target, (ids.get(target) ?? new Set()).add(id));
  return new Map([...ids].map(([target, each]) => [target, [...each]]));
}

/** A collection under its definition of now: its rule says who may see what. */
async function currentTarget(lookup: Lookup, id: string, { session }: Asking): Promise<Collection | undefined> {
  const target = await collectionBy(lookup, id);
  if (target === undefined) return undefined;
  try {
    await demandCurrent(lookup.db, target, session);
  } catch (error) {
    if (error instanceof OutdatedDefinition) await lookup.registry.reload(id);
    throw error;
  }
  return target;
}

/**
 * Looks for records that are named, in the transaction of the write that names them.
 *
 * @returns those that are not there, or that the caller may not see: one is told of both in the same words
 * @throws OutdatedDefinition
 */
export async function findMissing<Named extends Pick<NamedRecord, 'target' | 'id'>>(
  lookup: Lookup,
  named: readonly Named[],
  asking: Asking & Pick<FollowFrom, 'asLeft'>,
): Promise<readonly Named[]> {
  const { session } = asking;
  const found = new Set<string>();
  for (const [id, ids] of idsByTarget(named)) {
    const target = await currentTarget(lookup, id, asking);
    if (target === undefined) continue;
    const filter = await readableAmong(lookup, target, ids, asking);
    const rows = target.records.native.find(filter, { projection: { _id: 1 }, session });
    for await (const { _id } of rows) found.add(`${id}/${_id}`);
  }
  return named.filter(({ target, id }) => !found.has(`${target}/${id}`));
}

/**
 * Has records stay until the transaction commits: whoever deletes one of them meets this write, and one of the two is made anew.
 *
 * @param named - records that are there in this transaction, and that it does not write
 */
export async function holdNamed(
  lookup: Lookup,
  named: readonly Pick<NamedRecord, 'target' | 'id'>[],
  { session }: Pick<Asking, 'session'>,
): Promise<void> {
  for (const [id, ids] of idsByTarget(named)) {
    const target = await collectionBy(lookup, id);
    await target?.records.touch(ids, { session });
  }
}

/** The fault of records that are named and not there. */
export const notThere = (missing: readonly Pick<NamedRecord, 'pointer'>[]): Error =>
  referenceNotFound({
    errors: missing.slice(0, maxFaults).map(({ pointer }) => ({
      pointer,
      code: 'reference-not-found',
      message: 'Name a record that is there and that you may read.',
    })),
  });

/**
 * Makes sure that what a write names is there, and stays.
 *
 * @param asking - its `session` is that of the write
 * @throws Fault `reference-not-found`; OutdatedDefinition
 */
export async function keepReferences(lookup: Lookup, named: readonly NamedRecord[], asking: Asking): Promise<void> {
  if (named.length === 0) return;
  const missing = await findMissing(lookup, named, asking);
  if (missing.length > 0) throw notThere(missing);
  await holdNamed(lookup, named, asking);
}
