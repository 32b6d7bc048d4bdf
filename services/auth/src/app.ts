import { topicOf } from '@causeway/contracts';
import { createEvents, createIdempotency, faultOfError } from '@causeway/events';
import type { Events, KafkaPort } from '@causeway/events';
import { eventRoutes, producerLogs, startJob, withPosition } from '@causeway/service';
import type { ServiceParts, StartContext } from '@causeway/service';

import { configOf } from './config.ts';
import type { Config, settings } from './config.ts';
import { connect } from './connections.ts';
import type { Connections } from './connections.ts';
import type { Feature, Ground } from './feature.ts';
import { createFeatures } from './features.ts';
import { handlersOf } from './handlers.ts';
import type { Late } from './handlers.ts';
import { loadRootKey } from './keys/root-key.ts';
import { createStores } from './stores.ts';

export { handlersOf };

/** What a test may put in place of the real thing. */
export interface Replacements {
  /** Wraps the Kafka that the settings name. */
  readonly kafka?: (kafka: KafkaPort) => KafkaPort;
  /** Before this service's keys in Redis. */
  readonly redisPrefix?: string;
  readonly now?: () => Date;
  /** Between attempts to send a mail, in milliseconds. */
  readonly mailDelaysMs?: readonly number[] | undefined;
}

interface Beginnings extends Pick<Ground, 'config' | 'logger' | 'now' | 'redisPrefix' | 'mailDelaysMs'> {
  readonly connections: Connections;
}

/** Nothing runs yet: features add collections to it. */
const eventsOf = (
  { config, logger, now, connections: { database, kafka } }: Beginnings,
  wrap: (kafka: KafkaPort) => KafkaPort,
  late: () => Late,
): Events => {
  const urls = { [topicOf('user')]: config.userUrl, [topicOf('data')]: config.dataUrl };
  return createEvents({
    service: 'auth',
    client: database.getClient(),
    database: config.database,
    kafka: wrap(kafka),
    partitions: config.kafkaPartitions,
    retentionDays: config.retentionDays,
    ...{ logger, now, handlers: handlersOf({ config, logger, late }) },
    producerLogs: producerLogs({ urls, internalKey: config.internalKey }),
  });
};

const groundOf = async ({ connections, ...given }: Beginnings, events: Events): Promise<Ground> => {
  const { database, redis } = connections;
  const { db, transaction } = events;
  const masterKey = await loadRootKey(db, given.config.masterKey);
  const idempotency = createIdempotency({ db, transaction, secret: masterKey.derive('idempotency') });
  return { ...given, ...createStores(events, database), database, redis, events, masterKey, idempotency };
};

/** Starts everything that this service is, and says what it serves. */
export async function start(
  context: StartContext<typeof settings>,
  { kafka: wrap = (kafka) => kafka, redisPrefix = 'causeway', now = () => new Date(), mailDelaysMs }: Replacements = {},
): Promise<ServiceParts> {
  const { logger, onStop } = context;
  const config: Config = configOf(context.settings);
  const connections = await connect(config, context);
  const { redis } = connections;

  const beginnings = { config, logger, now, redisPrefix, connections, mailDelaysMs };
  const events: Events = eventsOf(beginnings, wrap, () => ({ ...features, ground }));
  const ground = await groundOf(beginnings, events);
  const features = await createFeatures(ground);
  const all: readonly Feature[] = Object.values(features);
  await Promise.all([ground.idempotency.ensureIndexes(), ...all.map((each) => each.ensureIndexes?.())]);
  onStop('events', () => events.stop());
  await events.start();

  const { identity } = features.tokens;
  onStop('identity', () => identity.stop());
  await identity.start();
  for (const each of all) await each.begin?.();
  for (const job of all.flatMap(({ jobs = [] }) => jobs)) onStop(job.name, startJob(job, logger));

  const routes = [...all.flatMap((each) => each.routes ?? []), ...eventRoutes(events)];
  return {
    routes: routes.map((route) => withPosition(route, () => events.position())),
    identity,
    readiness: {
      mongodb: () => events.db.command({ ping: 1 }).then(() => true),
      'commit-stream': () => events.ready.stream,
    },
    helpful: {
      relay: () => events.ready.relay,
      redis: () => redis.status === 'ready',
      revocations: () => features.revocations.revocations.ready(),
    },
    hasSecondFactor: async (id) => (await ground.accountQueries.byId(id))?.hasSecondFactor === true,
    translateError: faultOfError,
  };
}
