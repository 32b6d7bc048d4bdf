// Started by specs that kill a replica: one of a service that records timers and nothing else. Says so once it leads.
import { defineEvent } from '@causeway/contracts';
import { createLogger } from '@causeway/telemetry';
import process from 'node:process';
import { MongoClient } from 'mongodb';
import { z } from 'zod';

import { createEvents } from '../create-events.ts';
import { createKafka } from '../kafka/create-kafka.ts';

const { MONGODB_URL = '', KAFKA_BROKERS = '' } = process.env;
const [service = '', database = '', partitions = ''] = process.argv.slice(2);
const logger = createLogger({ service, level: 'silent' });
const client = await MongoClient.connect(MONGODB_URL, { appName: service });
const kafka = createKafka({ driver: 'platformatic', brokers: KAFKA_BROKERS.split(','), clientId: service, logger });
const reminded = defineEvent({
  type: `${service}.reminder.due`,
  version: 1,
  thing: 'timer',
  description: 'In a test.',
  data: { text: z.string() },
});
const options = { service, client, database, kafka, partitions: Number(partitions), logger, leaseMs: 2_000 };
await createEvents({ ...options, timers: [reminded] }).start();
process.stdout.write('leads\n');
