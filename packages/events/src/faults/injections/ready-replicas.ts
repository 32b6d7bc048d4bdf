import { setTimeout as delay } from 'node:timers/promises';

import type { FaultContext } from '../fault.ts';
import type { ReplicaProcess } from '../replica-process.ts';

const readyMs = 90_000;

/**
 * Those that are ready, in an order by chance; it waits until there is one.
 *
 * @throws Error - not in time
 */
export const readyReplicas = async ({
  fleet,
  random,
}: Pick<FaultContext, 'fleet' | 'random'>): Promise<[ReplicaProcess, ...ReplicaProcess[]]> => {
  const deadline = performance.now() + readyMs;
  for (;;) {
    const [first, ...others] = random.shuffled(fleet.replicas.filter(({ ready }) => ready));
    if (first !== undefined) return [first, ...others];
    if (performance.now() > deadline) throw new Error(`no replica is ready after ${readyMs} ms`);
    await delay(50);
  }
};
