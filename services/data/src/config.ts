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
import type { SettingsCheck, SettingValues } from '@causeway/service';

import { checkFieldKeySettings, fieldKeySettings } from './encryption/field-key-settings.ts';

/** Every setting of this service. */
export const settings = defineSettings({
  ...processSettings,
  port: { env: 'PORT', type: 'port', default: 8083, description: 'Port that the service listens on.' },
  ...mongodbSettings,
  database: {
    env: 'DATA_DATABASE',
    type: 'string',
    default: 'causeway-data',
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
  ...fieldKeySettings,
  queryTimeoutMs: {
    env: 'QUERY_TIMEOUT',
    type: 'duration',
    default: 5_000,
    min: 100,
    description:
      'How long MongoDB may work on one answer, what rules follow and `expand` shows included, and on one batch of an export.',
  },
  queryScanLimit: {
    env: 'QUERY_SCAN_LIMIT',
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000_000,
    description: 'How many records a collection may have before a query that no index serves is refused.',
  },
  queryCostLimit: {
    env: 'QUERY_COST',
    type: 'integer',
    default: 100_000,
    min: 1,
    max: 1_000_000_000,
    description: 'How many records a query may count, or put in order in memory.',
  },
  cacheBytes: {
    env: 'RECORD_CACHE_SIZE',
    type: 'bytes',
    default: 64 * 1_048_576,
    description: 'Memory for records that were read; a replica puts no more of them into Redis.',
  },
  queryCacheBytes: {
    env: 'QUERY_CACHE_SIZE',
    type: 'bytes',
    default: 32 * 1_048_576,
    description: 'Memory for pages that were asked for before; a replica puts no more of them into Redis.',
  },
  feedLimit: {
    env: 'FEED_LIMIT',
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 100_000,
    description: 'How many feeds may be open in one process; more are answered with 503.',
  },
  feedHistoryBytes: {
    env: 'FEED_HISTORY_SIZE',
    type: 'bytes',
    default: 32 * 1_048_576,
    description: 'Memory for the latest changes, from which feeds resume without asking MongoDB.',
  },
  expiryIntervalMs: {
    env: 'EXPIRY_INTERVAL',
    type: 'duration',
    default: 30_000,
    min: 100,
    max: 3_600_000,
    description: 'How often records are looked for whose time is over (`expiry` of a definition), at most.',
  },
  snapshotLimit: {
    env: 'SNAPSHOT_LIMIT',
    type: 'integer',
    default: 32,
    min: 1,
    max: 1_000,
    description:
      'How many feeds may be sent their current result at once; others wait 5 s, then are answered with 503.',
  },
});

/** The configuration of this service, checked. */
export type Config = SettingValues<typeof settings>;

/** Checks what no row can judge alone. */
export const checkSettings: SettingsCheck<typeof settings> = checkFieldKeySettings;

/**
 * Reads the configuration.
 *
 * @param environment - `process.env`
 * @throws SettingsError naming every setting that is missing or wrong
 */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config =>
  readSettings(settings, environment, checkSettings);
