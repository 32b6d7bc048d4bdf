import type { ReadAfterOptions } from '@causeway/events';
import type { AggregationCursor, Document } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { compareText } from '../conditions/bson-order.ts';
import type { SortKey } from '../sorting/sort.ts';
import type { Caller } from '../rules/rule.ts';
import type { RecordQuery } from './asked-query.ts';
import type { FindOptions } from './find-records.ts';
import { projectionOf, visibleMatch } from './find-records.ts';
import type { RankedRecord } from './rank.ts';
import { rankKey } from './rank.ts';

/** Where a page of ranked records ended. */
interface RankPlace {
  readonly rank: number;
  readonly id: string;
}

/**
 * Finds what a caller may see of what is ranked: what has the words, the best first, and of equal ones by id; or what is near, the
 * nearest first, and of those that are equally far in no order ({@link inOrder}). The rank of a record depends on it and the query
 * alone, so that a page can go on after one: MongoDB counts words, and not how rare they are.
 *
 * @param query - with a `rank`
 */
export function findRanked(
  collection: Collection,
  caller: Caller,
  query: RecordQuery,
  { after, limit, timeoutMs, read }: FindOptions,
): AggregationCursor<RankedRecord> {
  const from = after === undefined ? undefined : placeIn(after);
  const visible = visibleMatch(collection, caller, query);
  const projection = { ...projectionOf(collection, caller, query), [rankKey]: 1 };
  const stages =
    query.near === undefined
      ? byScore(visible, from, limit)
      : [nearest(query.near, visible, from), ...afterPlace(from, '$gt')];
  return collection.records.native.aggregate<RankedRecord>([...stages, { $project: projection }], {
    ...read,
    ...(timeoutMs === undefined ? {} : { maxTimeMS: timeoutMs }),
    ...(limit === undefined ? {} : { batchSize: limit }),
  });
}

type CountOptions = ReadAfterOptions & { readonly limit?: number | undefined; readonly maxTimeMS: number };

/** Counts what is near. What has words is counted as anything else is. */
export async function countNear(
  collection: Collection,
  caller: Caller,
  near: NonNullable<RecordQuery['near']>,
  query: RecordQuery,
  { limit, ...options }: CountOptions,
): Promise<number> {
  const stages = [
    nearest(near, visibleMatch(collection, caller, query), undefined),
    ...(limit === undefined ? [] : [{ $limit: limit }]),
    { $count: 'count' },
  ];
  const [counted] = await collection.records.native.aggregate<{ count: number }>(stages, options).toArray();
  return counted?.count ?? 0;
}

function byScore(visible: Document, from: RankPlace | undefined, limit: number | undefined): Document[] {
  return [
    { $match: visible },
    { $addFields: { [rankKey]: { $meta: 'textScore' } } },
    ...afterPlace(from, '$lt'),
    { $sort: { [rankKey]: -1, _id: 1 } },
    ...(limit === undefined ? [] : [{ $limit: limit }]),
  ];
}

/** A distance is asked for a little nearer than it is: whether MongoDB takes a bound with it is a matter of rounding. */
const roundingMetres = 0.001;

function nearest(
  { path, point, minDistance, maxDistance }: NonNullable<RecordQuery['near']>,
  visible: Document,
  from: RankPlace | undefined,
): Document {
  const least = Math.max(minDistance ?? 0, from === undefined ? 0 : from.rank - roundingMetres);
  return {
    $geoNear: {
      near: point,
      key: path.storage,
      spherical: true,
      distanceField: rankKey,
      query: visible,
      ...(least === 0 ? {} : { minDistance: least }),
      ...(maxDistance === undefined ? {} : { maxDistance }),
    },
  };
}

/** What comes after a place: by rank, and of those with the same one by id. */
const afterPlace = (from: RankPlace | undefined, further: '$lt' | '$gt'): Document[] =>
  from === undefined
    ? []
    : [
        {
          $match: {
            $or: [{ [rankKey]: { [further]: from.rank } }, { [rankKey]: { $eq: from.rank }, _id: { $gt: from.id } }],
          },
        },
      ];

/** The key of a ranked row, for a cursor. */
export const rankedKeyOf = ({ [rankKey]: rank, _id: id }: RankedRecord): SortKey => [rank, id];

function placeIn([rank, id]: SortKey): RankPlace {
  if (typeof rank !== 'number' || typeof id !== 'string') throw new TypeError('not the key of a ranked row');
  return { rank, id };
}

/**
 * Puts what comes by its distance in order by id as well, where several are equally far: of these all are looked at, and no more
 * kept than are wanted.
 *
 * @param rows - by rank, rising
 * @param limit - rows that are wanted
 */
export async function* inOrder(rows: AsyncIterable<RankedRecord>, limit: number): AsyncGenerator<RankedRecord> {
  let wanted = limit;
  let equal: RankedRecord[] = [];
  for await (const row of rows) {
    if (equal[0] !== undefined && row[rankKey] !== equal[0][rankKey]) {
      yield* equal;
      wanted -= equal.length;
      if (wanted <= 0) return;
      equal = [];
    }
    const at = equal.findIndex(({ _id: id }) => compareText(row._id, id) < 0);
    equal.splice(at === -1 ? equal.length : at, 0, row);
    if (equal.length > wanted) equal.pop();
  }
  yield* equal;
}
