import { createHash } from 'node:crypto';

import type { Collection, Document, Filter, IndexDescription } from 'mongodb';
import { MongoServerError } from 'mongodb';

import { parseFieldPath } from '../conditions/field-path.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { definitionConflict } from './collections.errors.ts';
import type { IndexDefinition } from './collection.model.ts';

/** Names of indexes that definitions ask for begin so; others are not ours to remove. */
const prefix = 'by_';
const maxExamples = 5;

/** The storage path of an indexed field. */
const storageOf = (name: string): string => {
  const path = parseFieldPath(name, 'record', '');
  if (!path.ok) throw new TypeError(`${name} was accepted as the key of an index`);
  return path.value.storage;
};

/**
 * An index as MongoDB is told. `_id` is added in the direction of the last key, so that the index serves sorts by these
 * keys to the end, cursors included; not to a unique one, which it would change.
 */
export function describeIndex({ keys, unique = false }: IndexDefinition): IndexDescription & { name: string } {
  const own = Object.entries(keys).map(([name, direction]) => [storageOf(name), direction] as const);
  const [last] = own.slice(-1);
  const tieBreak = unique || own.some(([path]) => path === '_id') ? [] : [['_id', last?.[1] ?? 1] as const];
  const entries = [...own, ...tieBreak];
  const digest = createHash('sha256').update(JSON.stringify([entries, unique]));
  return {
    key: Object.fromEntries(entries),
    name: prefix + digest.digest('hex').slice(0, 24),
    ...(unique ? { unique } : {}),
  };
}

/** Names of the indexes that definitions have asked for. */
const namesOf = async (records: Collection<RecordDocument>): Promise<string[]> =>
  (await records.indexes()).flatMap(({ name }) => (name?.startsWith(prefix) === true ? [name] : []));

/** Whether records have the indexes that a definition asks for, and no others. */
export async function hasIndexes(
  records: Collection<RecordDocument>,
  definitions: readonly IndexDefinition[],
): Promise<boolean> {
  // Two that a definition tells apart may be one: `id` breaks ties whether it is named or not.
  const wanted = new Set(definitions.map((each) => describeIndex(each).name));
  const there = await namesOf(records);
  return there.length === wanted.size && there.every((name) => wanted.has(name));
}

/**
 * Builds an index, unless it is there. One that somebody else is building is waited for: MongoDB lists it already, but the
 * records may yet refuse it.
 *
 * @throws Fault `definition-conflict` where the records do not allow it
 */
export async function buildIndex(records: Collection<RecordDocument>, definition: IndexDefinition): Promise<void> {
  const index = describeIndex(definition);
  try {
    await records.createIndexes([index]);
  } catch (error) {
    throw await explain(records, index, error);
  }
}

/** Removes the indexes that a definition does not ask for: an older one did, or one that has not come about. */
export async function dropOtherIndexes(
  records: Collection<RecordDocument>,
  definitions: readonly IndexDefinition[],
): Promise<void> {
  const wanted = new Set(definitions.map((each) => describeIndex(each).name));
  for (const name of await namesOf(records)) if (!wanted.has(name)) await records.dropIndex(name);
}

/** Cannot index parallel arrays: https://www.mongodb.com/docs/manual/reference/error-codes/ */
export const parallelArraysCode = 171;

async function explain(records: Collection<RecordDocument>, index: IndexDescription, error: unknown): Promise<unknown> {
  if (!(error instanceof MongoServerError)) return error;
  if (error.code === parallelArraysCode) {
    const detail = 'Records have arrays in two fields of one index; an index takes one.';
    return definitionConflict({ detail, cause: error, extensions: { examples: await parallels(records, index) } });
  }
  if (error.code !== 11_000) return error;
  const examples = await duplicates(records, index);
  const detail = 'Records have the same values in the fields of a unique index.';
  return definitionConflict({ detail, cause: error, extensions: { examples } });
}

const inTime = { maxTimeMS: 30_000 };

/** The places on the way to a field where an array may stand: `fields.a`, `fields.a.b`; none for the service's own. */
const placesOf = (path: string): string[] => {
  const [first = '', ...names] = path.split('.');
  return names.map((_, at) => [first, ...names.slice(0, at + 1)].join('.'));
};

/** Records that have arrays in two fields of an index, neither of them within the other. */
async function parallels(
  records: Collection<RecordDocument>,
  { key }: IndexDescription,
): Promise<{ readonly id: string }[]> {
  const places = [...new Set(Object.keys(key).flatMap(placesOf))];
  const isWithin = (inner: string, outer: string): boolean => inner.startsWith(`${outer}.`);
  const pairs = places.flatMap((one, at) =>
    places.slice(at + 1).flatMap((other) => (isWithin(one, other) || isWithin(other, one) ? [] : [[one, other]])),
  );
  if (pairs.length === 0) return [];
  const filter: Filter<Document> = {
    $or: pairs.map((pair) => ({ $and: pair.map((place) => ({ [place]: { $type: 'array' } })) })),
  };
  const found = records.find(filter as Filter<RecordDocument>, {
    projection: { _id: 1 },
    limit: maxExamples,
    ...inTime,
  });
  return await found.map(({ _id }) => ({ id: _id })).toArray();
}

/** Ids of records that have the same values in the fields of an index; an array stands there with each of its elements. */
async function duplicates(
  records: Collection<RecordDocument>,
  { key }: IndexDescription,
): Promise<{ readonly ids: string[] }[]> {
  const paths = Object.keys(key);
  // The outer ones first, so that fields of one element stay together.
  const places = [...new Set(paths.flatMap(placesOf))].sort((one, other) => one.length - other.length);
  const values = Object.fromEntries(paths.map((path, at) => [`k${at}`, { $ifNull: [`$${path}`, null] }]));
  const stages: Document[] = [
    // By the outermost names: of `a` and `a.b` a projection takes one.
    { $project: Object.fromEntries(paths.map((path) => [path.split('.', 2).join('.'), 1])) },
    ...places.map((path) => ({ $unwind: { path: `$${path}`, preserveNullAndEmptyArrays: true } })),
    // A record may hold a value twice.
    { $group: { _id: { values, id: '$_id' } } },
    { $group: { _id: '$_id.values', ids: { $firstN: { n: maxExamples, input: '$_id.id' } }, count: { $sum: 1 } } },
    { $match: { count: { $gt: 1 } } },
    { $limit: maxExamples },
    { $project: { _id: 0, ids: 1 } },
  ];
  return await records.aggregate<{ ids: string[] }>(stages, { ...inTime, allowDiskUse: true }).toArray();
}
