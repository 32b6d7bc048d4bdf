import { defineSettings, mongodbSettings, readSettings } from '@causeway/service';
import { MongoClient } from 'mongodb';
import type { Db } from 'mongodb';

import { settings } from '../config.ts';
import type { Environment } from './command.ts';

const databaseSettings = defineSettings({ ...mongodbSettings, database: settings.database });

/**
 * Works with the database of auth, as `MONGODB_URL` and `AUTH_DATABASE` name it, at majority.
 *
 * @throws SettingsError where they do not; MongoServerSelectionError where MongoDB does not answer within 5 s
 */
export const withDatabase = async <T>(environment: Environment, work: (db: Db) => Promise<T>): Promise<T> => {
  const { mongodbUrl, database } = readSettings(databaseSettings, environment);
  const client = new MongoClient(mongodbUrl, {
    ...{ appName: 'causeway-auth-cli', serverSelectionTimeoutMS: 5_000 },
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority' },
  });
  try {
    return await work(client.db(database));
  } finally {
    await client.close();
  }
};
