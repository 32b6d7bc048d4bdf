import { setTimeout as delay } from 'node:timers/promises';
import { crc32 } from 'node:zlib';

import type { KafkaDriver } from '../kafka/port.ts';
import type { FaultsOptions } from './faults-options.ts';
import { failureOf } from './report.ts';
import { runRound, type RoundReport } from './run-round.ts';
import { seededRandom, type Random } from './seeded-random.ts';
import { send } from './traffic.ts';
import { openWorld, type World } from './world.ts';

/** What came of a run. */
export interface FaultsReport {
  readonly seed: number;
  readonly driver: KafkaDriver;
  readonly rounds: readonly RoundReport[];
  /** Nothing that was promised was broken. */
  readonly ok: boolean;
}

const readyMs = 90_000;
const beginMs = 60_000;

const begin = async ({ fleet, oracle }: World, { workload }: FaultsOptions, random: Random): Promise<void> => {
  const deadline = performance.now() + beginMs;
  for (const command of workload.begin?.(random) ?? []) {
    while (!(await send({ fleet, oracle, random }, command))) {
      if (performance.now() > deadline) throw new Error(`${command.service} does not take ${command.name}`);
      await delay(50);
    }
  }
};

/**
 * Runs services under faults, and holds what they did against what is promised: nothing acknowledged is lost, nothing is there
 * that was not committed, each subject stays in order, each effect happens once, everything has its cause, and all comes to rest.
 *
 * @returns a verdict for each fault; it never throws for what the services did wrong
 * @throws Error - the services do not start, or do not take the commands that the workload begins with
 */
export const runFaults = async (options: FaultsOptions): Promise<FaultsReport> => {
  const { seed, driver, faults, rounds = 1, keepLogs = true, onProgress: say = () => undefined } = options;
  const random = seededRandom(seed);
  const reports: RoundReport[] = [];
  let world: World | undefined;
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const fault of faults) {
        // Of its own, so that a fault that is run alone, with the seed of a run of many, chooses as it did there.
        const own = seededRandom(seed + round + crc32(fault.name));
        if (world === undefined) {
          say(`${driver}: starting ${options.services.map(({ name }) => name).join(', ')}`);
          world = await openWorld(options, random.fork());
          await world.fleet.untilReady(readyMs);
          await begin(world, options, random.fork());
        }
        const report = await runRound({ world, fault, round, random: own, options });
        reports.push(report);
        // What is broken stays so: the next fault gets a world of its own.
        if (report.verdict !== 'failed') continue;
        say(failureOf(report));
        await world.close(keepLogs);
        world = undefined;
      }
    }
  } catch (error) {
    await world?.close(keepLogs);
    throw error;
  }
  await world?.close(false);
  return { seed, driver, rounds: reports, ok: reports.every(({ verdict }) => verdict !== 'failed') };
};
