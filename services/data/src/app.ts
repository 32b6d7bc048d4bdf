import { hkdfSync } from 'node:crypto';

import { topicOf } from '@causeway/contracts';
import {
  createEvents,
  createIdempotency,
  createSettled,
  faultOfError,
  followRevocations,
  removalMarkers,
} from '@causeway/events';
import type { CommitStream, Events, KafkaPort } from '@causeway/events';
import {
  askAuth,
  createIdentity,
  createRevocations,
  eventRoutes,
  producerLogs,
  remoteKeys,
  startJob,
  withPosition,
} from '@causeway/service';
import type { Identity, RevocationList, ServiceParts, StartContext } from '@causeway/service';

import type { CollectionRegistry } from './collections/collection-registry.ts';
import { createCollectionRegistry } from './collections/collection-registry.ts';
import type { Config, settings } from './config.ts';
import { connect } from './connections.ts';
import { fieldKeyOf } from './encryption/field-key-settings.ts';
import { createFieldKeys } from './encryption/field-keys.ts';
import { createCursorCodec } from './cursors/cursor-codec.ts';
import type { Ground } from './feature.ts';
import { createFeatures } from './features.ts';
import { handlersOf } from './handlers.ts';
import { createFindCurrent } from './records/find-current.ts';

export { handlersOf };

/** Redis has told by then; without Kafka the service does not wait for it for ever. */
const waitForRevocationsMs = 5_000;

/** What a test may put in place of the real thing. */
export interface Replacements {
  /** Wraps the Kafka that the settings name. */
  readonly kafka?: (kafka: KafkaPort) => KafkaPort;
  /** Holds the commit stream back, for what follows it here. */
  readonly stream?: (stream: CommitStream) => CommitStream;
  /** Knows a test's tokens. */
  readonly identity?: Identity;
  /** Knows which of its tokens have ended. */
  readonly isRevoked?: RevocationList['isRevoked'];
  /** Before this service's keys in Redis. */
  readonly redisPrefix?: string;
  readonly now?: () => Date;
}

/** A key for one purpose, from the key that all replicas share. */
const derive =
  (config: Config) =>
  (purpose: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', config.internalKey, '', `causeway data ${purpose}`, 32));

type Beginnings = Omit<Ground, 'derive' | 'settled' | 'findCurrent' | 'cursors' | 'idempotency'>;

const groundOf = (beginnings: Beginnings): Ground => {
  const { config, client, events, registry, stream } = beginnings;
  const { db, transaction } = events;
  const own = derive(config);
  return {
    ...beginnings,
    derive: own,
    settled: createSettled({ client, db, stream }).settled,
    findCurrent: createFindCurrent({ registry, stream }),
    cursors: createCursorCodec(own('cursor')),
    idempotency: createIdempotency({ db, transaction, secret: own('idempotency') }),
  };
};

/** Starts everything that this service is, and says what it serves. */
export async function start(
  context: StartContext<typeof settings>,
  {
    kafka: wrap = (kafka) => kafka,
    stream: follow = (stream) => stream,
    redisPrefix,
    now = () => new Date(),
    identity: given,
    isRevoked,
  }: Replacements = {},
): Promise<ServiceParts> {
  const { logger, onStop, settings: config } = context;
  const { client, redis, kafka } = await connect(config, context);
  const { database } = config;
  const events: Events = createEvents({
    service: 'data',
    client,
    database,
    kafka: wrap(kafka),
    partitions: config.kafkaPartitions,
    retentionDays: config.retentionDays,
    beacon: true,
    handlers: handlersOf({ events: () => events, registry: () => registry, markers: () => markers }),
    producerLogs: producerLogs({ urls: { [topicOf('auth')]: config.authUrl }, internalKey: config.internalKey }),
    logger,
    now,
  });
  const markers = removalMarkers(events);
  const stream = follow(events.stream);
  const { collection, prepare } = events;
  const fieldKeys = createFieldKeys(fieldKeyOf(config));
  const registry: CollectionRegistry = createCollectionRegistry({
    events: { collection, prepare, stream },
    db: events.db,
    fieldKeys,
    logger,
  });
  const revocations = createRevocations({
    redis,
    logger,
    ask: askAuth({ url: config.authUrl, internalKey: config.internalKey }),
    boundMs: config.revocationBoundMs,
    ...(redisPrefix === undefined ? {} : { prefix: redisPrefix }),
  });
  const keys = remoteKeys({ url: config.jwksUrl, logger });
  const { tokenIssuer: issuer, tokenAudience: audience } = config;
  const identity = given ?? createIdentity({ issuer, audience, keys, revocations });
  const ground = groundOf({
    ...{ identity, config, client, redis, events, stream, registry, fieldKeys, logger, now },
    redisPrefix: redisPrefix ?? 'causeway:data',
    isRevoked: isRevoked ?? revocations.isRevoked,
  });
  const features = await createFeatures(ground);
  const all = Object.entries(features);
  await Promise.all([ground.idempotency.ensureIndexes(), ...all.map(([, each]) => each.ensureIndexes?.())]);
  await registry.start();
  onStop('events', () => events.stop());
  for (const [name, { stop }] of all) if (stop !== undefined) onStop(name, stop);
  await events.start();
  await registry.refresh();
  for (const job of all.flatMap(([, { jobs = [] }]) => jobs)) onStop(job.name, startJob(job, logger));
  for (const [, { start: begin }] of all) begin?.();

  context.awaits?.({ 'token-keys': () => keys.ready() });
  onStop('identity', () => identity.stop());
  await identity.start();
  // Redis tells sooner; this is for when it is away, or has lost what it knew.
  const follower = followRevocations({ kafka: wrap(kafka), revocations, logger });
  onStop('revocations', () => follower.close());
  const caughtUp = await follower.caughtUp(waitForRevocationsMs);
  if (!caughtUp) logger.warn('Kafka has not told of revocations yet: those that auth tells of are refused');
  const routes = [...all.flatMap(([, each]) => each.routes ?? []), ...eventRoutes(events)];
  return {
    routes: routes.map((route) => withPosition(route, () => events.position())),
    identity,
    readiness: {
      mongodb: () => events.db.command({ ping: 1 }).then(() => true),
      relay: () => events.ready.relay,
      'commit-stream': () => events.ready.stream,
    },
    translateError: faultOfError,
  };
}
