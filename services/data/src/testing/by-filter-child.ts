// A replica in a process of its own that raises `n` of all records by filter, and is killed once it has recorded so many events:
// `by-filter-child.ts <database> <collection> <filter> <events>`.
import process from 'node:process';

import { newEventId } from '@causeway/contracts';

import { createChangeMatching } from '../by-filter/change-matching.ts';
import { createRunByFilter } from '../by-filter/run-by-filter.ts';
import { createCollectionRegistry } from '../collections/collection-registry.ts';
import { createCursorCodec } from '../cursors/cursor-codec.ts';
import { operatorsType } from '../operators/parse-operators.ts';
import { patchOf } from '../records/patch-bodies.ts';
import { openChildGround } from './child-ground.ts';

const [database = '', name = '', filter = '{}', mostEvents = '0'] = process.argv.slice(2);
let recorded = 0;
const { client, events, logger, fieldKeys } = await openChildGround(database, (at) => {
  if (at !== 'recorded') return;
  recorded += 1;
  if (recorded >= Number(mostEvents)) process.kill(process.pid, 'SIGKILL');
});
const registry = createCollectionRegistry({ fieldKeys, events, db: events.db, logger });
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
