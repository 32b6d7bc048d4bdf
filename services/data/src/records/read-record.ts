import { faults } from '@causeway/contracts';
import type { Timestamp } from 'mongodb';

import type { Caller } from '../rules/rule.ts';
import { decide } from '../rules/rule.ts';
import type { FindCurrent } from './find-current.ts';
import type { VisibleRecord } from './record.model.ts';

/** Which record somebody wants to see. */
export interface ReadRecord {
  readonly collection: string;
  readonly id: string;
  readonly caller: Caller;
  /** The highest position that the caller has seen; without one, caches are passed by. */
  readonly after: Timestamp | undefined;
}

/** A record that was found. */
export interface FoundRecord {
  readonly record: VisibleRecord;
  /** The record as JSON, as it is answered. */
  readonly json: string;
  /** How far the commits reach that the answer reflects. */
  readonly position: Timestamp | undefined;
}

/** Where records are read. A caller's position decides whether a cache may answer. */
export interface RecordReader {
  /** @returns undefined where there is no such record */
  read(collectionId: string, id: string, after: Timestamp | undefined): Promise<FoundRecord | undefined>;
}

/**
 * Reads a record.
 *
 * @returns the use case; it throws fault `not-found` where there is none, or none that the caller may see
 */
export function createReadRecord({
  findCurrent,
  reader,
  now,
}: {
  readonly findCurrent: FindCurrent;
  readonly reader: RecordReader;
  readonly now: () => Date;
}) {
  return async ({ collection: name, id, caller, after }: ReadRecord): Promise<FoundRecord> => {
    const collection = await findCurrent(name, after);
    if (collection === undefined) throw faults.notFound();
    const found = await reader.read(collection.id, id, after);
    const context = { at: now() };
    if (found === undefined || !decide(collection.rules.read, caller, found.record, context)) throw faults.notFound();
    return found;
  };
}
