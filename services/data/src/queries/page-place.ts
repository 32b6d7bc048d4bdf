import { createHash } from 'node:crypto';

import { faults } from '@causeway/contracts';
import type { FindOneOptions } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { Sort, SortKey } from '../sorting/sort.ts';
import { sortKeyOf } from '../sorting/sort.ts';
import { projectionFor } from './project-record.ts';
import type { FaultPlace } from './refuse-query.ts';

/** A row whose values are too long for a cursor: they are read again, and compared by their hash. */
interface LongRow {
  readonly id: string;
  /** SHA-256 of the values as JSON, base64url. */
  readonly hash: string;
}

/** Where a page ended, as a cursor carries it. */
export type PagePlace = SortKey | LongRow;

/** A place, and the time that the filter speaks of, where it does. */
interface TimedPlace {
  readonly place: PagePlace;
  /** When the first page was read, in milliseconds since 1970. */
  readonly begunAt: number;
}

/** What a cursor carries. */
export type CarriedPlace = PagePlace | TimedPlace;

/**
 * What a cursor carries on to the next page.
 *
 * @param begunAt - when the first page was read; undefined where the filter does not ask for the time
 */
export const carry = (place: PagePlace, begunAt: Date | undefined): CarriedPlace =>
  begunAt === undefined ? place : { place, begunAt: begunAt.getTime() };

/** Reads {@link carry}. */
export const carried = (given: CarriedPlace): { readonly place: PagePlace; readonly begunAt: Date | undefined } =>
  'begunAt' in given ? { place: given.place, begunAt: new Date(given.begunAt) } : { place: given, begunAt: undefined };

/** Cursors stand in addresses and headers, and a value may have 512 KiB. */
const maxKeyBytes = 2_048;

/**
 * Where a page ended.
 *
 * @param id - the last row's
 * @param key - the last row's values under the sort
 */
export function placeOf(id: string, key: SortKey): PagePlace {
  const json = JSON.stringify(key);
  return Buffer.byteLength(json) <= maxKeyBytes ? key : { id, hash: hashOf(json) };
}

/**
 * The values of the row that a page ended with; undefined where none was.
 *
 * @param at - where the cursor was sent
 * @throws Fault `invalid-request` with `cursor-expired` where they were too long for the cursor and the row has other ones
 *   by now, or is gone: to go on from somewhere else would skip rows or repeat them
 */
export async function keyOfPlace(
  { records }: Pick<Collection, 'records'>,
  sort: Sort,
  { place, at }: { readonly place: PagePlace | undefined; readonly at: FaultPlace },
  options: FindOneOptions,
): Promise<SortKey | undefined> {
  if (place === undefined || isKey(place)) return place;
  const row = await records.native.findOne({ _id: place.id }, { projection: projectionFor([], sort), ...options });
  const key = row === null ? undefined : sortKeyOf(sort, row);
  if (key !== undefined && hashOf(JSON.stringify(key)) === place.hash) return key;
  const message = 'Begin again: the record that the page ended with has changed.';
  throw faults.invalidRequest({ errors: [{ ...at, code: 'cursor-expired', message }] });
}

const isKey = (place: PagePlace): place is SortKey => Array.isArray(place);

const hashOf = (json: string): string => createHash('sha256').update(json).digest('base64url');
