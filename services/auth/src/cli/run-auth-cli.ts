import { defineSettings, mongodbSettings, readSettings, SettingsError } from '@causeway/service';
import { MongoClient } from 'mongodb';
import type { Db } from 'mongodb';

import { settings } from '../config.ts';
import { createMasterKey } from '../keys/master-key.ts';
import { addMasterKey, dropMasterKeys, masterKeyStatus } from '../keys/rotate-master.ts';
import { keySettings, masterKeyOf } from '../settings/key-settings.ts';

const usage = `usage: npm run auth -- master-key <command>

  status   which master keys open the root key, and with which the replicas run
  add      has CAUSEWAY_MASTER_KEY_NEXT open it, too; then restart each replica with that as its CAUSEWAY_MASTER_KEY
  drop     has no master key open it but CAUSEWAY_MASTER_KEY; then the one before is worth nothing

MONGODB_URL and AUTH_DATABASE say where the database is, CAUSEWAY_MASTER_KEY which key is used now. Each key may be in a file instead:
CAUSEWAY_MASTER_KEY_FILE, CAUSEWAY_MASTER_KEY_NEXT_FILE. Ends with 0; with 1 where it was not done; with 2 where it is not understood.`;

const nextSettings = defineSettings({
  masterKey: { ...keySettings.masterKey, env: 'CAUSEWAY_MASTER_KEY_NEXT' },
  masterKeyFile: { ...keySettings.masterKeyFile, env: 'CAUSEWAY_MASTER_KEY_NEXT_FILE' },
});

type Environment = Readonly<Record<string, string | undefined>>;

/** Gives what a person is told. */
type Command = (db: Db, current: string, environment: Environment) => Promise<string>;

const commands: Readonly<Record<string, Command>> = {
  status: async (db, current) => {
    const { given, opens, known, replicas } = await masterKeyStatus(db, current);
    const running = Object.entries(replicas).map(([id, count]) => `${id} (${count})`);
    return [
      `CAUSEWAY_MASTER_KEY is ${given}, and ${opens ? 'opens the root key' : 'does not open the root key'}`,
      `the root key is opened by ${known.join(', ')}`,
      `replicas run with ${running.length === 0 ? 'none: no replica runs' : running.join(', ')}`,
    ].join('\n');
  },
  add: async (db, current, environment) => {
    const given = readSettings(nextSettings, environment);
    const next = masterKeyOf(given, { key: nextSettings.masterKey.env, file: nextSettings.masterKeyFile.env });
    const { id } = createMasterKey(next);
    return (await addMasterKey(db, current, next))
      ? `${id} opens the root key now, too: restart each replica with it, then: npm run auth -- master-key drop`
      : `${id} opened the root key already`;
  },
  drop: async (db, current) => {
    const { id } = createMasterKey(current);
    return (await dropMasterKeys(db, current))
      ? `nothing but ${id} opens the root key any more`
      : `nothing but ${id} opened the root key`;
  },
};

const withDatabase = async (command: Command, environment: Environment): Promise<string> => {
  const own = defineSettings({ ...mongodbSettings, database: settings.database, ...keySettings });
  const given = readSettings(own, environment);
  const current = masterKeyOf(given);
  const client = new MongoClient(given.mongodbUrl, {
    ...{ appName: 'causeway-auth-cli', serverSelectionTimeoutMS: 5_000 },
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority' },
  });
  try {
    return await command(client.db(given.database), current, environment);
  } finally {
    await client.close();
  }
};

/** What came of a command. */
export interface Ran {
  readonly status: 0 | 1 | 2;
  /** For a person: where it was done, and where not. */
  readonly text: string;
}

/**
 * What an operator does with auth's database: `npm run auth -- <command>`.
 *
 * @param args - of the command line
 * @param environment - where the database is, and the keys
 */
export async function runAuthCli(args: readonly string[], environment: Environment): Promise<Ran> {
  const [topic, name = '', ...rest] = args;
  const isKnown = topic === 'master-key' && rest.length === 0 && Object.hasOwn(commands, name);
  const command = isKnown ? commands[name] : undefined;
  if (command === undefined) return { status: 2, text: usage };
  try {
    return { status: 0, text: await withDatabase(command, environment) };
  } catch (error) {
    const { message } = error as Error;
    return { status: 1, text: error instanceof SettingsError ? message : `it was not done: ${message}` };
  }
}
