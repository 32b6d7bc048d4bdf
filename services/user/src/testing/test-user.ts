import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import {
  accountCreated,
  accountUpdated,
  erasureRequested,
  erasureSettled,
  handlersTopic,
  newId,
  sessionEnded,
  topicOf,
} from '@causeway/contracts';
import type { Cause, EventEnvelope } from '@causeway/contracts';
import { createEvents, createKafka, draft, slotOf, toBinary } from '@causeway/events';
import type { Events, KafkaPort } from '@causeway/events';
import { heldKafka, isolatedKafka, readPublished } from '@causeway/events/testing';
import type { HeldKafka, PublishedEvents } from '@causeway/events/testing';
import { createRevocations, connectRedis, eventRoutes } from '@causeway/service';
import { startTestService, testIdentity } from '@causeway/service/testing';
import type { TestIdentity, TestService } from '@causeway/service/testing';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';
import type { Db } from 'mongodb';

import { start } from '../app.ts';
import { readConfig } from '../config.ts';

/** What was answered, read. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How to call. */
export interface TestCall {
  readonly as?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** This service on the real servers, with an auth that records whatever the test says. */
export interface TestUser {
  readonly db: Db;
  readonly service: TestService;
  readonly identity: TestIdentity;
  readonly published: PublishedEvents;
  call(methodAndPath: string, options?: TestCall): Promise<Answered>;
  /** Records and publishes `auth.account.created`. */
  createAccount(account?: {
    id?: string;
    email?: string;
    name?: string;
  }): Promise<{ id: string; event: EventEnvelope }>;
  /** Records and publishes `auth.account.updated`. */
  updateAccount(accountId: string, email: string, changed: readonly string[]): Promise<EventEnvelope>;
  /** Records and publishes `auth.erasure.requested`. */
  requestErasure(accountId: string): Promise<EventEnvelope>;
  /** Records and publishes `auth.erasure.settled`. */
  settleErasure(accountId: string): Promise<EventEnvelope>;
  /** Records and publishes `auth.session.ended`. */
  endSession(accountId: string): Promise<{ sessionId: string; event: EventEnvelope }>;
  /**
   * Starts another replica, which has heard of nothing by Redis and whose Kafka is slow to tell, and gives whether it knows that a
   * session has ended when it begins to take calls.
   */
  knowsAtStart(sessionId: string): Promise<boolean>;
  /** Sends an event to the topic once more, as a relay may. */
  republish(event: EventEnvelope): Promise<void>;
  /** Kafka as this service sees it: what it sends may be held back. */
  readonly held: Pick<HeldKafka, 'hold' | 'release'>;
  stop(): Promise<void>;
}

const slowMs = 300;

const required = (name: string): string => process.env[name] ?? assert.fail(`${name} is not set`);

/** What there is before this service starts. */
export interface BeforeStart {
  readonly createAccount: TestUser['createAccount'];
  /** Before the names of topics and groups. */
  readonly prefix: string;
}

/**
 * Opens a world of its own.
 *
 * @param beforeStart - what happens before this service starts for the first time
 */
export async function openTestUser(beforeStart?: (before: BeforeStart) => Promise<void>): Promise<TestUser> {
  const name = `user-${randomUUID().slice(0, 8)}`;
  // What a test has seen, whatever it asks next has to see too: by default it would be shown what no majority has yet.
  const client = await MongoClient.connect(required('MONGODB_URL'), { readConcernLevel: 'majority' });
  const logger = createLogger({ service: name, level: process.env.TEST_LOG === undefined ? 'silent' : 'debug' });
  const brokers = required('KAFKA_BROKERS').split(',');
  const prefix = `${name}.`;
  const kafka = isolatedKafka(createKafka({ driver: 'platformatic', brokers, clientId: name, logger }), prefix);
  const stops: (() => Promise<void> | void)[] = [];

  const auth: Events = createEvents({
    service: 'auth',
    client,
    database: `${name}-auth`,
    kafka,
    partitions: 2,
    logger,
  });
  const accounts = auth.collection('accounts', { thing: 'account' });
  const sessions = auth.collection('sessions', { thing: 'session' });
  const erasures = auth.collection('erasures', { thing: 'erasure' });
  await auth.start();
  const cause = () => ({ correlationId: randomUUID(), principal: { type: 'system' } }) as const;
  const createAccount: TestUser['createAccount'] = async ({
    id = newId('usr'),
    email = `${id.toLowerCase()}@example.com`,
    name: called,
  } = {}) => {
    const facts = { accountId: id, email, emailVerified: false, roles: ['member' as const] };
    const data = { ...facts, ...(called === undefined ? {} : { name: called }) };
    const { event } = await accounts.create(cause(), { _id: id, state: {}, event: draft(accountCreated, data) });
    return { id, event };
  };
  const internalKey = randomUUID();
  const authService = await startTestService(eventRoutes(auth), { logger, internalKey });
  await beforeStart?.({ createAccount, prefix });

  const settings = readConfig({
    MONGODB_URL: required('MONGODB_URL'),
    KAFKA_BROKERS: required('KAFKA_BROKERS'),
    REDIS_URL: required('REDIS_URL'),
    USER_DATABASE: name,
    KAFKA_PARTITIONS: '2',
    CAUSEWAY_INTERNAL_KEY: internalKey,
    AUTH_URL: authService.url,
  });
  const context = {
    settings,
    logger,
    draining: new AbortController().signal,
    onStop: (_name: string, each: () => Promise<void> | void) => void stops.push(each),
  };
  const redis = connectRedis({ url: settings.redisUrl, name, logger });
  // Nobody tells these specs of revocations but Kafka: what Kafka has not told of is asked about, and taken.
  const listening = {
    ...{ redis, logger, boundMs: 5_000, patienceMs: 0 },
    ask: (tokens: readonly unknown[]) => Promise.resolve(tokens.map(() => false)),
  };
  const revocations = createRevocations({ ...listening, prefix: name });
  const identity = await testIdentity({ revocations });
  // A service takes its Kafka in more than one place.
  const helds: HeldKafka[] = [];
  const hold = (real: KafkaPort): KafkaPort => {
    const made = heldKafka(real);
    helds.push(made);
    return made.kafka;
  };
  const parts = await start(context, {
    kafka: (real) => hold(isolatedKafka(real, prefix)),
    redisPrefix: name,
    identity: identity.identity,
    revocations,
  });
  const service = await startTestService(parts.routes, {
    logger,
    identity: identity.identity,
    ...(parts.translateError === undefined ? {} : { translateError: parts.translateError }),
  });
  const published = await readPublished(kafka, 'user');
  const producer = await kafka.producer();

  return {
    db: client.db(name),
    service,
    identity,
    published,
    call: async (methodAndPath, { as, body, headers } = {}) => {
      const [method = '', path = ''] = methodAndPath.split(' ');
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const response = await service.fetch(path, {
        method,
        headers: {
          ...(as === undefined ? {} : await identity.bearer({ sub: as })),
          ...(body === undefined ? {} : { 'content-type': type }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
      };
    },
    held: { hold: () => helds.forEach((each) => each.hold()), release: () => helds.forEach((each) => each.release()) },
    createAccount,
    updateAccount: async (accountId, email, changed) => {
      const facts = { accountId, email, emailVerified: true, roles: ['member' as const] };
      const event = draft(accountUpdated, { ...facts, changed: [...changed] });
      const write = await accounts.update(cause(), accountId, () => ({ state: {}, event }));
      return write?.event ?? assert.fail();
    },
    requestErasure: async (accountId) => {
      const own: Cause = { correlationId: randomUUID(), principal: { type: 'app_user', id: accountId } };
      const write = await erasures.create(own, {
        _id: accountId,
        state: {},
        event: draft(erasureRequested, { accountId }),
      });
      return write.event;
    },
    settleErasure: async (accountId) => {
      const decide = () => ({ state: {}, event: draft(erasureSettled, { accountId }) });
      const write = await erasures.update(cause(), accountId, decide);
      return write?.event ?? assert.fail();
    },
    endSession: async (accountId) => {
      const sessionId = newId('ses');
      const event = draft(sessionEnded, { sessionId, accountId, reason: 'signed-out' });
      const write = await sessions.create(cause(), { _id: sessionId, state: {}, event });
      return { sessionId, event: write.event };
    },
    knowsAtStart: async (sessionId) => {
      const redisPrefix = `${name}-${randomUUID()}`;
      const fresh = createRevocations({ ...listening, prefix: redisPrefix });
      const slow = (real: KafkaPort): KafkaPort => ({
        ...real,
        readAll: async (topic, options) => {
          await delay(slowMs);
          return real.readAll(topic, options);
        },
      });
      await start(context, {
        kafka: (real) => slow(isolatedKafka(real, prefix)),
        redisPrefix,
        identity: identity.identity,
        revocations: fresh,
      });
      return fresh.isRevoked({ sid: sessionId, sub: newId('usr') }) === true;
    },
    republish: async (event) => {
      await producer.send([{ topic: topicOf('auth'), partition: slotOf(event.subject, 2), ...toBinary(event) }]);
    },
    stop: async () => {
      await published.stop();
      await service.stop();
      for (const each of stops.reverse()) await each();
      await authService.stop();
      await auth.stop();
      await kafka.deleteTopics([topicOf('auth'), topicOf('user'), handlersTopic]);
      await kafka.close();
      redis.disconnect();
      for (const database of [name, `${name}-auth`]) await client.db(database).dropDatabase();
      await client.close();
    },
  };
}
