import type { ReadAfterOptions } from '@causeway/events';

import type { Collection } from '../collections/collection-registry.ts';
import type { VisibleRecord } from '../records/record.model.ts';
import type { Caller } from '../rules/rule.ts';
import type { SortKey } from '../sorting/sort.ts';
import { sortKeyOf } from '../sorting/sort.ts';
import type { RecordQuery } from './asked-query.ts';
import { findVisible } from './find-records.ts';
import { findRanked, inOrder, rankedKeyOf } from './find-ranked.ts';
import type { PagePlace } from './page-place.ts';
import { placeOf } from './page-place.ts';
import type { RankedRecord } from './rank.ts';

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
  for await (const record of rowsOf(collection, caller, query, { after, limit: limit + 1, timeoutMs, read })) {
    if (last !== undefined && (items.length === limit || length > maxPageLength)) {
      return { items, next: placeOf(last._id, keyOf(query, last)) };
    }
    const text = JSON.stringify(answer(record));
    items.push(text);
    length += text.length;
    last = record;
  }
  return { items, next: undefined };
}

type RowOptions = Omit<PageOptions, 'answer'>;

/** Up to so many rows in order, whichever order that is. */
function rowsOf(
  collection: Collection,
  caller: Caller,
  query: RecordQuery,
  options: RowOptions,
): AsyncIterable<VisibleRecord> {
  if (query.rank === undefined) return findVisible(collection, caller, query, options);
  const ranked = findRanked(collection, caller, query, options);
  return query.rank === 'score' ? ranked : inOrder(ranked, options.limit);
}

const keyOf = ({ rank, sort }: RecordQuery, row: VisibleRecord): SortKey =>
  rank === undefined ? sortKeyOf(sort, row) : rankedKeyOf(row as RankedRecord);
