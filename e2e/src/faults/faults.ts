// `npm run test:faults`: a bank of three services under every fault, on servers of its own.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { allFaults, failureOf, runFaults, tableOf, type FaultsReport } from '@causeway/events/faults';
import type { KafkaDriver } from '@causeway/events';
import { bank } from './bank/bank.ts';
import { startOwnServers } from './own-servers.ts';

const usage = `usage: npm run test:faults -- [--seed <n>] [--driver platformatic|kafkajs] [--fault <name>]… [--rounds <n>] [--short]

Faults: ${allFaults.map(({ name }) => name).join(', ')}`;

const drivers: readonly KafkaDriver[] = ['platformatic', 'kafkajs'];

function options() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      driver: { type: 'string' },
      fault: { type: 'string', multiple: true },
      rounds: { type: 'string', default: '1' },
      short: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(usage);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const rounds = Number(values.rounds);
  if (!Number.isInteger(seed) || !Number.isInteger(rounds) || rounds < 1) throw new Error(usage);
  const own = drivers.filter((each) => values.driver === undefined || values.driver === each);
  const unknown = (values.fault ?? []).find((name) => !allFaults.some((each) => each.name === name));
  if (unknown !== undefined || own.length === 0) throw new Error(usage);
  const faults = allFaults.filter(({ name }) => values.fault?.includes(name) ?? true);
  return { seed, rounds, drivers: own, faults, short: values.short };
}

async function main(): Promise<boolean> {
  const { seed, rounds, drivers: own, faults, short } = options();
  console.log(`seed ${seed}`);
  const servers = await startOwnServers();
  const reports: FaultsReport[] = [];
  const startedAt = performance.now();
  const onProgress = (text: string): void => {
    console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  };
  try {
    for (const driver of own) {
      const size = { accounts: 6, startBalance: 1_000, replicas: 2 };
      reports.push(
        await runFaults({ ...bank(size), seed, driver, servers: servers.servers, faults, rounds, short, onProgress }),
      );
    }
  } finally {
    await servers.stop();
  }
  const all = reports.flatMap((each) => each.rounds);
  console.log(`\n${tableOf(all)}`);
  for (const round of all.filter(({ verdict }) => verdict === 'failed')) {
    console.log(`\n${failureOf(round)}`);
    console.log(
      `  again: npm run test:faults -- --seed ${seed} --driver ${round.driver} --fault ${round.fault}${short ? ' --short' : ''}`,
    );
  }
  return reports.every(({ ok }) => ok);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
