import { randomUUID } from 'node:crypto';

import type { Db } from 'mongodb';

interface ReplicaDocument {
  readonly _id: string;
  /** Of the master key that it was started with. */
  readonly masterKeyId: string;
  /** By MongoDB's clock. */
  readonly at: Date;
}

/** How often a replica says that it is there. */
export const announceEveryMs = 10_000;
/** Those that have said nothing for so long are gone. */
const goneAfterMs = 45_000;

const since = (ms: number) => ({ $subtract: ['$$NOW', ms] });

/** @param db - this service's, at majority */
const rowsOf = (db: Db) => db.collection<ReplicaDocument>('replicas');

/**
 * Makes what says that this replica is there, and with which master key it was started.
 *
 * @returns to be called again and again; it forgets those that are gone
 */
export const createAnnounce = (db: Db, masterKeyId: string): (() => Promise<void>) => {
  const _id = randomUUID();
  return async () => {
    await rowsOf(db).updateOne({ _id }, { $set: { masterKeyId }, $currentDate: { at: true } }, { upsert: true });
    await rowsOf(db).deleteMany({ $expr: { $lt: ['$at', since(10 * goneAfterMs)] } });
  };
};

/** @returns how many replicas run with each master key, by its id */
export const liveReplicas = async (db: Db): Promise<ReadonlyMap<string, number>> => {
  const live = await rowsOf(db)
    .find({ $expr: { $gte: ['$at', since(goneAfterMs)] } })
    .toArray();
  const counts = new Map<string, number>();
  for (const { masterKeyId } of live) counts.set(masterKeyId, (counts.get(masterKeyId) ?? 0) + 1);
  return counts;
};
