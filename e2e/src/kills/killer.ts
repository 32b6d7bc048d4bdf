import type { TestReplicas } from '@causeway/stack/testing';
import { killAndWait } from '../harness/kill-and-wait.ts';
import { recoveryMs } from './survives.ts';

/** What may be killed: of data and gateway there are two, the second ones behind each other. */
export type Victim = 'auth' | 'data' | 'data-2' | 'gateway' | 'gateway-2' | 'kafka' | 'mongodb' | 'redis' | 'user';

/** Kills one after the other, sooner than the one before has come back. */
export interface Killer {
  /** Kills it, once it and its twin are there, so that there is always a way in; returns before it is there again. */
  readonly kill: (victim: Victim) => Promise<void>;
  /** Resolves when everything is there again. */
  readonly allBack: () => Promise<void>;
}

const twins: Readonly<Partial<Record<Victim, Victim>>> = {
  data: 'data-2',
  'data-2': 'data',
  gateway: 'gateway-2',
  'gateway-2': 'gateway',
};

export function createKiller(replicas: TestReplicas): Killer {
  const coming = new Map<Victim, Promise<void>>();

  const killAndAwait = async (victim: Victim): Promise<void> => {
    if (victim !== 'data-2' && victim !== 'gateway-2') return killAndWait([victim], recoveryMs);
    const replica = victim === 'data-2' ? replicas.data : replicas.gateway;
    const { restarts } = replica;
    replica.kill();
    await replica.restarted(restarts + 1, recoveryMs);
  };

  return {
    async kill(victim) {
      const twin = twins[victim];
      await Promise.all([coming.get(victim), twin === undefined ? undefined : coming.get(twin)]);
      const back = killAndAwait(victim);
      // Looked at by whoever waits for it.
      back.catch(() => undefined);
      coming.set(victim, back);
    },
    async allBack() {
      await Promise.all(coming.values());
    },
  };
}
