import type { Fault } from '@causeway/contracts';

import { EventIds } from '../records/event-ids.ts';
import type { Outcome } from './outcome.ts';

/** A record that matched and was not written, and why. */
export interface RefusedRecord {
  readonly id: string;
  readonly problem: unknown;
}

/** What has become of all records of a call. */
export interface ManyResult {
  /** Records that met the filter when their turn came. */
  readonly matched: number;
  readonly written: number;
  readonly unchanged: number;
  /** The first 100, fewer where they are long; the others are counted as matched. */
  readonly refused: readonly RefusedRecord[];
  /** The events, as long as they are few. */
  readonly eventIds: readonly string[];
}

const maxRefused = 100;
const maxRefusedBytes = 65_536;

/** Counts what becomes of records. */
export interface Tally {
  add(id: string, outcome: Outcome): void;
  result(): ManyResult;
}

/** @param describe - shows a record's fault */
export function createTally(describe: (fault: Fault) => unknown): Tally {
  const counts = { matched: 0, written: 0, unchanged: 0 };
  const refused: RefusedRecord[] = [];
  const eventIds = new EventIds();
  let bytes = 0;
  return {
    add(id, outcome) {
      counts.matched += 1;
      if (outcome.kind !== 'refused') {
        counts[outcome.kind] += 1;
        if (outcome.kind === 'written' && outcome.eventId !== undefined) eventIds.add(outcome.eventId);
        return;
      }
      if (refused.length >= maxRefused || bytes >= maxRefusedBytes) return;
      const problem = describe(outcome.fault);
      bytes += Buffer.byteLength(JSON.stringify(problem));
      refused.push({ id, problem });
    },
    result: () => ({ ...counts, refused, eventIds: eventIds.named }),
  };
}
