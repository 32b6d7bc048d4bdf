import { setTimeout as wait } from 'node:timers/promises';
import { Binary, MongoClient, MongoServerError, type Db, type Timestamp } from 'mongodb';

const patienceMs = 120_000;

async function withMongodb<T>(url: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = await MongoClient.connect(url);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Makes the primary give up its place for two seconds; a set of one elects itself again then. */
export function stepDown(url: string): Promise<void> {
  return withMongodb(url, async (client) => {
    const admin = client.db('admin');
    await admin.command({ replSetStepDown: 2, force: true });
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const { isWritablePrimary } = await admin.command({ hello: 1 });
      if (isWritablePrimary === true) return;
      if (performance.now() > deadline) throw new Error(`MongoDB is not primary again after ${patienceMs} ms`);
      await wait(50);
    }
  });
}

/** The least that an oplog can be made, in megabytes: https://www.mongodb.com/docs/manual/reference/command/replSetResizeOplog/ */
const leastOplog = 990;
/** Large, to be quick; yet small beside the cache of a `mongod` of tests, which refuses a write that would not fit. */
const pieceBytes = 4 * 1024 * 1024;

/** TransactionTooLargeForCache, TemporarilyUnavailable, by release: what was written before is still on its way to the disk. */
const cacheCodes: ReadonlySet<unknown> = new Set([388, 365]);
const isTooLarge = (error: unknown): boolean =>
  error instanceof MongoServerError &&
  (cacheCodes.has(error.code) || error.message.includes('will not fit in the storage engine cache'));

/** CappedPositionLost: the oplog was cut under a read of its end, which says nothing of the read or of MongoDB. */
const positionLost = 136;

/** Reads the time of one end of the oplog, again for as long as the oplog is cut there while it is read. */
async function oplogEnd(local: Db, end: 'oldest' | 'newest', deadline: number): Promise<Timestamp> {
  for (;;) {
    try {
      const $natural = end === 'oldest' ? 1 : -1;
      const entry = await local.collection('oplog.rs').find().sort({ $natural }).limit(1).next();
      return entry?.ts as Timestamp;
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== positionLost) throw error;
      if (performance.now() > deadline) throw error;
      await wait(50);
    }
  }
}

/** Writes the oplog full, as a busy day would, until it holds nothing of what was there. */
export function forgetOplog(url: string): Promise<void> {
  return withMongodb(url, async (client) => {
    const admin = client.db('admin');
    const local = client.db('local');
    const filling = client.db('faults-filling').collection<{ _id: number; piece: Binary }>('pieces', {
      writeConcern: { w: 1 },
    });
    const deadline = performance.now() + patienceMs;
    const now = await oplogEnd(local, 'newest', deadline);
    await admin.command({ replSetResizeOplog: 1, size: leastOplog, minRetentionHours: 0 });
    // All the same byte: it is small on disk, and counts in full for the oplog.
    for (let turn = 0; !(await oplogEnd(local, 'oldest', deadline)).greaterThan(now); turn += 1) {
      if (performance.now() > deadline) throw new Error(`the oplog still holds what it held, after ${patienceMs} ms`);
      const piece = new Binary(Buffer.alloc(pieceBytes, turn % 256));
      try {
        await filling.updateOne({ _id: 0 }, { $set: { piece } }, { upsert: true });
      } catch (error) {
        if (!isTooLarge(error)) throw error;
        await wait(250);
      }
    }
    await admin.command({ replSetResizeOplog: 1, size: leastOplog, minRetentionHours: 2 });
    // What is left is one document: the next time writes over it.
    await filling.deleteMany({});
  });
}
