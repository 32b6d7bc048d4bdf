import { rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { startServers, throwAwayDir } from '@causeway/stack/testing';
import { Binary, MongoClient, MongoServerError, type Timestamp } from 'mongodb';

/** MongoDB of a test's own, which can be put to the test. */
export interface OwnMongodb {
  readonly url: string;
  readonly client: MongoClient;
  /**
   * Writes until a time is forgotten.
   *
   * @returns the time up to which it was written
   */
  readonly forget: (time: Timestamp) => Promise<Timestamp>;
  readonly stop: () => Promise<void>;
}

const replicaSet = 'own';
const pieceBytes = 2 * 1024 * 1024;
const patienceMs = 120_000;
/** CappedPositionLost: the oplog was cut under a read of its end. */
const positionLost = 136;

/**
 * Starts it: one member.
 *
 * @param oplogMegabytes - how much its oplog holds
 */
export async function startOwnMongodb(oplogMegabytes?: number): Promise<OwnMongodb> {
  const dir = await throwAwayDir();
  const { servers, startMembers, stop } = await startServers({ dir });
  // Those that the tests are given do as well.
  await Promise.all(Object.values(servers).map((each) => each.stop()));
  const [port] = await startMembers(replicaSet, 1, oplogMegabytes);
  const host = `127.0.0.1:${port}`;
  const first = await MongoClient.connect(`mongodb://${host}/?directConnection=true`);
  await first.db('admin').command({ replSetInitiate: { _id: replicaSet, members: [{ _id: 0, host }] } });
  await first.close();
  const url = `mongodb://${host}/?replicaSet=${replicaSet}`;
  const client = await MongoClient.connect(url, { serverSelectionTimeoutMS: patienceMs });
  const pieces = client.db('filling').collection<{ _id: number; piece: Binary }>('pieces', { writeConcern: { w: 1 } });

  const end = async ($natural: 1 | -1): Promise<Timestamp> => {
    for (;;) {
      try {
        const entry = await client.db('local').collection('oplog.rs').find().sort({ $natural }).limit(1).next();
        return entry?.ts as Timestamp;
      } catch (error) {
        if (!(error instanceof MongoServerError) || error.code !== positionLost) throw error;
      }
    }
  };
  return {
    url,
    client,
    async forget(time) {
      const deadline = performance.now() + patienceMs;
      for (let turn = 0; !(await end(1)).greaterThan(time); turn += 1) {
        if (performance.now() > deadline) throw new Error(`the oplog still holds what it held, after ${patienceMs} ms`);
        const piece = new Binary(Buffer.alloc(pieceBytes, turn % 256));
        await pieces.updateOne({ _id: 0 }, { $set: { piece } }, { upsert: true });
        await wait(20);
      }
      return end(-1);
    },
    async stop() {
      await client.close();
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
