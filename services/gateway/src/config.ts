import {
  defineSettings,
  kafkaSettings,
  processSettings,
  readSettings,
  redisSettings,
  tokenSettings,
} from '@causeway/service';
import type { SettingsCheck, SettingValues } from '@causeway/service';

import { parseOriginPattern } from './cors/allowed-origins.ts';

const mebibyte = 1_048_576;

/** Every setting of this service. */
export const settings = defineSettings({
  ...processSettings,
  port: { env: 'PORT', type: 'port', default: 8080, description: 'Port that the service listens on.' },
  authUrl: { env: 'AUTH_URL', type: 'url', default: 'http://127.0.0.1:8081', description: 'Where auth is.' },
  userUrl: { env: 'USER_URL', type: 'url', default: 'http://127.0.0.1:8082', description: 'Where user is.' },
  dataUrl: { env: 'DATA_URL', type: 'url', default: 'http://127.0.0.1:8083', description: 'Where data is.' },
  kafkaBrokers: kafkaSettings.kafkaBrokers,
  kafkaDriver: kafkaSettings.kafkaDriver,
  publicBrokers: {
    env: 'KAFKA_PUBLIC_BROKERS',
    type: 'list',
    optional: true,
    description:
      'Brokers as subscribers of your own reach them, told to everybody in `/asyncapi.json`. Not set: it leaves them open.',
  },
  ...redisSettings,
  ...tokenSettings,
  trustedProxies: {
    env: 'TRUST_PROXY',
    type: 'integer',
    default: 0,
    min: 0,
    max: 10,
    description:
      'How many proxies of yours stand before the gateway: the client is the address in `X-Forwarded-For` that the outermost of them saw. 0: nobody’s word is taken.',
  },
  corsOrigins: {
    env: 'CORS_ORIGINS',
    type: 'list',
    default: ['http://localhost:*', 'http://127.0.0.1:*', 'http://[::1]:*'],
    description: 'Origins whose pages may call: `https://app.example.com`; `:*` at the end is any port.',
  },
  upstreamTimeoutMs: {
    env: 'UPSTREAM_TIMEOUT',
    type: 'duration',
    default: 30_000,
    min: 100,
    description: 'How long a service may take to begin its answer, and be silent within it.',
  },
  upstreamConnections: {
    env: 'UPSTREAM_CONNECTIONS',
    type: 'integer',
    default: 512,
    min: 1,
    max: 10_000,
    description: 'Requests that one service has at the same time; more are answered with 503.',
  },
  feedConnections: {
    env: 'FEED_CONNECTIONS',
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 100_000,
    description: 'Feeds that are open at the same time; more are answered with 503.',
  },
  bodyLimitBytes: {
    env: 'BODY_LIMIT',
    type: 'bytes',
    default: 8 * mebibyte,
    min: 1_024,
    description: 'Largest body that is passed on; the services have lower limits of their own.',
  },
  importLimitBytes: {
    env: 'IMPORT_LIMIT',
    type: 'bytes',
    default: 1_024 * mebibyte,
    min: 1_024,
    description: 'Largest import (`application/x-ndjson`).',
  },
  limitWindowMs: {
    env: 'LIMIT_WINDOW',
    type: 'duration',
    default: 10_000,
    min: 1_000,
    max: 3_600_000,
    description: 'Window of the limits on calls.',
  },
  limitPerAddress: {
    env: 'LIMIT_PER_ADDRESS',
    type: 'integer',
    default: 2_000,
    min: 1,
    description: 'Calls from one address (IPv6: one /64) in a window.',
  },
  limitPerPrincipal: {
    env: 'LIMIT_PER_PRINCIPAL',
    type: 'integer',
    default: 1_000,
    min: 1,
    description: 'Calls by one principal in a window.',
  },
  openPerAddress: {
    env: 'OPEN_PER_ADDRESS',
    type: 'integer',
    default: 100,
    min: 1,
    description: 'Calls, besides feeds, that one address (IPv6: one /64) has at the same time.',
  },
  feedsPerCaller: {
    env: 'FEEDS_PER_CALLER',
    type: 'integer',
    default: 50,
    min: 1,
    description: 'Feeds that one address (IPv6: one /64), and one principal, has at the same time.',
  },
  limitSignIns: {
    env: 'LIMIT_SIGN_INS',
    type: 'integer',
    default: 60,
    min: 1,
    description: 'Sign-ins and sign-ups from one address in a minute.',
  },
});

/** The configuration of this service, checked. */
export type Config = SettingValues<typeof settings>;

/** A host and its port; of IPv6 in brackets. */
const brokerForm = /^(?:[\w.-]+|\[[\da-f:.]+\]):\d{1,5}$/i;

/** Checks what a row cannot say. */
export const checkSettings: SettingsCheck<typeof settings> = ({ corsOrigins = [], publicBrokers = [] }) => {
  const origins = corsOrigins.filter((each) => parseOriginPattern(each) === undefined);
  const brokers = publicBrokers.filter((each) => !brokerForm.test(each));
  const originForm = 'must list origins such as https://app.example.com or http://localhost:*';
  return [
    ...(origins.length === 0 ? [] : [`${settings.corsOrigins.env} ${originForm}, not ${origins.join(', ')}`]),
    ...(brokers.length === 0
      ? []
      : [`${settings.publicBrokers.env} must list brokers such as kafka.example.com:9092, not ${brokers.join(', ')}`]),
  ];
};

/**
 * Reads the configuration.
 *
 * @param environment - `process.env`
 * @throws SettingsError naming every setting that is missing or wrong
 */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config =>
  readSettings(settings, environment, checkSettings);
