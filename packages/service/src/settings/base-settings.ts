import { eventRetentionMs } from '@causeway/contracts';
import { logLevels } from '@causeway/telemetry';

import { defineSettings } from './setting.ts';

/** Addresses, logs and the end of every service. The port's default is each service's own: `PORT` is declared there. */
export const processSettings = defineSettings({
  host: { env: 'HOST', type: 'string', default: '127.0.0.1', description: 'Address that the service listens on.' },
  opsHost: {
    env: 'OPS_HOST',
    type: 'string',
    default: '127.0.0.1',
    description: 'Address of the operations port: metrics and health.',
  },
  opsPort: { env: 'OPS_PORT', type: 'port', default: 9464, description: 'Operations port.' },
  publicUrl: {
    env: 'PUBLIC_URL',
    type: 'url',
    default: 'http://127.0.0.1:8080',
    description: 'Where clients reach the gateway; the start of problem types and links.',
  },
  internalKey: {
    env: 'CAUSEWAY_INTERNAL_KEY',
    type: 'secret',
    minLength: 16,
    description: 'Key that the services of one installation share for calls among themselves; at least 16 characters.',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    type: 'enum',
    values: logLevels,
    default: 'info',
    description: 'Least severe level that is logged.',
  },
  logFormat: {
    env: 'LOG_FORMAT',
    type: 'enum',
    values: ['json', 'pretty'],
    default: 'json',
    description: 'One JSON object a line, or lines for a person.',
  },
  traceSampleRatio: {
    env: 'TRACE_SAMPLE_RATIO',
    type: 'ratio',
    default: 0.1,
    description: 'Share of traces that are recorded, 0 to 1.',
  },
  otlpEndpoint: {
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    type: 'url',
    optional: true,
    description: 'Where traces and metrics are sent (OTLP over HTTP); nowhere if not set.',
  },
  shutdownTimeoutMs: {
    env: 'SHUTDOWN_TIMEOUT',
    type: 'duration',
    default: 10_000,
    min: 100,
    description: 'Time to finish what has begun after SIGTERM.',
  },
});

/** MongoDB. */
export const mongodbSettings = defineSettings({
  mongodbUrl: {
    env: 'MONGODB_URL',
    type: 'secret',
    description: 'Connection string of MongoDB (6.0 or later, a replica set).',
  },
});

/** Days for which Kafka keeps an event. */
const kafkaDays = eventRetentionMs / (24 * 3_600_000);

/** Kafka. */
export const kafkaSettings = defineSettings({
  kafkaBrokers: {
    env: 'KAFKA_BROKERS',
    type: 'list',
    description: 'Brokers of Kafka (4.0 or later): host:port, separated by commas.',
  },
  kafkaDriver: {
    env: 'KAFKA_DRIVER',
    type: 'enum',
    values: ['platformatic', 'kafkajs'],
    default: 'platformatic',
    description: 'Client library.',
  },
  kafkaPartitions: {
    env: 'KAFKA_PARTITIONS',
    type: 'integer',
    default: 12,
    min: 1,
    max: 1000,
    description: "Partitions of the service's topic; fixed once it has been created.",
  },
  retentionDays: {
    env: 'EVENTS_RETENTION_DAYS',
    type: 'integer',
    default: 35,
    min: kafkaDays + 1,
    max: 3650,
    description: `Days for which the log of events is kept, longer than Kafka's ${kafkaDays}; the inbox a day more, tombstones two.`,
  },
});

/** Redis. */
export const redisSettings = defineSettings({
  redisUrl: { env: 'REDIS_URL', type: 'secret', description: 'Connection string of Redis (6.2 or later).' },
});

/** Access tokens, as every service verifies them. */
export const tokenSettings = defineSettings({
  tokenIssuer: {
    env: 'TOKEN_ISSUER',
    type: 'string',
    default: 'causeway',
    description: 'Issuer of access tokens (`iss`).',
  },
  tokenAudience: {
    env: 'TOKEN_AUDIENCE',
    type: 'string',
    default: 'causeway',
    description: 'Audience of access tokens (`aud`).',
  },
  revocationBoundMs: {
    env: 'REVOCATION_BOUND',
    type: 'duration',
    default: 5_000,
    min: 2_000,
    description:
      'Where it has not been certain for so long that all revocations are known, auth is asked about each token, and a token is refused (503) where it does not answer.',
  },
});

/** Where the public keys are; auth itself has them. */
export const keySettings = defineSettings({
  jwksUrl: {
    env: 'JWKS_URL',
    type: 'url',
    default: 'http://127.0.0.1:8081/.well-known/jwks.json',
    description: "Auth's public keys.",
  },
});
