import { rm } from 'node:fs/promises';
import type { FaultServers } from '@causeway/events/faults';
import { startServers, throwAwayDir } from '@causeway/stack/testing';
import { MongoClient } from 'mongodb';

/** Servers of this run alone, which can be broken. */
export interface OwnServers {
  readonly servers: FaultServers;
  readonly stop: () => Promise<void>;
}

const readyMs = 60_000;

/** Starts MongoDB and Kafka in a folder that is thrown away. */
export async function startOwnServers(): Promise<OwnServers> {
  const dir = await throwAwayDir();
  const { urls, servers, stop } = await startServers({ dir });
  const { mongodb, kafka } = servers;
  return {
    servers: {
      mongodb: {
        url: urls.mongodb,
        async kill() {
          const { restarts } = mongodb;
          mongodb.kill('SIGKILL');
          await mongodb.restarted(restarts + 1, readyMs);
        },
        stepDown: () => stepDown(urls.mongodb),
      },
      kafka: { broker: urls.kafka, stop: () => kafka.stop(), start: () => kafka.start() },
    },
    stop: async () => {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** For two seconds; a set of one elects itself again then. */
async function stepDown(url: string): Promise<void> {
  const client = await MongoClient.connect(url);
  try {
    const admin = client.db('admin');
    await admin.command({ replSetStepDown: 2, force: true });
    const deadline = performance.now() + readyMs;
    for (;;) {
      const { isWritablePrimary } = await admin.command({ hello: 1 });
      if (isWritablePrimary === true) return;
      if (performance.now() > deadline) throw new Error(`MongoDB is not primary again after ${readyMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await client.close();
  }
}
