// A replica in a process of its own that runs one batch and is killed over it: `batch-child.ts <database> <collection> <moment>`. At the
// moment `written` it says so before its transaction commits, and waits; at `recorded` it ends as soon as it has.
import process from 'node:process';

import { newEventId } from '@causeway/contracts';
import { createEvents, createIdempotency, createKafka } from '@causeway/events';
import { isolatedKafka } from '@causeway/events/testing';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import { createFieldKeys } from '../encryption/field-keys.ts';
import { parseBatch } from '../batch/parse-batch.ts';
import type { BatchTransaction } from '../batch/run-batch.ts';
import { createRunBatch } from '../batch/run-batch.ts';
import { createCollectionRegistry } from '../collections/collection-registry.ts';

const [database = '', collection = '', moment = '', json = '[]'] = process.argv.slice(2);
const { MONGODB_URL = '', KAFKA_BROKERS = '' } = process.env;
const logger = createLogger({ service: 'data', level: 'silent' });
const client = await MongoClient.connect(MONGODB_URL, { appName: 'causeway-data' });
const kafka = createKafka({ driver: 'platformatic', brokers: KAFKA_BROKERS.split(','), clientId: database, logger });
const events = createEvents({
  ...{ service: 'data', client, database, partitions: 2, logger },
  kafka: isolatedKafka(kafka, `${database}.`),
  failpoint: (name) => {
    if (moment === 'recorded' && name === 'recorded') process.kill(process.pid, 'SIGKILL');
  },
});
process.on('disconnect', () => process.exit(0));
const registry = createCollectionRegistry({ fieldKeys: createFieldKeys(undefined), events, db: events.db, logger });

const transaction: BatchTransaction = (work) =>
  events.transaction(async (session) => {
    const result = await work(session);
    if (moment !== 'written') return result;
    process.send?.('written');
    return await new Promise<never>(() => undefined);
  });
const idempotency = createIdempotency({ db: events.db, transaction, secret: new Uint8Array(32) });
const runBatch = createRunBatch({ events, registry, transaction, idempotency, now: () => new Date() });
const creates = Array.from({ length: 100 }, (_, index) => ({
  ...{ op: 'create', collection },
  fields: { title: `${moment} ${index}`, author: moment },
}));
const operations = parseBatch([...creates, ...(JSON.parse(json) as unknown[])]);
const cause = { correlationId: newEventId(), principal: { type: 'system' as const } };
const caller = { signedIn: true, administrator: true, auth: {} };
await runBatch(cause, { operations, caller, request: undefined, minimal: true });
