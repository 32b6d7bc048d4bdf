import type { KafkaDriver } from '../kafka/port.ts';
import type { Fault } from './fault.ts';
import { createFaultContext, type RoundContext } from './fault-context.ts';
import type { FaultsOptions } from './faults-options.ts';
import { checkAll } from './oracle/check-all.ts';
import { checkLoss } from './oracle/check-loss.ts';
import { checkPromptness, type Latencies } from './oracle/check-promptness.ts';
import type { History, ServiceHistory, Violation } from './oracle/history.ts';
import { untilQuiescent } from './oracle/quiescence.ts';
import { readHistory } from './oracle/read-history.ts';
import type { Random } from './seeded-random.ts';
import { startTraffic, type Traffic } from './traffic.ts';
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

/** Traffic while nothing is broken: before the fault, and after it. */
const calmCommands = ({ short = false }: FaultsOptions): number => (short ? 30 : 120);

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

interface Size {
  readonly events: number;
  /** How many records are there once more. */
  readonly again: number;
}

const sizeOf = ({ services }: History): Size => {
  const sum = (count: (service: ServiceHistory) => number): number =>
    services.reduce((all, each) => all + count(each), 0);
  return {
    events: sum(({ log }) => log.length),
    again: sum(({ published }) => published.length - new Set(published.map(({ event }) => event.id)).size),
  };
};

const passedOver = ({ fault, round, options: { driver, seed } }: RoundOptions): RoundReport => ({
  ...{ fault: fault.name, driver, seed, round, verdict: 'passed over' },
  ...{ commands: 0, acknowledged: 0, unknown: 0, events: 0, duplicates: 0, recoveryMs: 0, latencies: undefined },
  ...{ violations: [], notes: ['these servers do not offer what it needs'] },
});

/** What is found out in a round. */
interface Findings {
  readonly context: RoundContext;
  readonly violations: Violation[];
  readonly say: (text: string) => void;
}

/** Takes a failure for what it is, and goes on: what the services did in the end tells more. */
const noting =
  (violations: Violation[], when: string) =>
  (error: unknown): void => {
    const what = `${when}: ${error instanceof Error ? error.message : String(error)}`;
    violations.push({ check: 'bounded recovery', what });
  };

/**
 * Waits until everything is at rest; later than it may be is a violation.
 *
 * @returns how long it took; undefined where it never came to rest
 */
const rest = async (
  { world: { fleet, db, kafka }, options: { recoveryMs = 120_000 } }: RoundOptions,
  violations: Violation[],
): Promise<number | undefined> => {
  const { tookMs, left } = await untilQuiescent({ fleet, db, kafka }, recoveryMs);
  if (left === undefined) return tookMs;
  violations.push({ check: 'bounded recovery', what: `not at rest after ${Math.round(tookMs)} ms: ${left}` });
  // What is still under way cannot be told from what is lost.
  const later = await untilQuiescent({ fleet, db, kafka }, 2 * recoveryMs);
  return later.left === undefined ? tookMs + later.tookMs : undefined;
};

const startWriting = ({ world: { fleet, oracle }, options, random }: RoundOptions): Traffic => {
  const { workload, writers = 4, pauseMs = 200 } = options;
  return startTraffic({ fleet, oracle, workload, random: random.fork(), writers, pauseMs });
};

/** The fault, under traffic. @returns how long it took afterwards until everything was at rest */
const breakAndHeal = async (
  round: RoundOptions,
  { context, violations, say }: Findings,
): Promise<number | undefined> => {
  const { fault, options } = round;
  const writing = startWriting(round);
  await context.progress(calmCommands(options)).catch(noting(violations, 'before the fault'));
  await fault.inject(context).catch(noting(violations, 'during the fault'));
  say(context.notes.length === 0 ? 'healing' : `healing (${context.notes.join(', ')})`);
  const healing = performance.now();
  await fault.heal?.(context).catch(noting(violations, 'while it was healed'));
  const healedMs = Math.round(performance.now() - healing);
  await writing.stop();
  const tookMs = await rest(round, violations);
  say(
    `${tookMs === undefined ? 'never at rest' : `at rest after ${Math.round(tookMs)} ms`}; healing took ${healedMs} ms`,
  );
  return tookMs;
};

/** Traffic while nothing is broken. @returns since when */
const calm = async (round: RoundOptions, { context, violations }: Findings): Promise<number> => {
  const since = Date.now();
  const writing = startWriting(round);
  await context.progress(calmCommands(round.options)).catch(noting(violations, 'after the fault'));
  await writing.stop();
  await rest(round, violations);
  return since;
};

/** One fault under traffic: injected, healed, come to rest, a calm moment, and everything is read and held against the promises. */
export const runRound = async (round: RoundOptions): Promise<RoundReport> => {
  const { world, fault, options } = round;
  const { seed, driver, workload, promptMs = 20_000, onProgress } = options;
  if (fault.needs?.(options.servers) === false) return passedOver(round);
  const violations: Violation[] = [];
  const context = createFaultContext(round);
  const say = (text: string): void => onProgress?.(`${driver} ${fault.name}: ${text}`);
  const findings = { context, violations, say };

  say(fault.about);
  const before = { counts: countsOf(world), size: sizeOf(await readHistory({ ...world, commands: [] })) };
  const crashesBefore = world.fleet.crashes.length;
  const recoveryMs = await breakAndHeal(round, findings);
  const since = recoveryMs === undefined ? undefined : await calm(round, findings);

  const history = await readHistory({ ...world, commands: world.oracle.commands });
  let latencies: Latencies | undefined;
  // While something is under way still, there is nothing to say but what has not come.
  if (since === undefined) violations.push(...checkLoss(history));
  else {
    violations.push(...checkAll(history));
    const promptness = checkPromptness(history, { since, withinMs: promptMs });
    violations.push(...promptness.violations);
    ({ latencies } = promptness);
    for (const what of (await workload.verify?.(world.db)) ?? []) violations.push({ check: 'conservation', what });
  }
  for (const what of world.fleet.crashes.slice(crashesBefore)) violations.push({ check: 'no crash', what });
  if (violations.length > 0 && options.keepLogs !== false) context.note(`what the replicas said: ${world.logDir}`);

  const [size, counts] = [sizeOf(history), countsOf(world)];
  return {
    ...{ fault: fault.name, driver, seed, round: round.round },
    verdict: violations.length === 0 ? 'kept' : 'failed',
    commands: counts.commands - before.counts.commands,
    acknowledged: counts.acknowledged - before.counts.acknowledged,
    unknown: counts.unknown - before.counts.unknown,
    events: size.events - before.size.events,
    duplicates: size.again - before.size.again - context.injected,
    recoveryMs: recoveryMs ?? Infinity,
    latencies,
    violations,
    notes: context.notes,
  };
};
