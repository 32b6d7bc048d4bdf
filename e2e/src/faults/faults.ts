// `npm run test:faults`: a bank of three services under every fault, on servers of its own; with `--mutants`, proof that it notices.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { allFaults, failureOf, runFaults, tableOf, type RoundReport } from '@causeway/events/faults';
import type { KafkaDriver } from '@causeway/events';
import { bank } from './bank/bank.ts';
import { mutantTable, runMutants } from './mutants/run-mutants.ts';
import { byServers } from './own-servers.ts';

const usage = `usage: npm run test:faults -- [--seed <n>] [--driver platformatic|kafkajs] [--fault <name>]… [--rounds <n>] [--short]
       npm run test:faults -- --mutants [--mutant <name>]… [--seed <n>] [--driver platformatic|kafkajs]

Faults:
${allFaults.map(({ name, about }) => `  ${name.padEnd(22)}${about}`).join('\n')}`;

const drivers: readonly KafkaDriver[] = ['platformatic', 'kafkajs'];

interface Wanted {
  readonly seed: number;
  readonly rounds: number;
  readonly drivers: readonly KafkaDriver[];
  readonly faults: typeof allFaults;
  readonly short: boolean;
  readonly mutants: boolean;
  readonly mutant: readonly string[] | undefined;
}

/** @throws Error with the usage */
function readArguments(): Wanted {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      driver: { type: 'string' },
      fault: { type: 'string', multiple: true },
      rounds: { type: 'string', default: '1' },
      short: { type: 'boolean', default: false },
      mutants: { type: 'boolean', default: false },
      mutant: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const rounds = Number(values.rounds);
  const own = drivers.filter((each) => values.driver === undefined || values.driver === each);
  const isKnown = (values.fault ?? []).every((name) => allFaults.some((each) => each.name === name));
  const isSound = Number.isInteger(seed) && Number.isInteger(rounds) && rounds >= 1 && isKnown && own.length > 0;
  if (values.help || !isSound) throw new Error(usage);
  const faults = allFaults.filter(({ name }) => values.fault?.includes(name) ?? true);
  return { seed, rounds, drivers: own, faults, short: values.short, mutants: values.mutants, mutant: values.mutant };
}

type Progress = (text: string) => void;

async function runAll(wanted: Wanted, onProgress: Progress): Promise<boolean> {
  const { seed, rounds, short } = wanted;
  const all: RoundReport[] = [];
  for (const [start, faults] of byServers(wanted.faults)) {
    const own = await start();
    try {
      for (const driver of wanted.drivers) {
        const { servers } = own;
        const report = await runFaults({ ...bank(), seed, driver, servers, faults, rounds, short, onProgress });
        all.push(...report.rounds);
      }
    } finally {
      await own.stop();
    }
  }
  console.log(`\n${tableOf(all)}`);
  const failed = all.filter(({ verdict }) => verdict === 'failed');
  for (const round of failed) {
    const again = `--seed ${seed} --driver ${round.driver} --fault ${round.fault}${short ? ' --short' : ''}`;
    console.log(`\n${failureOf(round)}\n  again: npm run test:faults -- ${again}`);
  }
  return failed.length === 0;
}

async function proveIt(wanted: Wanted, onProgress: Progress): Promise<boolean> {
  const [driver = 'platformatic'] = wanted.drivers;
  const verdicts = await runMutants({ seed: wanted.seed, driver, only: wanted.mutant, onProgress });
  console.log(`\n${mutantTable(verdicts)}`);
  return verdicts.every(({ found }) => found);
}

async function main(): Promise<boolean> {
  const wanted = readArguments();
  console.log(`seed ${wanted.seed}`);
  const startedAt = performance.now();
  const onProgress: Progress = (text) => {
    console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  };
  return (wanted.mutants ? proveIt : runAll)(wanted, onProgress);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
