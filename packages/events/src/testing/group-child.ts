// A replica in a process of its own that writes a group of notes and is killed over it: `group-child.ts <service> <database> <moment>`.
// At the moment `written` it says so before its transaction commits, and waits; at `recorded` it ends as soon as it has.
import { newEventId } from '@causeway/contracts';
import { createLogger } from '@causeway/telemetry';
import process from 'node:process';
import { MongoClient } from 'mongodb';

import { createEvents } from '../create-events.ts';
import { createKafka } from '../kafka/create-kafka.ts';
import { draft } from '../recording/recorded-document.ts';
import { noteEvents, testCause, type Note } from './test-events.ts';

const [service = '', database = '', moment = ''] = process.argv.slice(2);
const logger = createLogger({ service, level: 'silent' });
const client = await MongoClient.connect(process.env.MONGODB_URL ?? '', { appName: service });
const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
const kafka = createKafka({ driver: 'platformatic', brokers, clientId: service, logger });
const contracts = noteEvents(service);
const events = createEvents({
  ...{ service, client, database, kafka, partitions: 4, logger, leaseMs: 2_000 },
  failpoint: (name) => {
    if (moment === 'recorded' && name === 'recorded') process.kill(process.pid, 'SIGKILL');
  },
});
const notes = events.collection<Note>('notes', { thing: 'note' });
process.on('disconnect', () => process.exit(0));

const size = 200;
const writes = Array.from({ length: size }, (_, index) => ({
  kind: 'create' as const,
  creation: {
    _id: `${moment}${index}`,
    state: { text: moment },
    event: draft(contracts.created, { text: moment }),
  },
}));
await events.transaction(async (session) => {
  await notes.writeMany(testCause(), writes, { session, group: { id: newEventId(), index: 0, size } });
  if (moment !== 'written') return;
  process.send?.('written');
  await new Promise(() => undefined);
});
