import { randomUUID } from 'node:crypto';

import { topicOf } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { createEvents, createIdempotency, faultOfError, removalMarkers } from '@causeway/events';
import type { Events, KafkaPort } from '@causeway/events';
import {
  createIdentity,
  createRevocations,
  eventRoutes,
  localKeys,
  producerLogs,
  withPosition,
} from '@causeway/service';
import type { Revocations, Route, ServiceParts, StartContext } from '@causeway/service';
import { createGauge } from '@causeway/telemetry';

import { accountQueries, accountsCollection } from './accounts/account.model.ts';
import type { AccountDocument } from './accounts/account.model.ts';
import { ensureFirstAdministrator } from './accounts/first-administrator.ts';
import { readAccountRoute } from './accounts/read-account.route.ts';
import { createSignUp } from './accounts/sign-up.ts';
import { answerSignedUp, signUpRoute } from './accounts/sign-up.route.ts';
import { configOf } from './config.ts';
import type { Config, settings } from './config.ts';
import { connect } from './connections.ts';
import type { Connections } from './connections.ts';
import { createEraseAccount } from './erasure/erase-account.ts';
import { eraseAccountRoute } from './erasure/erase-account.route.ts';
import { handlersOf } from './handlers.ts';
import { startJob } from './jobs.ts';
import { jwksRoute } from './keys/jwks.route.ts';
import { createMasterKey } from './keys/master-key.ts';
import { signingKeyStore } from './keys/signing-key.model.ts';
import { loadSigningKeys } from './keys/signing-keys.ts';
import type { SigningKeys } from './keys/signing-keys.ts';
import { createBreachedPasswords } from './passwords/blocklist/breached-passwords.ts';
import { loadCommonPasswords } from './passwords/blocklist/load-common-passwords.ts';
import { createBoundedWork } from './passwords/bounded-work.ts';
import type { BoundedWork } from './passwords/bounded-work.ts';
import { hashConcurrency } from './passwords/hash-concurrency.ts';
import { createJudgePassword } from './passwords/judge-password.ts';
import { createPasswordHasher } from './passwords/password-hasher.ts';
import { createRenewHash } from './passwords/renew-hash.ts';
import { createEndOtherSessions } from './sessions/end-other-sessions.ts';
import { createEndSession } from './sessions/end-session.ts';
import type { EndSession, Revoke } from './sessions/end-session.ts';
import { endOtherSessionsRoute, endSessionRoute } from './sessions/end-sessions.route.ts';
import { createExpireSessions } from './sessions/expire-sessions.ts';
import { learnEndings } from './sessions/learn-endings.ts';
import { listSessionsRoute } from './sessions/list-sessions.route.ts';
import { createRefresh } from './sessions/refresh.ts';
import { refreshRoute } from './sessions/refresh.route.ts';
import { sessionQueries, sessionsCollection } from './sessions/session.model.ts';
import type { SessionDocument } from './sessions/session.model.ts';
import { createSessionTokens } from './sessions/session-tokens.ts';
import { createSignIn } from './sessions/sign-in.ts';
import { signInRoute } from './sessions/sign-in.route.ts';
import { signOutRoute } from './sessions/sign-out.route.ts';
import { createStartSession } from './sessions/start-session.ts';
import { createAccessTokens } from './tokens/access-token.ts';
import { createRefreshTokens } from './tokens/refresh-token.ts';

export { handlersOf };

const expireEveryMs = 60_000;

/** What the service does by itself has no caller. */
const bySystem = (): Cause => ({ correlationId: randomUUID(), principal: { type: 'system' } });

/** What a test may put in place of the real thing. */
export interface Replacements {
  /** Wraps the Kafka that the settings name. */
  readonly kafka?: (kafka: KafkaPort) => KafkaPort;
  /** Before this service's keys in Redis. */
  readonly redisPrefix?: string;
  readonly now?: () => Date;
}

/** The collections of this service: writes, which record events, and reads. */
const createStores = (events: Events, { database }: Connections) => ({
  accounts: events.collection<AccountDocument>(accountsCollection, { thing: 'account' }),
  sessions: events.collection<SessionDocument>(sessionsCollection, { thing: 'session' }),
  accountQueries: accountQueries(database),
  sessionQueries: sessionQueries(database),
});

interface Parts extends ReturnType<typeof createStores> {
  readonly config: Config;
  readonly events: Events;
  readonly revocations: Revocations;
  readonly signingKeys: SigningKeys;
  readonly hashing: BoundedWork;
  readonly logger: StartContext<typeof settings>['logger'];
  readonly revoke: Revoke;
  readonly endSession: EndSession;
  readonly now: () => Date;
}

