import { setTimeout as delay } from 'node:timers/promises';

import type { KafkaDriver } from '../kafka/port.ts';
import type { Fault, FaultContext } from './fault.ts';
import type { FaultsOptions } from './faults-options.ts';
import { checkAll } from './oracle/check-all.ts';
import { checkPromptness, type Latencies } from './oracle/check-promptness.ts';
import type { History, Violation } from './oracle/history.ts';
import { untilQuiescent } from './oracle/quiescence.ts';
import { readHistory } from './oracle/read-history.ts';
import type { Random } from './seeded-random.ts';
import { startTraffic } from './traffic.ts';
import type { World } from './world.ts';

/** What came of one fault. */
export interface RoundReport {
  readonly fault: string;
  readonly driver: KafkaDriver;
  readonly seed: number;
  readonly round: number;
  readonly verdict: 'kept' | 'failed' | 'passed over';
  /** In this round: commands that were sent, acknowledged, and those whose outcome nobody knows. */
  readonly commands: number;
  readonly acknowledged: number;
  readonly unknown: number;
  /** Recorded in this round. */
  readonly events: number;
  /** Records of this round that Kafka holds once more, without those that the fault itself has put there. */
  readonly duplicates: number;
  /** From the moment that the fault was healed until everything was at rest. */
  readonly recoveryMs: number;
  /** From recorded to the effect, once all was well again. */
  readonly latencies: Latencies | undefined;
  readonly violations: readonly Violation[];
  readonly notes: readonly string[];
}

/** What {@link runRound} is given. */
export interface RoundOptions {
  readonly world: World;
  readonly fault: Fault;
  readonly round: number;
  readonly random: Random;
  readonly options: FaultsOptions;
}

const progressMs = 60_000;

/** Traffic while nothing is broken: before the fault, and after it. */
const calmCommands = { short: 30, long: 120 };

interface Counts {
  readonly commands: number;
  readonly acknowledged: number;
  readonly unknown: number;
}

const countsOf = ({ oracle }: World): Counts => {
  // What a fault does to services itself, such as a redrive, is not of the workload.
  const commands = oracle.commands.filter(({ service }) => service !== '');
  const of = (outcome: string): number => commands.filter((each) => each.outcome === outcome).length;
  return { commands: commands.length, acknowledged: of('acknowledged'), unknown: of('unknown') };
};

const sizeOf = (
  history: History,
): { readonly events: number; readonly records: number; readonly distinct: number } => ({
  events: history.services.reduce((sum, { log }) => sum + log.length, 0),
  records: history.services.reduce((sum, { published }) => sum + published.length, 0),
  distinct: history.services.reduce(
    (sum, { published }) => sum + new Set(published.map(({ event }) => event.id)).size,
    0,
  ),
});

/** One fault under traffic: injected, healed, come to rest, a calm moment, and everything is read and held against the promises. */
export const runRound = async ({ world, fault, round, random, options }: RoundOptions): Promise<RoundReport> => {
  const { fleet, oracle, kafka, db } = world;
  const {
    seed,
    driver,
    servers,
    workload,
    short = false,
    recoveryMs = 90_000,
    promptMs = 12_000,
    writers = 4,
    pauseMs = 200,
  } = options;
  const say = options.onProgress ?? (() => undefined);
  const notes: string[] = [];
  const violations: Violation[] = [];
  const calm = short ? calmCommands.short : calmCommands.long;
  let injected = 0;

  const progress = async (commands: number, withinMs = progressMs): Promise<void> => {
    const goal = oracle.acknowledgements + commands;
    const deadline = performance.now() + withinMs;
    while (oracle.acknowledgements < goal) {
      if (performance.now() > deadline)
        throw new Error(
          `${goal - oracle.acknowledgements} of ${commands} commands were not acknowledged in ${withinMs} ms`,
        );
      await delay(20);
    }
  };
  const traffic = () => startTraffic({ fleet, oracle, workload, random: random.fork(), writers, pauseMs });
  const rest = async (): Promise<number> => {
    const { tookMs, left } = await untilQuiescent({ fleet, db, kafka }, recoveryMs);
    if (left !== undefined)
      violations.push({ check: 'bounded recovery', what: `not at rest after ${Math.round(tookMs)} ms: ${left}` });
    return tookMs;
  };
  const base = { fault: fault.name, driver, seed, round };
  if (fault.needs?.(servers) === false) {
    const nothing = { commands: 0, acknowledged: 0, unknown: 0, events: 0, duplicates: 0, recoveryMs: 0 };
    const why = ['these servers do not offer what it needs'];
    return { ...base, ...nothing, verdict: 'passed over', latencies: undefined, violations: [], notes: why };
  }

  const context: FaultContext = {
    ...{ random, driver, fleet, servers, kafka, db, short, progress },
    leaseMs: options.leaseMs ?? 2_000,
    cause: (what) => oracle.sent({ service: '', name: what, args: {} }),
    forgetOffsets: world.forgetOffsets,
    duplicated(records) {
      injected += records;
    },
    note: (text) => void notes.push(text),
  };
  const failed = (during: string) => (error: unknown) => {
    violations.push({
      check: 'bounded recovery',
      what: `${during}: ${error instanceof Error ? error.message : String(error)}`,
    });
  };

  say(`${driver} ${fault.name}: ${fault.about}`);
  const before = { counts: countsOf(world), size: sizeOf(await readHistory({ ...world, commands: [] })) };
  const crashesBefore = fleet.crashes.length;
  const writing = traffic();
  await progress(calm).catch(failed('before the fault'));
  await fault.inject(context).catch(failed('during the fault'));
  say(`${driver} ${fault.name}: healing${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`);
  const healing = performance.now();
  await fault.heal?.(context).catch(failed('while it was healed'));
  const healedMs = performance.now() - healing;
  await writing.stop();
  const tookMs = await rest();
  say(
    `${driver} ${fault.name}: at rest ${Math.round(tookMs)} ms after it was healed, which took ${Math.round(healedMs)} ms`,
  );

  const since = Date.now();
  const after = traffic();
  await progress(calm).catch(failed('after the fault'));
  await after.stop();
  await rest();

  const history = await readHistory({ fleet, db, kafka, commands: oracle.commands });
  violations.push(...checkAll(history));
  const { latencies, violations: late } = checkPromptness(history, { since, withinMs: promptMs });
  violations.push(...late);
  for (const what of (await workload.verify?.(db)) ?? []) violations.push({ check: 'conservation', what });
  for (const what of fleet.crashes.slice(crashesBefore)) violations.push({ check: 'no crash', what });
  if (violations.length > 0) notes.push(`what the replicas said: ${world.logDir}`);

  const [size, counts] = [sizeOf(history), countsOf(world)];
  const twice = size.records - size.distinct - (before.size.records - before.size.distinct);
  return {
    ...base,
    verdict: violations.length === 0 ? 'kept' : 'failed',
    commands: counts.commands - before.counts.commands,
    acknowledged: counts.acknowledged - before.counts.acknowledged,
    unknown: counts.unknown - before.counts.unknown,
    events: size.events - before.size.events,
    duplicates: twice - injected,
    recoveryMs: tookMs,
    latencies,
    violations,
    notes,
  };
};
