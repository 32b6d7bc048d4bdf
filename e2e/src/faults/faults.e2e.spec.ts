import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import type { KafkaDriver } from '@causeway/events';
import { allFaults, failureOf, runFaults, tableOf } from '@causeway/events/faults';
import { seed } from '../kills/seeded-random.ts';
import { bank } from './bank/bank.ts';
import { startOwnServers, type OwnServers } from './own-servers.ts';

const isLong = process.env.CAUSEWAY_TEST_LONG !== undefined;

/** In the short form each driver has its part of the faults; the long form has both go through more of them. */
const short: Readonly<Record<KafkaDriver, readonly string[]>> = {
  platformatic: ['kill-published', 'parking'],
  kafkajs: ['kill-handled', 'duplicates'],
};
const long = [
  'kill-recorded',
  'kill-unpublished',
  'kill-logged',
  ...short.platformatic,
  ...short.kafkajs,
  'kafka-away',
];

describe(`services under faults (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let own: OwnServers;

  before(async () => {
    own = await startOwnServers();
  });
  after(() => own.stop());

  for (const driver of ['platformatic', 'kafkajs'] as const) {
    const names = isLong ? long : short[driver];
    it(`on ${driver}: ${names.join(', ')}`, async (context) => {
      const faults = allFaults.filter(({ name }) => names.includes(name));
      assert.equal(faults.length, names.length);
      const { servers } = own;
      const { rounds } = await runFaults({ ...bank(), seed, driver, servers, faults, short: true });
      context.diagnostic(tableOf(rounds));
      const failed = rounds.filter(({ verdict }) => verdict !== 'kept');
      assert.equal(failed.length, 0, failed.map(failureOf).join('\n'));
    });
  }
});
