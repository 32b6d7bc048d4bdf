import type { ReadAfterOptions } from '@causeway/events';
import { MongoServerError } from 'mongodb';
import type { Document, FindCursor, ReadConcern, Sort } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { compileFilter } from '../conditions/compile-filter.ts';
import type { Condition, Value } from '../conditions/condition.ts';
import { compileAfterRow } from '../sorting/after-row.ts';
import { compileSort } from '../sorting/sort.ts';
import type { SortKey } from '../sorting/sort.ts';
import { OutOfTime } from '../pacing/look-time.ts';
import type { Caller } from '../rules/rule.ts';
import { createSight, visibleCondition as conditionSeen } from '../rules/see.ts';
import { projectionFor } from './project-record.ts';
import { rankKey } from './rank.ts';
import { queryNeedsIndex, queryTooCostly } from './queries.errors.ts';
import type { VisibleRecord } from '../records/record.model.ts';
import { queryTooSlow } from '../records/records.errors.ts';
import type { RecordQuery } from './asked-query.ts';

/** What a caller may see of what was asked for. */
export const visibleCondition = (
  collection: Collection,
  caller: Caller,
  { condition, at }: RecordQuery,
): Condition<Value> => conditionSeen(collection, caller, condition, { at });

/** A condition on rows that were put together of what a caller sees, as a MongoDB query. */
export const groupFilter = (condition: Condition<Value>): Document => compileFilter(condition);

/** What a caller may see of what was asked for, as a MongoDB query that stages and counts take: all but what `$near` says. */
export const visibleMatch = (collection: Collection, caller: Caller, query: RecordQuery): Document => {
  const visible = compileFilter(visibleCondition(collection, caller, query));
  return query.text === undefined ? visible : { $and: [{ $text: { $search: query.text.words } }, visible] };
};

/** What a caller may see of what was asked for, as a MongoDB query. */
function visibleFilter(collection: Collection, caller: Caller, query: RecordQuery): Document {
  const visible = visibleMatch(collection, caller, query);
  if (query.near === undefined) return visible;
  const { path, point, minDistance, maxDistance } = query.near;
  const near = {
    $geometry: point,
    ...(minDistance === undefined ? {} : { $minDistance: minDistance }),
    ...(maxDistance === undefined ? {} : { $maxDistance: maxDistance }),
  };
  return { $and: [{ [path.storage]: { $near: near } }, visible] };
}

/** What is read of a record: the rules of fields may look at any other. */
export const projectionOf = (collection: Collection, caller: Caller, query: RecordQuery): Document => {
  const isWhole = createSight(collection, caller, { at: query.at }).looksAtRecord;
  return projectionFor(isWhole ? undefined : query.fields, query.sort, query.expand);
};

/** Where to read: as `readAfter` says, or at one time; and what ends it. */
export interface Reading extends Omit<ReadAfterOptions, 'readConcern'> {
  readonly readConcern?: ReadConcern | NonNullable<ReadAfterOptions['readConcern']>;
  readonly signal?: AbortSignal;
}

/** How to find. */
export interface FindOptions {
  readonly after?: SortKey | undefined;
  readonly limit?: number;
  readonly timeoutMs?: number;
  readonly read: Reading;
}

/**
 * Finds what a caller may see, in order; as it is stored, to be shown by a `Sight`. What is ranked is read by `findRanked`: here it
 * has the same plan, but no ranks, and begins with its first page.
 */
export function findVisible(
  collection: Collection,
  caller: Caller,
  query: RecordQuery,
  { after, limit, timeoutMs, read }: FindOptions,
): FindCursor<VisibleRecord> {
  const visible = visibleFilter(collection, caller, query);
  const isFirst = after === undefined || query.rank !== undefined;
  const filter = isFirst ? visible : { $and: [visible, compileAfterRow(query.sort, after)] };
  const projection = projectionOf(collection, caller, query);
  const cursor = collection.records.native.find<VisibleRecord>(filter, { projection, ...read });
  // What is near comes in its order by itself.
  if (query.rank !== 'distance') cursor.sort(orderOf(query));
  if (limit !== undefined) cursor.limit(limit);
  if (timeoutMs !== undefined) cursor.maxTimeMS(timeoutMs);
  return cursor;
}

const orderOf = ({ rank, sort }: RecordQuery): Sort =>
  rank === 'score' ? { [rankKey]: { $meta: 'textScore' }, _id: 1 } : compileSort(sort);

/** MaxTimeMSExpired: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const timeIsUpCode = 50;

/** QueryExceededMemoryLimitNoDiskUseAllowed: what is to be put in order does not fit, where a server allows no disk. */
const memoryIsUpCode = 292;

/** Whether MongoDB gave up on something since it took longer than it may. */
export const isTimeUp = (error: unknown): boolean => error instanceof MongoServerError && error.code === timeIsUpCode;

/**
 * IndexNotFound and NoQueryExecutionPlans: the index of words or places that a query needs is being built, or does not hold what it asks
 * for.
 */
const noIndexCodes: ReadonlySet<unknown> = new Set([27, 291]);

/** The fault of a query that MongoDB gave up on; anything else as it is. */
export const faultOfQuery = (error: unknown): unknown => {
  if (isTimeUp(error) || error instanceof OutOfTime) return queryTooSlow({ cause: error });
  if (error instanceof MongoServerError && noIndexCodes.has(error.code)) {
    const detail = 'The index that the query needs is being built, or does not hold all that is asked for.';
    return queryNeedsIndex({ detail, extensions: { indexes: [] }, cause: error });
  }
  return error instanceof MongoServerError && error.code === memoryIsUpCode ? queryTooCostly({ cause: error }) : error;
};
