import { MongoServerError } from 'mongodb';
import type { Db } from 'mongodb';

import { OutOfTime } from '../recording/out-of-time.ts';

/** So many collections are looked at side by side: each costs one look into an index that holds what waits alone. */
const atOnce = 16;

/** One count may take so long. */
const countMs = 5_000;

/** MaxTimeMSExpired: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const timeCode = 50;

const inTime = (error: unknown): never => {
  if (!(error instanceof MongoServerError) || error.code !== timeCode) throw error;
  throw new OutOfTime('MongoDB could not count in time what waits to be published', { cause: error });
};

/**
 * Counts the documents whose events wait to be published, for those who record more at once than the relay publishes: what they have
 * recorded is not to stand before everybody else's.
 *
 * @param collections - every collection with outboxes, tombstones included, as of now
 * @returns gives their number, or `limit` where there are as many or more; it throws OutOfTime where MongoDB takes too long
 */
export const createBacklog =
  (db: Db, collections: () => readonly string[]) =>
  async (limit: number): Promise<number> => {
    const names = collections();
    let waiting = 0;
    for (let at = 0; at < names.length && waiting < limit; at += atOnce) {
      const counted = names.slice(at, at + atOnce).map((name) =>
        db
          .collection(name)
          .countDocuments({ 'outbox.id': { $exists: true } }, { limit, maxTimeMS: countMs })
          .catch(inTime),
      );
      for (const count of await Promise.all(counted)) waiting += count;
    }
    return Math.min(waiting, limit);
  };
