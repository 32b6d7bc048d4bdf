import { randomUUID } from 'node:crypto';

import type { Db } from 'mongodb';

/** Sees to it that one replica at a time removes what is over. Two would only do each other's work: a record is deleted once. */
export interface ReaperLease {
  /** Takes it, or moves its end on. @returns whether it is ours, for {@link reaperLeaseMs} from now */
  hold(): Promise<boolean>;
  /** Gives it back, where it is ours. */
  release(): Promise<void>;
}

/** A replica that does not move it on for so long is gone. */
export const reaperLeaseMs = 30_000;

/** Makes it, for one replica; on the server's time, whatever a replica takes for now. */
export const createReaperLease = (db: Db): ReaperLease => {
  const leases = db.collection<{ _id: string; owner: string; until: Date }>('jobs');
  const _id = 'reap-expired';
  const owner = randomUUID();
  return {
    async hold() {
      const isFree = { $lte: [{ $ifNull: ['$until', new Date(0)] }, '$$NOW'] };
      const isOurs = { $or: [{ $eq: ['$owner', owner] }, isFree] };
      const until = { $dateAdd: { startDate: '$$NOW', unit: 'millisecond', amount: reaperLeaseMs } };
      const row = await leases.findOneAndUpdate(
        { _id },
        [{ $set: { owner: { $cond: [isOurs, owner, '$owner'] }, until: { $cond: [isOurs, until, '$until'] } } }],
        { upsert: true, returnDocument: 'after' },
      );
      return row?.owner === owner;
    },
    async release() {
      await leases.deleteOne({ _id, owner });
    },
  };
};
