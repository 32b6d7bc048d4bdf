// A replica in a process of its own that raises `n` of all records by filter, and is killed once it has recorded so many events:
// `by-filter-child.ts <database> <collection> <filter> <events>`.
import process from 'node:process';

import { newEventId } from '@causeway/contracts';
import { createEvents, createKafka } from '@causeway/events';
import { isolatedKafka } from '@causeway/events/testing';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import { createFieldKeys } from '../encryption/field-keys.ts';
import { createChangeMatching } from '../by-filter/change-matching.ts';
import { createRunByFilter } from '../by-filter/run-by-filter.ts';
import { createCollectionRegistry } from '../collections/collection-registry.ts';
import { createCursorCodec } from '../cursors/cursor-codec.ts';
import { operatorsType } from '../operators/parse-operators.ts';
import { patchOf } from '../records/patch-bodies.ts';

const [database = '', name = '', filter = '{}', mostEvents = '0'] = process.argv.slice(2);
const { MONGODB_URL = '', KAFKA_BROKERS = '' } = process.env;
const logger = createLogger({ service: 'data', level: 'silent' });
const client = await MongoClient.connect(MONGODB_URL, { appName: 'causeway-data' });
const kafka = createKafka({ driver: 'platformatic', brokers: KAFKA_BROKERS.split(','), clientId: database, logger });
let recorded = 0;
const events = createEvents({
  ...{ service: 'data', client, database, partitions: 2, logger },
  kafka: isolatedKafka(kafka, `${database}.`),
  failpoint: (at) => {
    if (at !== 'recorded') return;
    recorded += 1;
    if (recorded >= Number(mostEvents)) process.kill(process.pid, 'SIGKILL');
  },
});
process.on('disconnect', () => process.exit(0));
const registry = createCollectionRegistry({ fieldKeys: createFieldKeys(undefined), events, db: events.db, logger });
const now = (): Date => new Date();
const runByFilter = createRunByFilter({
  ...{ events, client, now, queryTimeoutMs: 5_000 },
  findCurrent: (each) => registry.find(each),
  cursors: createCursorCodec(new Uint8Array(32)),
  admit: { demand: () => Promise.resolve(), judge: () => Promise.reject(new Error('nobody asks')) },
});
const changeMatching = createChangeMatching({ events, registry, now });
const cause = { correlationId: newEventId(), principal: { type: 'system' as const } };
const { signal } = new AbortController();
await runByFilter({
  name,
  asked: {
    filter: JSON.parse(filter) as unknown,
    limit: 10_000,
    dryRun: false,
    partial: false,
    cursor: undefined,
    scan: false,
  },
  call: {
    token: { sub: 'usr_1', sid: 'ses_1', clientId: 'app', roles: ['admin'] } as never,
    ...{ principal: undefined, headers: {}, ifMatch: undefined, signal, draining: signal },
  },
  judgements: ['update-before', 'update-after'],
  chunkSize: 50,
  begin: (matching) => {
    const patch = patchOf({ mediaType: operatorsType, value: { $inc: { n: 1 }, $set: { state: 'done' } } });
    return changeMatching(cause, { name, matching, patch, dryRun: false });
  },
  describe: ({ code }) => code,
});
