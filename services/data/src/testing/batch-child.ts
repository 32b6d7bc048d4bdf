// A replica in a process of its own that runs one batch and is killed over it: `batch-child.ts <database> <collection> <moment>`. At the
// moment `written` it says so before its transaction commits, and waits; at `recorded` it ends as soon as it has.
import process from 'node:process';

import { newEventId } from '@causeway/contracts';
import { createIdempotency } from '@causeway/events';

import { parseBatch } from '../batch/parse-batch.ts';
import type { BatchTransaction } from '../batch/run-batch.ts';
import { createRunBatch } from '../batch/run-batch.ts';
import { createCollectionRegistry } from '../collections/collection-registry.ts';
import { openChildGround } from './child-ground.ts';

const [database = '', collection = '', moment = '', json = '[]'] = process.argv.slice(2);
const { events, logger, fieldKeys } = await openChildGround(database, (name) => {
  if (moment === 'recorded' && name === 'recorded') process.kill(process.pid, 'SIGKILL');
});
const registry = createCollectionRegistry({ fieldKeys, events, db: events.db, logger });

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
