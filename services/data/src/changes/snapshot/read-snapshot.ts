import type { Db, Document } from 'mongodb';
import { MongoServerError, ReadConcern, Timestamp } from 'mongodb';

import type { DefinitionDocument } from '../../collections/collection.model.ts';
import { definitionsCollection } from '../../collections/collection.model.ts';

/** A definition as it was at a time, and the way to read its records as they were then. */
export interface Snapshot {
  /** Everything up to it is in there, and nothing of after it. */
  readonly time: Timestamp;
  /** Undefined where the collection was gone. */
  readonly definition: DefinitionDocument | undefined;
  /** For each read at this time. */
  readonly readConcern: ReadConcern;
}

/** How long MongoDB may take for the definition. */
const definitionTimeoutMs = 5_000;

/**
 * SnapshotTooOld; SnapshotUnavailable, as where an index was built since and a read begins; QueryPlanKilled, where an index was dropped
 * that a read was going along.
 */
const unavailableCodes: ReadonlySet<unknown> = new Set([239, 246, 175]);

/** Whether MongoDB can no longer read at the time of a snapshot. */
export const isSnapshotGone = (error: unknown): boolean =>
  error instanceof MongoServerError && unavailableCodes.has(error.code);

/** For reads as of a time. */
export const readConcernAt = (time: Timestamp): ReadConcern =>
  Object.assign(new ReadConcern('snapshot'), { atClusterTime: time });

/**
 * Reads a definition at the last time of which MongoDB's majority knows, and names that time for further reads. MongoDB keeps 300 s
 * of history for them (`minSnapshotHistoryWindowInSeconds`).
 *
 * The time is said by hand, and not by a session of the driver's with `snapshot: true`: such a one leaves reads that have a read
 * concern already, as all of our database have, outside of the snapshot without a word, and keeps the time to itself.
 *
 * @param db - the service's database
 * @param definitionId - `col_…`
 * @param signal - ends it
 */
export async function openSnapshot(db: Db, definitionId: string, signal?: AbortSignal): Promise<Snapshot> {
  const command = {
    find: definitionsCollection,
    filter: { _id: definitionId },
    limit: 1,
    singleBatch: true,
    readConcern: { level: 'snapshot' },
    maxTimeMS: definitionTimeoutMs,
  };
  const { cursor } = (await db.command(command, { signal })) as {
    readonly cursor: { readonly atClusterTime?: unknown; readonly firstBatch: readonly Document[] };
  };
  const { atClusterTime, firstBatch } = cursor;
  if (!(atClusterTime instanceof Timestamp)) throw new TypeError('MongoDB does not say of when a snapshot is');
  return {
    time: atClusterTime,
    definition: firstBatch[0] as DefinitionDocument | undefined,
    readConcern: readConcernAt(atClusterTime),
  };
}
