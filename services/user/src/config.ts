import {
  defineSettings,
  kafkaSettings,
  keySettings,
  mongodbSettings,
  processSettings,
  readSettings,
  redisSettings,
  tokenSettings,
} from '@causeway/service';
import type { SettingValues } from '@causeway/service';

/** Every setting of this service. */
export const settings = defineSettings({
  ...processSettings,
  port: { env: 'PORT', type: 'port', default: 8082, description: 'Port that the service listens on.' },
  ...mongodbSettings,
  database: {
    env: 'USER_DATABASE',
    type: 'string',
    default: 'causeway-user',
    description: "This service's own database in MongoDB.",
  },
  ...kafkaSettings,
  ...redisSettings,
  ...tokenSettings,
  authUrl: {
    env: 'AUTH_URL',
    type: 'url',
    default: 'http://127.0.0.1:8081',
    description: 'Where auth is: events that Kafka no longer holds are read there.',
  },
  ...keySettings,
});

/** The configuration of this service, checked. */
export type Config = SettingValues<typeof settings>;

/**
 * Reads the configuration.
 *
 * @param environment - `process.env`
 * @throws SettingsError naming every setting that is missing or wrong
 */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config =>
  readSettings(settings, environment);
