import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { allFaults, runFaults, type FaultServers } from '@causeway/events/faults';
import type { KafkaDriver } from '@causeway/events';
import { bank } from '../bank/bank.ts';
import { mutants } from './mutants.ts';

export interface MutantsOptions {
  readonly seed: number;
  readonly driver: KafkaDriver;
  readonly servers: FaultServers;
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
  /** The check that should tell has told. */
  readonly found: boolean;
  /** Of the first violation of such a check; of any other where there is none. */
  readonly said: string;
}

const preload = pathToFileURL(path.join(import.meta.dirname, 'mutate.ts')).href;

/** Runs the suite against each mutant: proof that it would notice. */
export async function runMutants({
  seed,
  driver,
  servers,
  only,
  onProgress,
}: MutantsOptions): Promise<MutantVerdict[]> {
  const verdicts: MutantVerdict[] = [];
  for (const mutant of mutants.filter(({ name }) => only?.includes(name) ?? true)) {
    onProgress(`mutant ${mutant.name}: ${mutant.about}`);
    const { rounds } = await runFaults({
      ...bank(),
      ...{ seed, driver, servers, onProgress, short: true, recoveryMs: 60_000, keepLogs: false },
      faults: allFaults.filter(({ name }) => name === mutant.fault),
      nodeArgs: ['--conditions=development', '--import', preload],
      // Without a cache of compiled code: it would not know which mutant it holds.
      env: { CAUSEWAY_FAULTS_MUTANT: mutant.name, NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: '1' },
    });
    const violations = rounds.flatMap((round) => round.violations);
    const telling = violations.find(({ check }) => mutant.toldBy.includes(check));
    const first = telling ?? violations[0];
    verdicts.push({
      ...{ name: mutant.name, about: mutant.about, fault: mutant.fault, seed },
      found: telling !== undefined,
      said: first === undefined ? 'nothing' : `${first.check}: ${first.what}`,
    });
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
