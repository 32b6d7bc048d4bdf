import { rm } from 'node:fs/promises';
import type { FaultServers } from '@causeway/events/faults';
import { startServers, throwAwayDir } from '@causeway/stack/testing';
import { forgetOplog, stepDown } from './mongodb-faults.ts';

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
        forgetOplog: () => forgetOplog(urls.mongodb),
      },
      kafka: { broker: urls.kafka, stop: () => kafka.stop(), start: () => kafka.start() },
    },
    stop: async () => {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