/** The use cases, each given what it needs. */
async function createUseCases(parts: Parts) {
  const { config, events, accounts, sessions, accountQueries, sessionQueries, revoke, endSession, now } = parts;
  const masterKey = createMasterKey(config.masterKey);
  const refreshTokens = createRefreshTokens(masterKey.derive('refresh-token'));
  const accessTokens = createAccessTokens({
    issuer: config.tokenIssuer,
    audience: config.tokenAudience,
    signingKey: () => parts.signingKeys.active(),
    secret: masterKey.derive('access-token-id'),
  });
  const { db, transaction } = events;
  const idempotency = createIdempotency({ db, transaction, secret: masterKey.derive('idempotency') });
  await idempotency.ensureIndexes();
  const lifetimes = { idleMs: config.sessionIdleMs, absoluteMs: config.sessionAbsoluteMs };
  const passwords = await createPasswordHasher(parts.hashing);
  const { breachedPasswordsUrl: url } = config;
  const isBreached = url === undefined ? undefined : createBreachedPasswords({ url, logger: parts.logger });
  const judgePassword = createJudgePassword({ isCommon: await loadCommonPasswords(), isBreached });
  const sessionTokens = createSessionTokens({ accessTokens, refreshTokens, now });
  const startSession = createStartSession({ sessions, refreshTokens, lifetimes, now });
  const signing = { passwords, startSession, sessionTokens };
  const renewHash = createRenewHash({ accounts, passwords, logger: parts.logger });
  const refreshing = { refreshTokens, sessionTokens, lifetimes, revoke, now };
  return {
    signUp: createSignUp({ ...signing, accounts, judgePassword, idempotency, transaction, answer: answerSignedUp }),
    signIn: createSignIn({ ...signing, accounts: accountQueries, renewHash, endSession }),
    eraseAccount: createEraseAccount({ events, accounts, accountQueries, sessions, passwords, revoke, now }),
    refresh: createRefresh({ ...refreshing, accounts: accountQueries, sessions, sessionQueries }),
    endSession,
    endOtherSessions: createEndOtherSessions({ sessionQueries, endSession }),
    expireSessions: createExpireSessions({ sessionQueries, endSession, now }),
    ensureFirstAdministrator: (administrator: NonNullable<Config['firstAdministrator']>) =>
      ensureFirstAdministrator({ accounts, accountQueries, passwords }, bySystem(), administrator),
  };
}

const routesOf = (parts: Parts, useCases: Awaited<ReturnType<typeof createUseCases>>): Route[] =>
  [
    signUpRoute(useCases),
    signInRoute(useCases),
    refreshRoute(useCases),
    signOutRoute(useCases),
    listSessionsRoute(parts),
    endSessionRoute(useCases),
    endOtherSessionsRoute(useCases),
    readAccountRoute({ accounts: parts.accountQueries }),
    eraseAccountRoute(useCases),
    jwksRoute(parts),
    ...eventRoutes(parts.events),
  ].map((route) => withPosition(route, () => parts.events.position()));

/** Starts everything that this service is, and says what it serves. */
export async function start(
  context: StartContext<typeof settings>,
  { kafka: wrap = (kafka) => kafka, redisPrefix, now = () => new Date() }: Replacements = {},
): Promise<ServiceParts> {
  const { logger, onStop } = context;
  const config = configOf(context.settings);
  const connections = await connect(config, context);
  const { database, redis } = connections;

  const revocations = createRevocations({
    redis,
    logger,
    ...(redisPrefix === undefined ? {} : { prefix: redisPrefix }),
  });
  const urls = { [topicOf('user')]: config.userUrl, [topicOf('data')]: config.dataUrl };
  const events: Events = createEvents({
    service: 'auth',
    client: database.getClient(),
    database: config.database,
    kafka: wrap(connections.kafka),
    partitions: config.kafkaPartitions,
    retentionDays: config.retentionDays,
    logger,
    now,
    handlers: handlersOf({
      ...{ config, logger, events: () => events, markers: () => markers, endSession: () => endSession },
      ...{ sessions: () => stores.sessions, sessionQueries: () => stores.sessionQueries },
    }),
    producerLogs: producerLogs({ urls, internalKey: config.internalKey }),
  });
  const markers = removalMarkers(events);
  const stores = createStores(events, connections);
  // Where Redis cannot pass it on, the commit stream and the event do.
  const revoke: Revoke = async (sessionId, until) => {
    await revocations.revoke(sessionId, until.getTime());
  };
  const endSession = createEndSession({ sessions: stores.sessions, revoke, now });
  await Promise.all([stores.accountQueries.ensureIndexes(), stores.sessionQueries.ensureIndexes()]);
  onStop('events', () => events.stop());
  await events.start();

  const vault = createMasterKey(config.masterKey).vault('signing-keys');
  const signingKeys = await loadSigningKeys({ store: signingKeyStore(database), vault, now });
  const identity = createIdentity({
    issuer: config.tokenIssuer,
    audience: config.tokenAudience,
    keys: localKeys(() => signingKeys.publicKeys()),
    revocations,
  });
  onStop('identity', () => identity.stop());
  context.awaits?.({ redis: () => revocations.ready() });
  await learnEndings({ ...stores, stream: events.stream, revocations, now, logger });
  await identity.start();

  const hashing = createBoundedWork({ concurrency: hashConcurrency(), queueLimit: config.hashQueueLimit });
  createGauge(
    'causeway.auth.hashes.waiting',
    { description: 'Passwords that wait for a core.' },
    () => hashing.load().waiting,
  );
  const parts = { ...stores, config, events, revocations, signingKeys, hashing, logger, revoke, endSession, now };
  const useCases = await createUseCases(parts);
  if (config.firstAdministrator !== undefined) {
    const outcome = await useCases.ensureFirstAdministrator(config.firstAdministrator);
    logger.info({ outcome }, 'the account of the first administrator is there');
  }
  const expire = { name: 'expire-sessions', everyMs: expireEveryMs };
  onStop('jobs', startJob({ ...expire, run: (signal) => useCases.expireSessions(bySystem(), signal) }, logger));

  return {
    routes: routesOf(parts, useCases),
    identity,
    readiness: {
      mongodb: () => events.db.command({ ping: 1 }).then(() => true),
      'commit-stream': () => events.ready.stream,
    },
    helpful: { relay: () => events.ready.relay, redis: () => redis.status === 'ready' },
    translateError: faultOfError,
  };
}
