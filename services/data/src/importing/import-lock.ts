import { createHmac } from 'node:crypto';

import { idempotencyFaults } from '@causeway/events';
import type { IdempotentRequest } from '@causeway/events';
import type { Db } from 'mongodb';
import { MongoServerError } from 'mongodb';

/** An import that may be repeated, so far. Written plainly: nobody is told of it. */
interface ImportRow {
  readonly _id: string;
  /** When it was begun first: what the ids of its lines start with. */
  readonly startedAt: Date;
  /** Who is running it now. */
  readonly owner?: string;
  /** When that one counts as gone; it moves this on while it works. */
  readonly until?: Date;
  /** Its answer is kept with the other answers. */
  readonly done?: boolean;
  readonly expiresAt: Date;
}

/** An import that nobody else is running. */
export interface ImportLock {
  readonly startedAt: Date;
  /** It has been answered before: its lines need only be compared. */
  readonly done: boolean;
  /** What the ids of its lines are made with. */
  readonly key: Uint8Array;
  /**
   * Makes sure that it holds. It is renewed by itself until it is released, however slowly lines come, but not for longer than its key is known.
   *
   * @throws Fault `idempotency-key-in-use` where another run has it
   */
  renew(): Promise<void>;
  /** Lets it go: for good, or to be run again. */
  release(done: boolean): Promise<void>;
}

/** For so long the lock of a process that is gone is respected. */
const defaultLockMs = 30_000;
const dayMs = 24 * 60 * 60 * 1_000;
const [, inUse] = idempotencyFaults;

/** Makes the locks of imports. */
export function createImportLocks(db: Db, secret: Uint8Array, lockMs = defaultLockMs) {
  const rows = db.collection<ImportRow>('imports');

  const take = async (_id: string, owner: string): Promise<ImportRow> => {
    const now = Date.now();
    const until = new Date(now + lockMs);
    const free = { _id, $or: [{ owner: { $exists: false } }, { until: { $lt: new Date(now) } }] };
    // Each run has a day from its own beginning, and the ids of the first: what is done is known for no longer than its answer.
    const taken = {
      ...{ owner, until },
      startedAt: { $ifNull: ['$startedAt', new Date(now)] },
      expiresAt: { $cond: [{ $eq: ['$done', true] }, '$expiresAt', new Date(now + dayMs)] },
    };
    try {
      const row = await rows.findOneAndUpdate(free, [{ $set: taken }], { upsert: true, returnDocument: 'after' });
      if (row === null) throw inUse({ retryAfterS: 1 });
      return row;
    } catch (error) {
      // The upsert meets a row that is there and not free.
      if (error instanceof MongoServerError && error.code === 11_000) throw inUse({ retryAfterS: 1, cause: error });
      throw error;
    }
  };

  return {
    async ensureIndexes(): Promise<void> {
      await rows.createIndexes([{ key: { expiresAt: 1 } }]);
    },
    /**
     * @param request - the call; its body is not known yet
     * @param owner - unique to this run
     * @throws Fault `idempotency-key-in-use` while another one runs it
     */
    async lock({ principal, route, key }: Omit<IdempotentRequest, 'body'>, owner: string): Promise<ImportLock> {
      // As many go as come: rows without events need no more care.
      await rows.deleteMany({ expiresAt: { $lt: new Date() } });
      const mac = createHmac('sha256', secret).update(JSON.stringify(['import', principal, route, key]));
      const own = mac.digest();
      const _id = own.toString('base64url');
      const { startedAt, done = false } = await take(_id, owner);
      const renew = async (): Promise<void> => {
        const now = Date.now();
        const mine = { _id, owner, expiresAt: { $gt: new Date(now) } };
        const { matchedCount } = await rows.updateOne(mine, { $set: { until: new Date(now + lockMs) } });
        if (matchedCount === 0) throw inUse({ retryAfterS: 1 });
      };
      // A batch may take longer to arrive than the lock lasts. What fails here fails before the next batch, too.
      const renewing = setInterval(() => void renew().catch(() => undefined), lockMs / 3).unref();
      return {
        startedAt,
        done,
        key: own,
        renew,
        async release(isDone) {
          clearInterval(renewing);
          await rows.updateOne(
            { _id, owner },
            { $unset: { owner: true, until: true }, ...(isDone ? { $set: { done: true } } : {}) },
          );
        },
      };
    },
  };
}
