import { hkdfSync } from 'node:crypto';

import { topicOf } from '@causeway/contracts';
import {
  createEvents,
  createIdempotency,
  faultOfError,
  followRevocations,
  redactPerson,
  removalHandlers,
  removalMarkers,
} from '@causeway/events';
import type { CommitStream, Events, Handler, KafkaPort, RecordedCollection, RemovalDocument } from '@causeway/events';
import {
  askAuth,
  createIdentity,
  createRevocations,
  eventRoutes,
  producerLogs,
  remoteKeys,
  withPosition,
} from '@causeway/service';
import type { Identity, RevocationList, Route, ServiceParts, StartContext } from '@causeway/service';
import type { MongoClient } from 'mongodb';

import { changesRoute } from './changes/changes.route.ts';
import type { FeedHub } from './changes/feed-hub.ts';
import { createFeedHub } from './changes/feed-hub.ts';
import { readGeneration } from './changes/generation.ts';
import type { DefinitionDocument } from './collections/collection.model.ts';
import { definitionsCollection, ensureDefinitionIndexes } from './collections/collection.model.ts';
import type { CollectionRegistry } from './collections/collection-registry.ts';
import { createCollectionRegistry } from './collections/collection-registry.ts';
import { createDefineCollection } from './collections/define-collection.ts';
import { defineCollectionRoute } from './collections/define-collection.route.ts';
import { listCollectionsRoute, readCollectionRoute } from './collections/read-collections.route.ts';
import { createRemoveCollection } from './collections/remove-collection.ts';
import { removeCollectionRoute } from './collections/remove-collection.route.ts';
import type { Config, settings } from './config.ts';
import { connect } from './connections.ts';
import type { Connections } from './connections.ts';
import { createCursorCodec } from './cursors/cursor-codec.ts';
import { actorFields, redactRecords } from './erasure/redact-records.ts';
import { removeRecords } from './erasure/remove-records.ts';
import { createImportLocks } from './importing/import-lock.ts';
import { createImportRecords } from './importing/import-records.ts';
import { createChangeRecord } from './records/change-record.ts';
import { patchRecordRoute, replaceRecordRoute } from './records/change-record.route.ts';
import { createCreateRecord } from './records/create-record.ts';
import { createRecordRoute } from './records/create-record.route.ts';
import { createDeleteRecord } from './records/delete-record.ts';
import { deleteRecordRoute } from './records/delete-record.route.ts';
import { createFindCurrent } from './records/find-current.ts';
import { createAnswerQuery } from './queries/answer-query.ts';
import { listRecordsRoute } from './queries/list-records.route.ts';
import { queryRecordsRoute } from './queries/query-records.route.ts';
import { createReadRecord } from './records/read-record.ts';
import { readRecordRoute } from './records/read-record.route.ts';
import { createRecordReader } from './records/record-reader.ts';

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

interface Parts {
  readonly config: Config;
  readonly client: MongoClient;
  readonly redis: Connections['redis'];
  readonly redisPrefix: string;
  readonly logger: StartContext<typeof settings>['logger'];
  readonly events: Events;
  readonly stream: CommitStream;
  readonly registry: CollectionRegistry;
  readonly hub: FeedHub;
  readonly now: () => Date;
}

