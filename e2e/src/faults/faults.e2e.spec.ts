import assert from 'node:assert/strict';
import process from 'node:process';
import { after, describe, it } from 'node:test';
import type { KafkaDriver } from '@causeway/events';
import { allFaults, failureOf, runFaults, seededRandom, tableOf, type Fault } from '@causeway/events/faults';
import { seed } from '../kills/seeded-random.ts';
import { bank } from './bank/bank.ts';
import { byServers, serversFor, startOwnServers, type OwnServers } from './own-servers.ts';

const isLong = process.env.CAUSEWAY_TEST_LONG !== undefined;

/** Of those that one member of each server is enough for. */
const perDriver = 2;

/** The long form has both drivers go through all faults; in the short one each has some, by the seed: in time all of them. */
const shuffled = seededRandom(seed).shuffled(allFaults.filter((fault) => serversFor(fault) === startOwnServers));
const faultsOf: Readonly<Record<KafkaDriver, readonly Fault[]>> = {
  platformatic: isLong ? allFaults : shuffled.slice(0, perDriver),
  kafkajs: isLong ? allFaults : shuffled.slice(perDriver, 2 * perDriver),
};

describe(`services under faults (CAUSEWAY_TEST_SEED=${seed})`, () => {
  const running = new Map<() => Promise<OwnServers>, OwnServers>();
  const started = async (start: () => Promise<OwnServers>): Promise<OwnServers> => {
    const own = running.get(start) ?? (await start());
    running.set(start, own);
    return own;
  };

  after(async () => {
    for (const own of running.values()) await own.stop();
  });

  for (const driver of ['platformatic', 'kafkajs'] as const) {
    for (const [start, faults] of byServers(faultsOf[driver])) {
      it(`on ${driver}: ${faults.map(({ name }) => name).join(', ')}`, async (context) => {
        const { servers } = await started(start);
        const { rounds } = await runFaults({ ...bank(), seed, driver, servers, faults, short: true });
        context.diagnostic(tableOf(rounds));
        const failed = rounds.filter(({ verdict }) => verdict !== 'kept');
        assert.equal(failed.length, 0, failed.map(failureOf).join('\n'));
      });
    }
  }
});
