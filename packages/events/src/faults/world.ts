import { MongoClient, ReadConcern, ReadPreference, type Db } from 'mongodb';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import { createKafka } from '../kafka/create-kafka.ts';
import type { KafkaPort } from '../kafka/port.ts';
import { isolatedKafka } from '../testing/isolated-kafka.ts';
import type { FaultsOptions } from './faults-options.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { createOracle, type Oracle } from './oracle/commands.ts';
import type { Random } from './seeded-random.ts';

/** Everything that one run has made, and takes away. */
export interface World {
  readonly fleet: Fleet;
  readonly oracle: Oracle;
  readonly kafka: KafkaPort;
  readonly db: (service: string) => Db;
  readonly forgetOffsets: (service: string) => Promise<void>;
  readonly logDir: string;
  /** @param keep - what the replicas have said */
  close(keep: boolean): Promise<void>;
}

/** Kafka refuses this while the group has members: those that have left may be there for a moment yet. */
const forgetGroup = async (brokers: readonly string[], groupId: string): Promise<void> => {
  const { Kafka, logLevel } = await import('kafkajs');
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const deadline = performance.now() + 30_000;
    for (;;) {
      try {
        await admin.deleteGroups([groupId]);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await delay(200);
      }
    }
  } finally {
    await admin.disconnect();
  }
};

/** A replica needs what this process needs to read its sources. */
const ownArgs = (): string[] => process.execArgv.filter((each) => /^(-C|--conditions|--import)/.test(each));

const ownEnv = (): NodeJS.ProcessEnv => {
  const compiled = process.env.NODE_COMPILE_CACHE ?? path.join(tmpdir(), 'causeway-faults-compiled');
  // What a test runner tells its own children is not for these.
  return { ...process.env, NODE_COMPILE_CACHE: compiled, NODE_TEST_CONTEXT: undefined };
};

/** Starts the replicas on databases and topics of their own. */
export const openWorld = async (options: FaultsOptions, random: Random): Promise<World> => {
  const { servers, driver, services, leaseMs = 2_000, sweepMs = 60_000 } = options;
  const run = randomBytes(4).toString('hex');
  const topicPrefix = `faults-${run}-`;
  const databaseOf = (service: string): string => `faults-${run}-${service}`;
  const logDir = await mkdtemp(path.join(tmpdir(), 'causeway-faults-'));
  const client = new MongoClient(servers.mongodb.url, { appName: 'causeway-faults', serverSelectionTimeoutMS: 5_000 });
  const brokers = [servers.kafka.broker];
  const real = createKafka({ driver, brokers, clientId: 'causeway-faults' });
  const kafka = isolatedKafka(real, topicPrefix);
  const fleet = await createFleet({
    ...{ services, servers, driver, topicPrefix, databaseOf, leaseMs, sweepMs, random, logDir },
    nodeArgs: options.nodeArgs ?? ownArgs(),
    env: { ...ownEnv(), ...options.env },
  });
  const db = (service: string): Db =>
    client.db(databaseOf(service), {
      readConcern: new ReadConcern('majority'),
      readPreference: ReadPreference.primary,
    });
  return {
    ...{ fleet, kafka, db, logDir, oracle: createOracle() },
    forgetOffsets: (service) => forgetGroup(brokers, `${topicPrefix}causeway-${service}`),
    async close(keep) {
      await fleet.close();
      for (const { name } of services)
        await client
          .db(databaseOf(name))
          .dropDatabase()
          .catch(() => undefined);
      await kafka.close();
      await client.close();
      if (!keep) await rm(logDir, { recursive: true, force: true });
    },
  };
};
