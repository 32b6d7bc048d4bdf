// A replica in a process of its own that makes one migration and is killed over it: `migration-child.ts <database> <migration> <moment>
// <chunk>`. At the moment `written` it says so before the transaction of that chunk commits, and waits; at `committed` it is gone as soon as it has.
import process from 'node:process';

import { newEventId } from '@causeway/contracts';
import type { Events } from '@causeway/events';

import { createCollectionRegistry } from '../collections/collection-registry.ts';
import { createCollections } from '../collections/collections.wiring.ts';
import type { WantedMigration } from '../migrations/migrations.ts';
import { createMigrationsFeature } from '../migrations/migrations.wiring.ts';
import { openChildGround } from './child-ground.ts';

const [database = '', wanted = '', moment = '', chunk = '1'] = process.argv.slice(2);
const { events: own, logger, fieldKeys } = await openChildGround(database);
const registry = createCollectionRegistry({ fieldKeys, events: own, db: own.db, logger });

let isMaking = false;
let chunks = 0;
const transaction: Events['transaction'] = async (work, bound) => {
  if (!isMaking) return await own.transaction(work, bound);
  chunks += 1;
  const isIt = chunks === Number(chunk);
  const result = await own.transaction(async (session, signal) => {
    const made = await work(session, signal);
    if (!isIt || moment !== 'written') return made;
    process.send?.('written');
    return await new Promise<never>(() => undefined);
  }, bound);
  if (isIt && moment === 'committed') process.kill(process.pid, 'SIGKILL');
  return result;
};
const events: Events = { ...own, transaction };
const ground = { events, registry, fieldKeys, logger, now: () => new Date() };
const { migrations, worker } = createMigrationsFeature(ground, createCollections(ground));
const cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_admin' } } as const;
const { migration } = await migrations.make(cause, JSON.parse(wanted) as WantedMigration);
isMaking = true;
worker.begin(migration);
