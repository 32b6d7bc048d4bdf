import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { allFaults, runFaults, type Fault, type Violation } from '@causeway/events/faults';
import type { KafkaDriver } from '@causeway/events';
import { bank } from '../bank/bank.ts';
import { serversFor, type OwnServers } from '../own-servers.ts';
import { mutants, type Mutant } from './mutants.ts';

export interface MutantsOptions {
  readonly seed: number;
  readonly driver: KafkaDriver;
  /** Names; left out: all of them. */
  readonly only?: readonly string[] | undefined;
  readonly onProgress: (text: string) => void;
}

/** What the suite has said about a mutant. */
export interface MutantVerdict {
  readonly name: string;
  readonly about: string;
  readonly fault: string;
  readonly seed: number;
  /** The check that should tell has told, and had nothing to tell where the same was run without the mutant. */
  readonly found: boolean;
  /** Of the first violation of such a check; of any other where there is none. */
  readonly said: string;
}

const preload = pathToFileURL(path.join(import.meta.dirname, 'mutate.ts')).href;

/** In place of a check: the run came to no end. */
const brokenOff = 'broken off';

/** What a check has told, or that there was nothing to check. */
type Told = Pick<Violation, 'what'> & { readonly check: Violation['check'] | typeof brokenOff };

interface Run {
  readonly violations: readonly Told[];
}

const first = (violations: readonly Told[]): string => {
  const [told] = violations;
  return told === undefined ? 'nothing' : `${told.check}: ${told.what}`;
};

/** Runs a fault, with a mutant or as it is. */
async function run(
  fault: Fault,
  mutant: Mutant | undefined,
  { seed, driver, onProgress }: MutantsOptions,
  { servers }: OwnServers,
): Promise<Run> {
  const { rounds } = await runFaults({
    ...bank(),
    ...{ seed, driver, servers, onProgress, short: true, keepLogs: false, faults: [fault] },
    ...(mutant === undefined
      ? {}
      : {
          nodeArgs: ['--conditions=development', '--import', preload],
          // Without a cache of compiled code: it would not know which mutant it holds.
          env: { CAUSEWAY_FAULTS_MUTANT: mutant.name, NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: '1' },
        }),
  });
  const wasRun = rounds.length > 0 && rounds.every(({ verdict }) => verdict !== 'passed over');
  if (!wasRun) throw new Error(`${fault.name} was passed over`);
  return { violations: rounds.flatMap(({ violations }) => violations) };
}

/**
 * Runs the suite against each mutant, and, with the same seed, against what is mutated as it is: proof that it would notice, and that
 * it is the mutant that it notices.
 */
export async function runMutants(options: MutantsOptions): Promise<MutantVerdict[]> {
  const { seed, only, onProgress } = options;
  const verdicts: MutantVerdict[] = [];
  const chosen = mutants.filter(({ name }) => only?.includes(name) ?? true);
  for (const fault of allFaults.filter(({ name }) => chosen.some((each) => each.fault === name))) {
    const own = await serversFor(fault)();
    try {
      onProgress(`${fault.name} without a mutant`);
      const control = await run(fault, undefined, options, own);
      for (const mutant of chosen.filter((each) => each.fault === fault.name)) {
        onProgress(`mutant ${mutant.name}: ${mutant.about}`);
        // A run that breaks off says nothing, and is not to take along what others have said.
        const { violations } = await run(fault, mutant, options, own).catch((error: unknown): Run => {
          const what = error instanceof Error ? error.message : String(error);
          return { violations: [{ check: brokenOff, what }] };
        });
        const telling = violations.filter(({ check }) => check !== brokenOff && mutant.toldBy.includes(check));
        const isKept = control.violations.length === 0;
        verdicts.push({
          ...{ name: mutant.name, about: mutant.about, fault: mutant.fault, seed },
          found: telling.length > 0 && isKept,
          said: isKept
            ? `${first(telling.length > 0 ? telling : violations)}; without it nothing`
            : `without the mutant: ${first(control.violations)}`,
        });
      }
    } finally {
      await own.stop();
    }
  }
  return verdicts;
}

/** One line a mutant: what the suite has said, and with which seed. */
export function mutantTable(verdicts: readonly MutantVerdict[]): string {
  return verdicts
    .map(({ name, about, fault, seed, found, said }) => {
      const verdict = found ? 'found' : 'NOT FOUND';
      return `${name} (${about}): ${verdict} under ${fault}, seed ${seed}\n  ${said}`;
    })
    .join('\n');
}
