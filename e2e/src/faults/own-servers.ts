import { rm } from 'node:fs/promises';
import type { Fault, FaultServers } from '@causeway/events/faults';
import { startServers, throwAwayDir } from '@causeway/stack/testing';
import { forgetOplog, stepDown } from './mongodb-faults.ts';
import { threeMembers } from './three-members.ts';

/** Servers of this run alone, which can be broken. */
export interface OwnServers {
  readonly servers: FaultServers;
  readonly stop: () => Promise<void>;
}

const readyMs = 60_000;

/** Starts MongoDB and Kafka in a folder that is thrown away: one member of each, whatever can be done to them. */
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

/** The same with a MongoDB of three members, of which one can be cut off. */
export async function startOwnThreeMembers(): Promise<OwnServers> {
  const dir = await throwAwayDir();
  const { urls, servers, startMembers, stop } = await startServers({ dir });
  // Three others take its place.
  await servers.mongodb.stop();
  const { mongodb, close } = await threeMembers(await startMembers('members', 3));
  return {
    servers: { mongodb, kafka: { broker: urls.kafka } },
    stop: async () => {
      await close();
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Starts what a fault needs: three members for one that rolls back what one of them has taken alone. */
export const serversFor = ({ name }: Pick<Fault, 'name'>): (() => Promise<OwnServers>) =>
  name === 'mongodb-rolled-back' ? startOwnThreeMembers : startOwnServers;

/** Faults that bear the same servers, in their order, by how these are started. */
export function byServers(faults: readonly Fault[]): Map<() => Promise<OwnServers>, readonly Fault[]> {
  const groups = new Map<() => Promise<OwnServers>, readonly Fault[]>();
  for (const fault of faults) groups.set(serversFor(fault), [...(groups.get(serversFor(fault)) ?? []), fault]);
  return groups;
}
