import { randomUUID } from 'node:crypto';

import type { Db } from 'mongodb';
import { MongoServerError } from 'mongodb';

interface Generation {
  readonly _id: string;
  readonly value: string;
  /** Of the replica set that the database was in, where we may know it. */
  readonly replicaSet?: string;
}

/**
 * Names the life of a database: another one after it has been restored into another replica set, so that places in the
 * order of commits are not taken for those of a former life.
 *
 * @param db - the service's database
 */
export async function readGeneration(db: Db): Promise<string> {
  const rows = db.collection<Generation>('settings');
  const replicaSet = await replicaSetOf(db);
  const row = { value: randomUUID(), ...(replicaSet === undefined ? {} : { replicaSet }) };
  const _id = 'generation';
  await rows.updateOne({ _id }, { $setOnInsert: row }, { upsert: true });
  if (replicaSet !== undefined) {
    await rows.updateOne({ _id, replicaSet: { $exists: true, $ne: replicaSet } }, { $set: row });
  }
  const there = await rows.findOne({ _id });
  if (there === null) throw new Error('the generation of the database was removed while it was read');
  return there.value;
}

/** The id of the replica set; undefined where we may not ask. */
async function replicaSetOf(db: Db): Promise<string | undefined> {
  try {
    const answer = await db.admin().command({ replSetGetConfig: 1 });
    const { config } = answer as { config?: { settings?: { replicaSetId?: { toString(): string } } } };
    return config?.settings?.replicaSetId?.toString();
  } catch (error) {
    if (error instanceof MongoServerError) return undefined;
    throw error;
  }
}