/** A key for one purpose, from the key that all replicas share. */
const derive = (config: Config, purpose: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', config.internalKey, '', `causeway data ${purpose}`, 32));

/** What handlers write to, once it is there. */
interface Late {
  readonly events: () => Events;
  readonly registry: () => CollectionRegistry;
  readonly markers: () => RecordedCollection<RemovalDocument>;
}

/** What this service does when something happens elsewhere: somebody who is erased is removed from it. */
export const handlersOf = ({ events, registry, markers }: Late): Handler[] =>
  removalHandlers({
    service: 'data',
    markers,
    persons: () => events().persons,
    kafkaUntil: (from) => events().kafkaUntil(from),
    steps: [
      removeRecords({ events, registry }),
      redactRecords(events),
      redactPerson({ redaction: () => events().redaction, fields: actorFields }),
    ],
  });

async function routesOf({
  config,
  client,
  redis,
  redisPrefix,
  events,
  stream,
  registry,
  hub,
  logger,
  now,
}: Parts): Promise<Route[]> {
  const { db, transaction } = events;
  const definitions = events.collection<DefinitionDocument>(definitionsCollection, { thing: 'collection' });
  const idempotency = createIdempotency({ db, transaction, secret: derive(config, 'idempotency') });
  const locks = createImportLocks(db, derive(config, 'import'));
  await Promise.all([idempotency.ensureIndexes(), locks.ensureIndexes()]);
  const cursors = createCursorCodec(derive(config, 'cursor'));
  const reader = createRecordReader({
    registry,
    stream,
    client,
    redis,
    logger,
    prefix: `${redisPrefix}:record:`,
    cacheBytes: config.cacheBytes,
  });
  const changeRecord = createChangeRecord({ registry, now });
  const { publicUrl, queryTimeoutMs } = config;
  const findCurrent = createFindCurrent({ registry, stream });
  const answerQuery = createAnswerQuery({ findCurrent, client, cursors, queryTimeoutMs });
  return [
    defineCollectionRoute({ defineCollection: createDefineCollection({ events, definitions, registry }) }),
    readCollectionRoute({ definitions }),
    listCollectionsRoute({ definitions }),
    removeCollectionRoute({ removeCollection: createRemoveCollection({ events, definitions, registry }) }),
    createRecordRoute({
      createRecord: createCreateRecord({ registry, idempotency, now }),
      importRecords: createImportRecords({ registry, idempotency, locks, persons: events.persons, now }),
      publicUrl,
    }),
    listRecordsRoute({ answerQuery }),
    queryRecordsRoute({ answerQuery }),
    changesRoute({ findCurrent, cursors, hub }),
    readRecordRoute({ readRecord: createReadRecord({ findCurrent, reader }) }),
    replaceRecordRoute({ changeRecord }),
    patchRecordRoute({ changeRecord }),
    deleteRecordRoute({ deleteRecord: createDeleteRecord({ events, registry }) }),
  ].map((route) => withPosition(route, () => events.position()));
}

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
  const registry: CollectionRegistry = createCollectionRegistry({
    events: { collection, prepare, stream },
    db: events.db,
    logger,
  });
  const revocations = createRevocations({
    redis,
    logger,
    ask: askAuth({ url: config.authUrl, internalKey: config.internalKey }),
    boundMs: config.revocationBoundMs,
    ...(redisPrefix === undefined ? {} : { prefix: redisPrefix }),
  });
  const generation = await readGeneration(events.db);
  const hub = createFeedHub({
    stream,
    registry,
    generation,
    isRevoked: isRevoked ?? revocations.isRevoked,
    limit: config.feedLimit,
    historyBytes: config.feedHistoryBytes,
    logger,
  });
  await ensureDefinitionIndexes(events.db);
  await registry.start();
  const routes = await routesOf({
    config,
    client,
    redis,
    redisPrefix: redisPrefix ?? 'causeway:data',
    events,
    stream,
    registry,
    hub,
    logger,
    now,
  });
  onStop('events', () => events.stop());
  onStop('feeds', () => hub.stop());
  await events.start();
  await registry.refresh();

  const keys = remoteKeys({ url: config.jwksUrl, logger });
  const { tokenIssuer: issuer, tokenAudience: audience } = config;
  const identity = given ?? createIdentity({ issuer, audience, keys, revocations });
  context.awaits?.({ 'token-keys': () => keys.ready() });
  onStop('identity', () => identity.stop());
  await identity.start();
  // Redis tells sooner; this is for when it is away, or has lost what it knew.
  const follower = followRevocations({ kafka: wrap(kafka), revocations, logger });
  onStop('revocations', () => follower.close());
  const caughtUp = await follower.caughtUp(waitForRevocationsMs);
  if (!caughtUp) logger.warn('Kafka has not told of revocations yet: those that auth tells of are refused');
  return {
    routes: [...routes, ...eventRoutes(events).map((route) => withPosition(route, () => events.position()))],
    identity,
    readiness: {
      mongodb: () => events.db.command({ ping: 1 }).then(() => true),
      relay: () => events.ready.relay,
      'commit-stream': () => events.ready.stream,
    },
    translateError: faultOfError,
  };
}
