import type { Timestamp } from 'mongodb';

import { heldBytes } from '../records/held-bytes.ts';
import type { Place } from './place.ts';
import { comesAfter } from './place.ts';
import type { RecordChange } from './record-change.ts';

/** The latest changes, in commit order and without holes, so that feeds resume without asking MongoDB. */
export interface ChangeHistory {
  add(change: RecordChange): void;
  /** Whether everything after a place is here. */
  covers(place: Place): boolean;
  /** The changes after a place that {@link covers} it. */
  after(place: Place): RecordChange[];
  /** Begins anew, after a position. */
  reset(position: Timestamp | undefined): void;
}

/** How a history is bounded. */
export interface ChangeHistoryOptions {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

interface Entry {
  readonly change: RecordChange;
  readonly sizeBytes: number;
  readonly at: number;
}

/** Of a change, beside what it tells of the record. */
const overheadBytes = 500;

/** Makes a history; it covers nothing before its first reset. */
export function createChangeHistory({ maxBytes, maxAgeMs, clock }: ChangeHistoryOptions): ChangeHistory {
  let entries: Entry[] = [];
  let first = 0;
  let bytes = 0;
  /** Everything after it is here. */
  let start: Timestamp | undefined;

  const forget = (): void => {
    const oldest = clock() - maxAgeMs;
    for (let entry = entries[first]; entry !== undefined; entry = entries[first]) {
      if (bytes <= maxBytes && entry.at >= oldest) break;
      bytes -= entry.sizeBytes;
      start = entry.change.position;
      first += 1;
    }
    // Cut off in large pieces: shift() would move all of them each time.
    if (first < 1_000 || first < entries.length / 2) return;
    entries = entries.slice(first);
    first = 0;
  };

  return {
    add(change) {
      const sizeBytes = heldBytes([change.before, change.after]) + overheadBytes;
      entries.push({ change, sizeBytes, at: clock() });
      bytes += sizeBytes;
      forget();
    },
    // Of a transaction at the start itself some may have been forgotten.
    covers: ({ position, eventId }) =>
      start !== undefined && (eventId === undefined ? position.greaterThanOrEqual(start) : position.greaterThan(start)),
    after(place) {
      const isAfter = comesAfter(place);
      const found: RecordChange[] = [];
      // Changes of one position have to be asked in turn, from the first on.
      for (let index = firstAt(place.position); index < entries.length; index += 1) {
        const entry = entries[index];
        if (entry !== undefined && isAfter(entry.change)) found.push(entry.change);
      }
      return found;
    },
    reset(position) {
      entries = [];
      first = 0;
      bytes = 0;
      start = position;
    },
  };

  /** Where the changes of a position begin, or would. */
  function firstAt(position: Timestamp): number {
    let [low, high] = [first, entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries[middle]?.change.position.lessThan(position) === true) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
