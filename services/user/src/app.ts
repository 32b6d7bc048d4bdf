import { accountCreated, accountUpdated, profileDeleted, topicOf } from '@causeway/contracts';
import type { EventOf } from '@causeway/contracts';
import {
  createEvents,
  faultOfError,
  followRevocations,
  onEvent,
  redactPerson,
  removalHandlers,
  removalMarkers,
} from '@causeway/events';
import type { Events, Handler, KafkaPort, RecordedCollection, RemovalDocument } from '@causeway/events';
import {
  askAuth,
  createIdentity,
  createRevocations,
  eventRoutes,
  producerLogs,
  remoteKeys,
  withPosition,
} from '@causeway/service';
import type { Identity, KeySource, RevocationList, ServiceParts, StartContext } from '@causeway/service';

import type { Config, settings } from './config.ts';
import { connect } from './connections.ts';
import type { Connections } from './connections.ts';
import { createAwaitProfile } from './profiles/await-profile.ts';
import { changeOwnProfileRoute } from './profiles/change-own-profile.route.ts';
import { createProfile } from './profiles/create-profile.ts';
import { followEmail } from './profiles/follow-email.ts';
import { profileQueries, profilesCollection } from './profiles/profile.model.ts';
import type { ProfileDocument } from './profiles/profile.model.ts';
import { removeProfile } from './profiles/remove-profile.ts';
import { readOwnProfileRoute } from './profiles/read-own-profile.route.ts';
import { readProfileRoute } from './profiles/read-profile.route.ts';

/** Calls that may wait for a profile that is on its way; more are told to come again. */
const waitersLimit = 1000;

/** Redis has told by then; without Kafka the service does not wait for it for ever. */
const waitForRevocationsMs = 5_000;

/** What a test may put in place of the real thing. */
export interface Replacements {
  /** Wraps the Kafka that the settings name. */
  readonly kafka?: (kafka: KafkaPort) => KafkaPort;
  /** Before the keys of Redis. */
  readonly redisPrefix?: string;
  readonly identity?: Identity;
  readonly revocations?: RevocationList;
}

/** What handlers write to, once it is there. */
interface Late {
  readonly events: () => Events;
  readonly profiles: () => RecordedCollection<ProfileDocument>;
  readonly markers: () => RecordedCollection<RemovalDocument>;
}

/** What this service does when something happens elsewhere. */
export const handlersOf = ({ events, profiles, markers }: Late): Handler[] => [
  onEvent.transaction({
    name: 'create-profile',
    // Both with one handler: of one account it gets them in order.
    on: [accountCreated, accountUpdated],
    // A database that is new, or was lost, gets the profiles of all accounts that auth's log still tells of.
    from: 'beginning',
    handle: (event, context) => {
      const given = { profiles: profiles(), persons: events().persons };
      return event.type === accountCreated.type
        ? createProfile(given)(event, context)
        : followEmail(given)(event as EventOf<typeof accountUpdated>, context);
    },
  }),
  // Somebody who is erased is removed from this service.
  ...removalHandlers({
    service: 'user',
    markers,
    persons: () => events().persons,
    kafkaUntil: (from) => events().kafkaUntil(from),
    steps: [
      removeProfile(profiles),
      redactPerson({ redaction: () => events().redaction, keep: [profileDeleted.type] }),
    ],
  }),
];

const routesOf = (events: Events, profileWrites: RecordedCollection<ProfileDocument>, { database }: Connections) => {
  const profiles = profileQueries(database);
  const awaitProfile = createAwaitProfile({
    profiles,
    waitersLimit,
    isErased: events.persons.isErased,
    onChange: (listener) =>
      events.stream.subscribe(({ collection, id }) => {
        if (collection === profilesCollection) listener(id);
      }),
  });
  return [
    readOwnProfileRoute({ awaitProfile }),
    changeOwnProfileRoute({ awaitProfile, profiles: profileWrites }),
    readProfileRoute({ profiles }),
    ...eventRoutes(events),
  ].map((route) => withPosition(route, () => events.position()));
};

const identityOf = (config: Config, keys: KeySource, revocations: RevocationList): Identity =>
  createIdentity({ issuer: config.tokenIssuer, audience: config.tokenAudience, keys, revocations });

/** Starts everything that this service is, and says what it serves. */
export async function start(
  context: StartContext<typeof settings>,
  replacements: Replacements = {},
): Promise<ServiceParts> {
  const { settings: config, logger, onStop } = context;
  const { kafka: wrap = (given: KafkaPort) => given, redisPrefix } = replacements;
  const connections = await connect(config, context);
  const { database, redis, kafka } = connections;

  const prefix = redisPrefix === undefined ? {} : { prefix: redisPrefix };
  const ask = askAuth({ url: config.authUrl, internalKey: config.internalKey });
  const { revocationBoundMs: boundMs } = config;
  const revocations = replacements.revocations ?? createRevocations({ redis, logger, ask, boundMs, ...prefix });
  const keys = remoteKeys({ url: config.jwksUrl, logger });
  const identity = replacements.identity ?? identityOf(config, keys, revocations);
  context.awaits?.({ 'token-keys': () => keys.ready() });
  onStop('identity', () => identity.stop());
  const events: Events = createEvents({
    service: 'user',
    client: database.getClient(),
    database: config.database,
    kafka: wrap(kafka),
    partitions: config.kafkaPartitions,
    retentionDays: config.retentionDays,
    logger,
    handlers: handlersOf({ events: () => events, profiles: () => profiles, markers: () => markers }),
    producerLogs: producerLogs({ urls: { [topicOf('auth')]: config.authUrl }, internalKey: config.internalKey }),
  });
  const profiles: RecordedCollection<ProfileDocument> = events.collection(profilesCollection, { thing: 'profile' });
  const markers = removalMarkers(events);
  onStop('events', () => events.stop());
  // Redis tells sooner; this is for when it is away, or has lost what it knew.
  const follower = followRevocations({ kafka: wrap(kafka), revocations, logger });
  onStop('revocations', () => follower.close());
  await Promise.all([events.start(), identity.start()]);
  const caughtUp = await follower.caughtUp(waitForRevocationsMs);
  if (!caughtUp) logger.warn('Kafka has not told of revocations yet: those that auth tells of are refused');

  return {
    routes: routesOf(events, profiles, connections),
    identity,
    readiness: {
      mongodb: () => events.db.command({ ping: 1 }).then(() => true),
      'commit-stream': () => events.ready.stream,
    },
    helpful: {
      relay: () => events.ready.relay,
      redis: () => redis.status === 'ready',
      revocations: () => revocations.ready(),
    },
    translateError: faultOfError,
  };
}
