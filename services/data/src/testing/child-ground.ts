import process from 'node:process';

import { createEvents, createKafka } from '@causeway/events';
import type { Events } from '@causeway/events';
import { isolatedKafka } from '@causeway/events/testing';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';
import type { MongoClientOptions } from 'mongodb';

import { createFieldKeys } from '../encryption/field-keys.ts';

/**
 * Makes what a replica stands on that a spec starts as a process of its own, with the servers and the field key that it is given in the environment. It
 * ends with the process that has started it.
 *
 * @param database - of the spec
 * @param failpoint - called where its events get to
 * @param options - of its connection to MongoDB, besides
 */
export async function openChildGround(
  database: string,
  failpoint: (name: string) => void = () => undefined,
  options: Pick<MongoClientOptions, 'monitorCommands'> = {},
) {
  const { MONGODB_URL = '', KAFKA_BROKERS = '', CAUSEWAY_FIELD_KEY } = process.env;
  const logger = createLogger({ service: 'data', level: 'silent' });
  const client = await MongoClient.connect(MONGODB_URL, { appName: 'causeway-data', ...options });
  const kafka = createKafka({ driver: 'platformatic', brokers: KAFKA_BROKERS.split(','), clientId: database, logger });
  const events: Events = createEvents({
    ...{ service: 'data', client, database, partitions: 2, logger, failpoint },
    kafka: isolatedKafka(kafka, `${database}.`),
  });
  process.on('disconnect', () => process.exit(0));
  return { client, events, logger, fieldKeys: createFieldKeys(CAUSEWAY_FIELD_KEY) };
}
