import type { Cause } from '@causeway/contracts';
import { setTimeout as delay } from 'node:timers/promises';

import type { Fleet } from './fleet.ts';
import type { Oracle } from './oracle/commands.ts';
import type { Random } from './seeded-random.ts';
import type { Command, Workload } from './workload.ts';

/** How long a command is waited for: what comes of it after that is unknown. */
const patienceMs = 15_000;

/** Who got no answer does not ask at once again. */
const pauseAfterFailureMs = 100;

/** How {@link startTraffic} is wired. */
export interface TrafficOptions {
  readonly fleet: Fleet;
  readonly oracle: Oracle;
  readonly workload: Workload;
  readonly random: Random;
  /** How many commands are under way beside each other. */
  readonly writers: number;
  /** Between two commands of a writer, in milliseconds, on average. */
  readonly pauseMs: number;
}

/** Commands that are sent, whatever becomes of the services. */
export interface Traffic {
  /** Resolves when the last command has its answer, or will not get one. */
  stop(): Promise<void>;
}

type Sender = Pick<TrafficOptions, 'fleet' | 'oracle' | 'random'>;

/** Sends one command to any replica of its service. @returns whether it was acknowledged */
export const send = async ({ fleet, oracle, random }: Sender, command: Command): Promise<boolean> => {
  const there = fleet.of(command.service).filter(({ ready }) => ready);
  if (there.length === 0) return false;
  const cause: Cause = oracle.sent(command);
  const id = cause.correlationId;
  try {
    const question = { ask: 'run' as const, command: command.name, args: command.args, cause };
    oracle.acknowledged(id, (await random.pick(there).ask(question, patienceMs)) as readonly string[]);
    return true;
  } catch {
    oracle.unknown(id);
    return false;
  }
};

/** Starts writers, each with a seeded stream of commands of its own. */
export const startTraffic = (options: TrafficOptions): Traffic => {
  const { workload, random, writers, pauseMs } = options;
  let stopped = false;
  const write = async (own: Random): Promise<void> => {
    // Which commands there are follows from the seed alone; to whom they go, and when, from what happens too.
    const choices = own.fork();
    while (!stopped) {
      const acknowledged = await send({ ...options, random: own }, workload.next(choices));
      await delay(acknowledged ? pauseMs * 2 * own.next() : pauseAfterFailureMs);
    }
  };
  const running = Array.from({ length: writers }, () => write(random.fork()));
  return {
    async stop() {
      stopped = true;
      await Promise.all(running);
    },
  };
};
