// A replica in a process of its own that makes a migration, or reverts it, and is killed at one of its writes: `migration-writes-child.ts <database>
// <job>`. It ends with the list of its writes where that one does not come.
import process from 'node:process';

import { newEventId } from '@causeway/contracts';
import type { CommandStartedEvent, MongoClient } from 'mongodb';

import { createCollectionRegistry } from '../collections/collection-registry.ts';
import { createCollections } from '../collections/collections.wiring.ts';
import type { MigrationDocument } from '../migrations/migration.model.ts';
import type { WantedMigration } from '../migrations/migrations.ts';
import { createMigrationsFeature } from '../migrations/migrations.wiring.ts';
import { openChildGround } from './child-ground.ts';

/** A write that a process is killed at. */
export interface Killing {
  /** Its command, and what it is about. */
  readonly write: string;
  /** Counted from 1. */
  readonly nth: number;
  /** Before it is sent, when it may have been, or when it has been answered. */
  readonly moment: 'before' | 'sent' | 'after';
}

/** What such a process does. */
export interface MigrationJob {
  readonly make?: WantedMigration;
  /** The name of one that is there. */
  readonly revert?: string;
  readonly kill?: Killing;
}

const writing: ReadonlySet<string> = new Set(
  'insert update delete bulkWrite findAndModify create drop collMod createIndexes dropIndexes commitTransaction'.split(
    ' ',
  ),
);

/** Collections of records and of definitions are each run's own. */
const writeOf = ({ commandName, command }: CommandStartedEvent): string => {
  const about: unknown = command[commandName];
  return `${commandName} ${typeof about === 'string' ? about.replace(/_col_.*/u, '') : ''}`.trim();
};

/** Watches the writes of a process, and ends it at one. */
function watchWrites(client: MongoClient, kill: Killing | undefined): readonly string[] {
  const writes: string[] = [];
  let answers: number | undefined;
  const end = (): void => void process.kill(process.pid, 'SIGKILL');
  client.on('commandStarted', (event) => {
    if (!writing.has(event.commandName)) return;
    const write = writeOf(event);
    writes.push(write);
    if (kill?.write !== write || writes.filter((each) => each === write).length !== kill.nth) return;
    if (kill.moment === 'before') end();
    else if (kill.moment === 'sent') setImmediate(end);
    else answers = event.requestId;
  });
  for (const name of ['commandSucceeded', 'commandFailed'] as const) {
    client.on(name, ({ requestId }: { readonly requestId: number }) => {
      if (requestId === answers) end();
    });
  }
  return writes;
}

const [database = '', text = '{}'] = process.argv.slice(2);
const { make, revert, kill } = JSON.parse(text) as MigrationJob;
const { client, events, logger, fieldKeys } = await openChildGround(database, undefined, { monitorCommands: true });
const registry = createCollectionRegistry({ fieldKeys, events, db: events.db, logger });
const ground = { events, registry, fieldKeys, logger, now: () => new Date() };
const { migrations, worker } = createMigrationsFeature(ground, createCollections(ground));
const cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_admin' } } as const;
const { migration } = await (make === undefined
  ? migrations.revert(cause, revert ?? '')
  : migrations.make(cause, make));
const writes = watchWrites(client, kill);
worker.begin(migration);
const native = events.db.collection<MigrationDocument>('migrations');
while ((await native.findOne({ _id: migration._id }))?.status === 'running')
  await new Promise((resolve) => setTimeout(resolve, 20));
await worker.stop();
process.send?.(writes, () => process.exit(0));
