import { faults, type EventEnvelope } from '@causeway/contracts';
import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  type Collection,
  type Db,
  type Filter,
} from 'mongodb';

import { eventLog, type LoggedEvent } from '../log/event-log.ts';
import { DuplicateKey, refusalsOnly } from './errors.ts';
import { awayCodes } from './outage.ts';
import type { RecordedDocument } from './recorded-document.ts';

/**
 * Whether an error leaves open if the write happened: the connection broke, the time was up, or the write was made but
 * not yet known to a majority. The driver has then tried once more by itself (retryable writes).
 */
export const isUnknownOutcome = (error: unknown): boolean => {
  if (!(error instanceof MongoError)) return false;
  // The driver wraps whatever becomes of a bulk.
  if (error instanceof MongoBulkWriteError) return refusalsOnly(error) === undefined;
  // The driver's own retry found no server: the first attempt may have got through all the same.
  if (error instanceof MongoServerSelectionError) return true;
  if (error instanceof MongoNetworkError || error.hasErrorLabel('RetryableWriteError')) return true;
  if (!(error instanceof MongoServerError)) return error.name.includes('Timeout');
  // https://www.mongodb.com/docs/manual/reference/error-codes/: WriteConcernFailed, MaxTimeMSExpired. A primary that steps down may say so of
  // the one write, where the driver puts no label on it.
  return error.code === 64 || error.code === 50 || awayCodes.has(error.code);
};

/** A write of which nobody can tell whether it was made. */
export const unsettled = (cause: unknown): Error =>
  faults.unavailable({ message: 'a write has an unknown outcome', retryAfterS: 1, cause });

/** Whether an event has reached a document or, already published, the log. */
export const isRecorded = async (db: Db, document: RecordedDocument | null, eventId: string): Promise<boolean> => {
  if (document?.event === eventId || document?.outbox.some((each) => each.id === eventId) === true) return true;
  return (await db.collection<LoggedEvent>(eventLog).findOne({ _id: eventId }, { projection: { _id: 1 } })) !== null;
};

/**
 * Finds out whether a create whose answer was lost was made.
 *
 * @throws {@link DuplicateKey} - somebody else's document has the id; `unavailable` - it was not made, or nobody can tell
 */
export const settleCreate = async <Doc extends RecordedDocument>(
  native: Collection<Doc>,
  db: Db,
  document: Doc,
  error: unknown,
): Promise<void> => {
  let there: RecordedDocument | null;
  let recorded: boolean;
  try {
    const projection = { event: 1, outbox: 1 };
    there = (await native.findOne({ _id: document._id } as Filter<Doc>, { projection })) as RecordedDocument | null;
    recorded = await isRecorded(db, there, document.event);
  } catch {
    throw unsettled(error);
  }
  if (recorded) return;
  // Ids may be derived from a request: then the first run of it has made the document.
  throw there === null ? unsettled(error) : new DuplicateKey({ _id: 1 }, { _id: document._id });
};

/**
 * Finds out whether an update whose answer was lost was made.
 *
 * @returns the document as it is now, or null where the update was not made and may be tried again
 * @throws `unavailable` - nobody can tell
 */
export const settleUpdate = async <Doc extends RecordedDocument>(
  native: Collection<Doc>,
  db: Db,
  id: string,
  event: EventEnvelope,
  error: unknown,
): Promise<Doc | null> => {
  try {
    const there = (await native.findOne({ _id: id } as Filter<Doc>)) as Doc | null;
    return (await isRecorded(db, there, event.id)) ? there : null;
  } catch {
    throw unsettled(error);
  }
};
