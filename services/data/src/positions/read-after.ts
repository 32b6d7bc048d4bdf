import type { ClientSession, MongoClient, ReadConcernLike, Timestamp } from 'mongodb';
import { MongoServerError } from 'mongodb';

/** What a read is given so that it sees everything up to a position. */
export interface ReadOptions {
  readonly session?: ClientSession;
  readonly readConcern?: ReadConcernLike;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** InvalidOptions: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const invalidOptionsCode = 72;

/**
 * Reads what is at or after a position, whichever member of the replica set answers.
 *
 * @param after - the highest position that the caller has seen; undefined for none
 * @param read - is called again without a position that MongoDB's clock has not reached: that is none of this database's,
 *   as after a restore
 */
export async function readAfter<T>(
  client: MongoClient,
  after: Timestamp | undefined,
  read: (options: ReadOptions) => Promise<T>,
): Promise<T> {
  if (after === undefined) return read({});
  const session = client.startSession({ causalConsistency: true });
  try {
    session.advanceOperationTime(after);
    // With a read concern of its own: the driver writes a session's time into the one that all reads share.
    return await read({ session, readConcern: { level: 'majority' } });
  } catch (error) {
    if (error instanceof MongoServerError && error.code === invalidOptionsCode) return await read({});
    throw error;
  } finally {
    await session.endSession();
  }
}
