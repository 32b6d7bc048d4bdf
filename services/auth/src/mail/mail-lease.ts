import { randomUUID } from 'node:crypto';

import type { Db } from 'mongodb';

/** Longer than an attempt may take: whoever holds one beyond it has died. */
export const mailLeaseMs = 60_000;

/** Sees to it that of two replicas that are given the same mail one sends it. */
export interface MailLeases {
  /** @returns gives the lease back; undefined where another replica has it */
  take(mailId: string): Promise<(() => Promise<void>) | undefined>;
  /** For a mail of which nothing is kept any more. */
  forget(mailIds: readonly string[]): Promise<void>;
}

/** Makes them, in a collection of their own: they are nothing that has happened, and no event. */
export const createMailLeases = (db: Db): MailLeases => {
  const leases = db.collection<{ _id: string; owner: string; until: Date }>('mail-leases');
  return {
    async take(mailId) {
      const owner = randomUUID();
      // On the server's time, whatever a replica takes for now.
      const free = { $lte: [{ $ifNull: ['$until', new Date(0)] }, '$$NOW'] };
      const until = { $dateAdd: { startDate: '$$NOW', unit: 'millisecond', amount: mailLeaseMs } };
      const row = await leases.findOneAndUpdate(
        { _id: mailId },
        [{ $set: { owner: { $cond: [free, owner, '$owner'] }, until: { $cond: [free, until, '$until'] } } }],
        { upsert: true, returnDocument: 'after' },
      );
      if (row?.owner !== owner) return undefined;
      return async () => {
        await leases.deleteOne({ _id: mailId, owner });
      };
    },
    async forget(mailIds) {
      await leases.deleteMany({ _id: { $in: [...mailIds] } });
    },
  };
};
