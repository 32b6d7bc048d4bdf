import { setTimeout as delay } from 'node:timers/promises';

import type { FaultContext } from './fault.ts';
import type { FaultsOptions } from './faults-options.ts';
import type { Random } from './seeded-random.ts';
import type { World } from './world.ts';

const progressMs = 60_000;

/** What a fault is given, and what it has said. */
export interface RoundContext extends FaultContext {
  readonly notes: readonly string[];
  /** Records that the fault itself has put into topics a second time. */
  readonly injected: number;
}

/** What {@link createFaultContext} is given. */
export interface FaultContextOptions {
  readonly world: World;
  readonly random: Random;
  readonly options: FaultsOptions;
}

/** Makes the context of one fault. */
export const createFaultContext = ({ world, random, options }: FaultContextOptions): RoundContext => {
  const { fleet, oracle, kafka, db, forgetOffsets } = world;
  const { driver, servers, short = false, leaseMs = 2_000 } = options;
  const notes: string[] = [];
  let injected = 0;
  return {
    ...{ random, driver, fleet, servers, kafka, db, short, leaseMs, forgetOffsets, notes },
    get injected() {
      return injected;
    },
    async progress(commands, withinMs = progressMs) {
      const goal = oracle.acknowledgements + commands;
      const deadline = performance.now() + withinMs;
      while (oracle.acknowledgements < goal) {
        const missing = goal - oracle.acknowledgements;
        if (performance.now() > deadline)
          throw new Error(`${missing} of ${commands} commands were not acknowledged in ${withinMs} ms`);
        await delay(20);
      }
    },
    cause: (what) => oracle.sent({ service: '', name: what, args: {} }),
    duplicated(records) {
      injected += records;
    },
    note: (text) => void notes.push(text),
  };
};
