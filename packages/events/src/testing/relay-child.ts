// A replica in a process of its own, that can be frozen: `relay-child.ts <service> <database> <lease, ms>`. It changes its notes without
// end, and says `ready` once it does; it ends with its parent.
import { createLogger } from '@causeway/telemetry';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';

import { createEvents } from '../create-events.ts';
import { createKafka } from '../kafka/create-kafka.ts';
import { draft } from '../recording/recorded-document.ts';
import { noteEvents, testCause, type Note } from './test-events.ts';

const [service = '', database = '', leaseMs = ''] = process.argv.slice(2);
const logger = createLogger({ service, level: 'silent' });
const client = await MongoClient.connect(process.env.MONGODB_URL ?? '', { appName: service });
const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
const kafka = createKafka({ driver: 'platformatic', brokers, clientId: service, logger });
const contracts = noteEvents(service);
const events = createEvents({ service, client, database, kafka, partitions: 4, logger, leaseMs: Number(leaseMs) });
const notes = events.collection<Note>('notes', { thing: 'note' });
await events.start();
process.on('disconnect', () => process.exit(0));

const ids = Array.from({ length: 8 }, (_, index) => `child${index}`);
for (const id of ids)
  await notes.create(testCause(), { _id: id, state: { text: id }, event: draft(contracts.created, { text: id }) });
process.send?.('ready');

const touch = async (id: string, text: string): Promise<void> => {
  // One whose outcome is unknown after a freeze is in the log, or it is not: both are right.
  await notes
    .update(testCause(), id, () => ({ state: { text }, event: draft(contracts.updated, { text }) }))
    .catch(() => undefined);
};
for (let turn = 0; ; turn += 1) {
  await Promise.all(ids.map((id) => touch(id, String(turn))));
  await delay(5);
}
