import { createMasterKey, defineSettings, readSettings } from '@causeway/service';
import type { Db } from 'mongodb';

import { addMasterKey, dropMasterKeys, masterKeyStatus } from '../keys/rotate-master.ts';
import { keySettings, masterKeyOf } from '../settings/key-settings.ts';
import { UsageError } from './command.ts';
import type { Command, Environment } from './command.ts';
import { withDatabase } from './with-database.ts';

const nextSettings = defineSettings({
  masterKey: { ...keySettings.masterKey, env: 'CAUSEWAY_MASTER_KEY_NEXT' },
  masterKeyFile: { ...keySettings.masterKeyFile, env: 'CAUSEWAY_MASTER_KEY_NEXT_FILE' },
});

/** Gives what a person is told. */
type Work = (db: Db, current: string, environment: Environment) => Promise<string>;

const command = (action: string, usage: string, work: Work): Command => ({
  name: `master-key ${action}`,
  usage,
  async run(args, environment) {
    if (args.length > 0) throw new UsageError(`master-key ${action} takes no argument`);
    const current = masterKeyOf(readSettings(keySettings, environment));
    return { status: 0, text: await withDatabase(environment, (db) => work(db, current, environment)) };
  },
});

/** What is done about the key that opens the root key. */
export const masterKeyCommands: readonly Command[] = [
  command(
    'status',
    '  master-key status   which master keys open the root key, and with which the replicas run',
    async (db, current) => {
      const { given, opens, known, replicas } = await masterKeyStatus(db, current);
      const running = Object.entries(replicas).map(([id, count]) => `${id} (${count})`);
      return [
        `CAUSEWAY_MASTER_KEY is ${given}, and ${opens ? 'opens the root key' : 'does not open the root key'}`,
        `the root key is opened by ${known.join(', ')}`,
        `replicas run with ${running.length === 0 ? 'none: no replica runs' : running.join(', ')}`,
      ].join('\n');
    },
  ),
  command(
    'add',
    `  master-key add      has CAUSEWAY_MASTER_KEY_NEXT open it, too; then restart each replica with that as its CAUSEWAY_MASTER_KEY`,
    async (db, current, environment) => {
      const given = readSettings(nextSettings, environment);
      const next = masterKeyOf(given, { key: nextSettings.masterKey.env, file: nextSettings.masterKeyFile.env });
      const { id } = createMasterKey(next, 'auth');
      return (await addMasterKey(db, current, next))
        ? `${id} opens the root key now, too: restart each replica with it, then: npm run auth -- master-key drop`
        : `${id} opened the root key already`;
    },
  ),
  command(
    'drop',
    '  master-key drop     has no master key open it but CAUSEWAY_MASTER_KEY; then the one before is worth nothing',
    async (db, current) => {
      const { id } = createMasterKey(current, 'auth');
      return (await dropMasterKeys(db, current))
        ? `nothing but ${id} opens the root key any more`
        : `nothing but ${id} opened the root key`;
    },
  ),
];
