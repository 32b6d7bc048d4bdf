import type { ReadAfterOptions } from '@causeway/events';
import { MongoServerError } from 'mongodb';
import type { Document, FindCursor, ReadConcern } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { compileFilter } from '../conditions/compile-filter.ts';
import type { Condition, Value } from '../conditions/condition.ts';
import { compileAfterRow } from '../sorting/after-row.ts';
import { compileSort, sortKeyOf } from '../sorting/sort.ts';
import type { SortKey } from '../sorting/sort.ts';
import type { Caller } from '../rules/rule.ts';
import { createSight, visibleCondition as conditionSeen } from '../rules/see.ts';
import type { PagePlace } from './page-place.ts';
import { placeOf } from './page-place.ts';
import { projectionFor } from './project-record.ts';
import { queryTooCostly } from './queries.errors.ts';
import type { VisibleRecord } from '../records/record.model.ts';
import { queryTooSlow } from '../records/records.errors.ts';
import type { RecordQuery } from './asked-query.ts';

/** What a caller may see of what was asked for. */
export const visibleCondition = (
  collection: Collection,
  caller: Caller,
  { condition, at }: RecordQuery,
): Condition<Value> => conditionSeen(collection, caller, condition, { at });

/** What a caller may see of what was asked for, as a MongoDB query. */
export const visibleFilter = (collection: Collection, caller: Caller, query: RecordQuery): Document =>
  compileFilter(visibleCondition(collection, caller, query));

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

/** Finds what a caller may see, in order; as it is stored, to be shown by a `Sight`. */
export function findVisible(
  collection: Collection,
  caller: Caller,
  query: RecordQuery,
  { after, limit, timeoutMs, read }: FindOptions,
): FindCursor<VisibleRecord> {
  const visible = visibleFilter(collection, caller, query);
  const filter = after === undefined ? visible : { $and: [visible, compileAfterRow(query.sort, after)] };
  // The rules of fields may look at any other.
  const isWhole = createSight(collection, caller, { at: query.at }).looksAtRecord;
  const projection = projectionFor(isWhole ? undefined : query.fields, query.sort);
  const cursor = collection.records.native
    .find<VisibleRecord>(filter, { projection, ...read })
    .sort(compileSort(query.sort));
  if (limit !== undefined) cursor.limit(limit);
  if (timeoutMs !== undefined) cursor.maxTimeMS(timeoutMs);
  return cursor;
}

/** A page of records. */
export interface Page {
  /** JSON, one for each record. */
  readonly items: readonly string[];
  /** The last record's, where more come after it. */
  readonly next: PagePlace | undefined;
}

/** How to read a page. */
export interface PageOptions {
  /** The row that the page before ended with. */
  readonly after: SortKey | undefined;
  readonly limit: number;
  readonly timeoutMs: number;
  /** Of `readAfter`; and what ends it. */
  readonly read: ReadAfterOptions & { readonly signal?: AbortSignal };
  /** Shows a record, as it is stored. */
  readonly answer: (record: VisibleRecord) => unknown;
}

/** A page of large records ends before its limit. */
const maxPageLength = 8 * 1_048_576;

/** Reads a page: up to a number of records, or fewer where they are large. */
export async function readPage(
  collection: Collection,
  caller: Caller,
  query: RecordQuery,
  { after, limit, timeoutMs, read, answer }: PageOptions,
): Promise<Page> {
  const items: string[] = [];
  let length = 0;
  let last: VisibleRecord | undefined;
  // One more tells whether there is a next page.
  for await (const record of findVisible(collection, caller, query, { after, limit: limit + 1, timeoutMs, read })) {
    if (last !== undefined && (items.length === limit || length > maxPageLength)) {
      return { items, next: placeOf(last._id, sortKeyOf(query.sort, last)) };
    }
    const text = JSON.stringify(answer(record));
    items.push(text);
    length += text.length;
    last = record;
  }
  return { items, next: undefined };
}

/** MaxTimeMSExpired: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const timeIsUpCode = 50;

/** QueryExceededMemoryLimitNoDiskUseAllowed: what is to be put in order does not fit, where a server allows no disk. */
const memoryIsUpCode = 292;

/** Whether MongoDB gave up on something since it took longer than it may. */
export const isTimeUp = (error: unknown): boolean => error instanceof MongoServerError && error.code === timeIsUpCode;

/** The fault of a query that MongoDB gave up on; anything else as it is. */
export const faultOfQuery = (error: unknown): unknown => {
  if (isTimeUp(error)) return queryTooSlow({ cause: error });
  return error instanceof MongoServerError && error.code === memoryIsUpCode ? queryTooCostly({ cause: error }) : error;
};
