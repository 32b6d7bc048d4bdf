import type { Collection, Document, Filter, IndexDescription } from 'mongodb';
import { MongoServerError } from 'mongodb';

import type { RecordDocument } from '../records/record.model.ts';
import { definitionConflict } from './collections.errors.ts';
import type { IndexDefinition } from './collection.model.ts';
import { describeIndex } from './describe-index.ts';

const maxExamples = 5;

/** Cannot index parallel arrays: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const parallelArraysCode = 171;

/** What 2dsphere indexes do not take: what is no GeoJSON, or crosses itself. MongoDB's text quotes the whole record. */
const geoCodes: ReadonlySet<unknown> = new Set([16_755, 16_756]);

/** More keys than an index takes of one record: https://www.mongodb.com/docs/manual/core/indexes/index-types/geospatial/2dsphere/ */
const keyCodes: ReadonlySet<unknown> = new Set([201, 16_732, 16_733]);

/**
 * Why an index cannot hold a record, by MongoDB's code.
 *
 * @returns undefined where that is not why
 */
export function reasonOfCode(code: unknown): 'parallel-arrays' | 'place' | 'too-many-keys' | undefined {
  if (code === parallelArraysCode) return 'parallel-arrays';
  if (geoCodes.has(code)) return 'place';
  return keyCodes.has(code) ? 'too-many-keys' : undefined;
}

/** What an index holds against the records, in words. */
export const indexDetails = {
  'parallel-arrays': 'Records have arrays in two fields of one index; an index takes one.',
  place: 'Records have something in a 2dsphere field that MongoDB cannot place, such as a polygon that crosses itself.',
  duplicates: 'Records have the same values in the fields of a unique index.',
  'too-many-keys': 'Records have more values or words in the fields of an index than it takes of one record.',
} as const;

/**
 * What it means to whoever defines an index that MongoDB does not build it.
 *
 * @returns a fault `definition-conflict` with examples where it is because of the records; anything else as it is
 */
export async function explainRefusal(
  records: Collection<RecordDocument>,
  definition: IndexDefinition,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof MongoServerError)) return error;
  const index = describeIndex(definition);
  const reason = reasonOfCode(error.code);
  if (reason === 'parallel-arrays') {
    const examples = await parallels(records, index);
    return definitionConflict({ detail: indexDetails[reason], cause: error, extensions: { examples } });
  }
  if (reason !== undefined) {
    const examples = reason === 'place' ? misplaced(error) : [];
    // Without the cause, which quotes the record.
    return definitionConflict({ detail: indexDetails[reason], extensions: { examples } });
  }
  if (error.code !== 11_000) return error;
  const examples = await duplicates(records, index);
  return definitionConflict({ detail: indexDetails.duplicates, cause: error, extensions: { examples } });
}

/** MongoDB's text quotes the record that it could not index, from its beginning. */
const misplacedId = /Can't extract geo keys: \{ _id: "([\w-]+)"/;

const misplaced = ({ message }: MongoServerError): { readonly id: string }[] => {
  const id = misplacedId.exec(message)?.[1];
  return id === undefined ? [] : [{ id }];
};

/** How MongoDB looks for examples. */
export interface LookOptions {
  readonly maxTimeMS?: number;
  /** How many. */
  readonly limit?: number;
}

const mostMs = 30_000;

/** The places on the way to a field where an array may stand: `fields.a`, `fields.a.b`; none for the service's own. */
const placesOf = (path: string): string[] => {
  const [first = '', ...names] = path.split('.');
  return names.map((_, at) => [first, ...names.slice(0, at + 1)].join('.'));
};

/**
 * Records that have arrays in two fields of an index, neither of them within the other. Indexes of words and of places take them: each has as many keys as
 * there are combinations.
 */
export async function parallels(
  records: Collection<RecordDocument>,
  { key, partialFilterExpression = {} }: IndexDescription,
  { maxTimeMS = mostMs, limit = maxExamples }: LookOptions = {},
): Promise<{ readonly id: string }[]> {
  if (Object.values(key).some((kind) => typeof kind !== 'number')) return [];
  const places = [...new Set(Object.keys(key).flatMap(placesOf))];
  const isWithin = (inner: string, outer: string): boolean => inner.startsWith(`${outer}.`);
  const pairs = places.flatMap((one, at) =>
    places.slice(at + 1).flatMap((other) => (isWithin(one, other) || isWithin(other, one) ? [] : [[one, other]])),
  );
  if (pairs.length === 0) return [];
  const filter: Filter<Document> = {
    $and: [partialFilterExpression],
    $or: pairs.map((pair) => ({ $and: pair.map((place) => ({ [place]: { $type: 'array' } })) })),
  };
  const found = records.find(filter as Filter<RecordDocument>, {
    projection: { _id: 1 },
    limit,
    maxTimeMS,
  });
  return await found.map(({ _id }) => ({ id: _id })).toArray();
}

/**
 * Ids of records that have the same values in the fields of an index; an array stands there with each of its elements, and an empty one with a value of its
 * own, which is not that of a field that is not there.
 */
export async function duplicates(
  records: Collection<RecordDocument>,
  { key, partialFilterExpression = {} }: IndexDescription,
  { maxTimeMS = mostMs, limit = maxExamples }: LookOptions = {},
): Promise<{ readonly ids: string[] }[]> {
  const paths = Object.keys(key);
  // The outer ones first, so that fields of one element stay together.
  const places = [...new Set(paths.flatMap(placesOf))].sort((one, other) => one.length - other.length);
  const values = Object.fromEntries(
    paths.map((path, at) => [`k${at}`, [{ $ifNull: [`$empty${at}`, false] }, { $ifNull: [`$${path}`, null] }]]),
  );
  // Noted before it is unwound, which leaves nothing of it.
  const noteEmpty = (place: string): Document[] =>
    paths.includes(place) ? [{ $set: { [`empty${paths.indexOf(place)}`]: { $eq: [`$${place}`, []] } } }] : [];
  const stages: Document[] = [
    { $match: partialFilterExpression },
    // By the outermost names: of `a` and `a.b` a projection takes one.
    { $project: Object.fromEntries(paths.map((path) => [path.split('.', 2).join('.'), 1])) },
    ...places.flatMap((path) => [
      ...noteEmpty(path),
      { $unwind: { path: `$${path}`, preserveNullAndEmptyArrays: true } },
    ]),
    // A record may hold a value twice.
    { $group: { _id: { values, id: '$_id' } } },
    { $group: { _id: '$_id.values', ids: { $firstN: { n: maxExamples, input: '$_id.id' } }, count: { $sum: 1 } } },
    { $match: { count: { $gt: 1 } } },
    { $limit: limit },
    { $project: { _id: 0, ids: 1 } },
  ];
  return await records.aggregate<{ ids: string[] }>(stages, { maxTimeMS, allowDiskUse: true }).toArray();
}
