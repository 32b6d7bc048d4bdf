import { allFaults, failureOf, runFaults, type RoundReport } from '@causeway/events/faults';
import { bank } from '../faults/bank/bank.ts';
import { byServers } from '../faults/own-servers.ts';
import type { Row } from './report.ts';

/** Of the short form of this report: a replica killed, MongoDB killed, Kafka away. */
const few = ['kill-published', 'mongodb-killed', 'kafka-away'];

const rowOf = (round: RoundReport): Row => {
  const what = `recovery from ${round.fault}`;
  if (round.verdict === 'failed') return { what, measured: `failed: ${failureOf(round).split('\n')[1]?.trim() ?? ''}` };
  return {
    what,
    measured: `${(round.recoveryMs / 1000).toFixed(1)} s`,
    beside: `${round.events} events, ${round.duplicates} of them twice in Kafka`,
  };
};

/** As services look for what a bell has missed. */
const sweepMs = 10_000;

/**
 * The short form of each fault of the fault suite once, on the default driver: from the moment that it is healed until everything is
 * published and handled. On servers of its own.
 */
export async function measureRecovery({ short }: { short: boolean }): Promise<Row[]> {
  const rows: Row[] = [];
  const chosen = short ? allFaults.filter(({ name }) => few.includes(name)) : allFaults;
  for (const [start, faults] of byServers(chosen)) {
    const { servers, stop } = await start();
    try {
      const options = { ...bank(), servers, faults, sweepMs };
      const report = await runFaults({ ...options, seed: 1, driver: 'platformatic', short: true });
      rows.push(...report.rounds.map(rowOf));
    } finally {
      await stop();
    }
  }
  return rows;
}
