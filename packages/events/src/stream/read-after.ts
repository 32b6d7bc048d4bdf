import { MongoServerError } from 'mongodb';
import type { ClientSession, MongoClient, Timestamp } from 'mongodb';

/** InvalidOptions: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const invalidOptionsCode = 72;

/** How long MongoDB may wait for a position, and work on one small read. */
export const readAfterTimeoutMs = 5_000;

/** The options of one read; empty where there is nothing to wait for. */
export interface ReadAfterOptions {
  readonly session?: ClientSession;
  readonly readConcern?: { readonly level: 'majority' };
}

/**
 * Reads nothing older than a position. Whoever reads says how long it may take, the wait for the position included.
 *
 * @param after - what `Causeway-After` says; undefined where the caller has seen nothing
 * @param read - takes the options to read with
 */
export const readAfter = async <T>(
  client: MongoClient,
  after: Timestamp | undefined,
  read: (options: ReadAfterOptions) => Promise<T>,
): Promise<T> => {
  if (after === undefined) return read({});
  const session = client.startSession({ causalConsistency: true });
  try {
    session.advanceOperationTime(after);
    // With a read concern of its own: the driver writes a session's time into the one that all reads share.
    return await read({ session, readConcern: { level: 'majority' } });
  } catch (error) {
    // A position that MongoDB's clock has not reached is none of this database's, as after a restore: nothing to wait for.
    if (error instanceof MongoServerError && error.code === invalidOptionsCode) return await read({});
    throw error;
  } finally {
    await session.endSession();
  }
};
