import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';

import { handlersTopic, newId, removalOf, services, topicOf } from '@causeway/contracts';
import type { ServiceName } from '@causeway/contracts';
import { createEvents, createKafka, draft } from '@causeway/events';
import type { Events } from '@causeway/events';
import { isolatedKafka, readPublished } from '@causeway/events/testing';
import type { PublishedEvents } from '@causeway/events/testing';
import { createLogger } from '@causeway/telemetry';
import type { Route } from '@causeway/service';
import { startTestService } from '@causeway/service/testing';
import type { TestService } from '@causeway/service/testing';
import { MongoClient } from 'mongodb';
import type { Db } from 'mongodb';

import { start } from '../app.ts';
import { readConfig } from '../config.ts';

/** Everything that was answered, read. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into answers as they come.
  readonly body: Record<string, never> & Readonly<Record<string, unknown>>;
}

/** How to call. */
export interface TestCall {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One replica of this service. */
export interface TestReplica {
  readonly service: TestService;
  /** What it serves. */
  readonly routes: readonly Route[];
  call(methodAndPath: string, options?: TestCall): Promise<Answered>;
  stop(): Promise<void>;
}

/** A world of its own: database, topics and Redis keys that no other spec sees. */
export interface TestAuth {
  readonly db: Db;
  /** Milliseconds that the service's clock is ahead of the real one. */
  readonly clock: { aheadMs: number };
  readonly environment: Record<string, string>;
  /** Starts a replica; `environment` overrides settings. */
  replica(environment?: Record<string, string>): Promise<TestReplica>;
  /** Between attempts to send a mail. */
  readonly mailDelaysMs: number[];
  /** Says as another service that somebody is removed from it. */
  answerAs(service: Exclude<ServiceName, 'auth'>, accountId: string): Promise<void>;
  /** Has the removal of somebody, who is erased, stand at a step of its last pass again, as by a process of another release. */
  leaveRemovalAt(accountId: string, step: string): Promise<void>;
  /** Follows what is published; call it once a replica has started. */
  published(): Promise<PublishedEvents>;
  stop(): Promise<void>;
}

const required = (name: string): string => process.env[name] ?? assert.fail(`${name} is not set`);

/** Opens a world. */
export async function openTestAuth(): Promise<TestAuth> {
  const name = `auth-${randomUUID().slice(0, 8)}`;
  // What a test has seen, whatever it asks next has to see too: by default it would be shown what no majority has yet.
  const client = await MongoClient.connect(required('MONGODB_URL'), { readConcernLevel: 'majority' });
  const db = client.db(name);
  const clock = { aheadMs: 0 };
  const mailDelaysMs = [200, 400, 800];
  const running = new Set<TestReplica>();
  const environment: Record<string, string> = {
    MONGODB_URL: required('MONGODB_URL'),
    KAFKA_BROKERS: required('KAFKA_BROKERS'),
    REDIS_URL: required('REDIS_URL'),
    AUTH_DATABASE: name,
    KAFKA_PARTITIONS: '2',
    CAUSEWAY_INTERNAL_KEY: randomUUID(),
    CAUSEWAY_MASTER_KEY: `${randomUUID()}${randomUUID()}`,
    MAILBOX: 'true',
    // All callers of a spec share one address.
    LINKS_PER_BLOCK: '100000',
  };
  const logger = createLogger({ service: name, level: process.env.TEST_LOG === undefined ? 'silent' : 'debug' });
  const brokers = required('KAFKA_BROKERS').split(',');
  const prefix = `${name}.`;
  const outside = isolatedKafka(createKafka({ driver: 'platformatic', brokers, clientId: name, logger }), prefix);

  const replica = async (overrides: Record<string, string> = {}): Promise<TestReplica> => {
    const settings = readConfig({ ...environment, ...overrides });
    const stops: (() => Promise<void> | void)[] = [];
    const stop = async (): Promise<void> => {
      for (const each of stops.reverse()) await each();
      stops.length = 0;
    };
    const context = {
      settings,
      logger,
      draining: new AbortController().signal,
      onStop: (_name: string, each: () => Promise<void> | void) => void stops.push(each),
    };
    try {
      const parts = await start(context, {
        kafka: (kafka) => isolatedKafka(kafka, prefix),
        redisPrefix: name,
        now: () => new Date(Date.now() + clock.aheadMs),
        mailDelaysMs,
      });
      const service = await startTestService(parts.routes, {
        logger,
        internalKey: settings.internalKey,
        publicUrl: settings.publicUrl,
        ...(parts.identity === undefined ? {} : { identity: parts.identity }),
        ...(parts.hasSecondFactor === undefined ? {} : { hasSecondFactor: parts.hasSecondFactor }),
        ...(parts.translateError === undefined ? {} : { translateError: parts.translateError }),
      });
      stops.push(() => service.stop());
      const made: TestReplica = {
        ...{ service, routes: parts.routes },
        call: (methodAndPath, options) => call(service, methodAndPath, options),
        stop: async () => {
          running.delete(made);
          await stop();
        },
      };
      running.add(made);
      return made;
    } catch (error) {
      await stop();
      throw error;
    }
  };

  const others = new Map<string, Promise<Events>>();
  const startOther = async (service: string, database = `${name}-${service}`): Promise<Events> => {
    const events = createEvents({
      ...{ service, client, database },
      kafka: outside,
      partitions: Number(environment.KAFKA_PARTITIONS),
      logger,
    });
    events.collection('removals', { thing: 'removal' });
    await events.start();
    return events;
  };

  let own: Promise<Events> | undefined;
  let following: PublishedEvents | undefined;
  return {
    db,
    clock,
    environment,
    mailDelaysMs,
    replica,
    async answerAs(service, accountId) {
      const other = others.get(service) ?? startOther(service);
      others.set(service, other);
      const cause = { correlationId: randomUUID(), principal: { type: 'system' } } as const;
      const event = draft(removalOf(service).removalCompleted, { accountId, counts: { things: 1 } });
      await (
        await other
      )
        .collection('removals', { thing: 'removal' })
        .create(cause, { _id: accountId, state: {}, event });
    },
    async leaveRemovalAt(accountId, step) {
      own ??= startOther('auth', name);
      const cause = { correlationId: randomUUID(), principal: { type: 'system' } } as const;
      const counts = {};
      const event = draft(removalOf('auth').removalContinued, { accountId, step, counts });
      await (
        await own
      )
        .collection('removals', { thing: 'removal' })
        .update(cause, accountId, () => ({ state: { pass: 'last', status: 'working', step, counts }, event }));
    },
    published: async () => (following ??= await readPublished(outside, 'auth')),
    stop: async () => {
      await following?.stop();
      for (const each of running) await each.stop();
      await (await own)?.stop();
      for (const other of others.values()) await (await other).stop();
      await outside.deleteTopics([...services.map(topicOf), handlersTopic]);
      await outside.close();
      for (const service of others.keys()) await client.db(`${name}-${service}`).dropDatabase();
      await db.dropDatabase();
      await client.close();
    },
  };
}

async function call(service: TestService, methodAndPath: string, options: TestCall = {}): Promise<Answered> {
  const [method = '', path = ''] = methodAndPath.split(' ');
  const { body, token, headers } = options;
  const response = await service.fetch(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? {} : JSON.parse(text)) as Answered['body'],
  };
}

/** An address that nobody else has. */
export const randomEmail = (): string => `${newId('usr').toLowerCase()}@example.com`;

/** A password that is good enough. */
export const password = 'correct horse battery staple';

/** Somebody who is signed in. */
export interface Person {
  readonly email: string;
  readonly id: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** From the access token. */
  readonly sessionId: string;
}

/** What an access token says. */
export const claimsOf = (token: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;

/** @returns who has signed up or in, from the answer */
export function personOf({ body }: Answered): Person {
  const { account, accessToken, refreshToken } = body as unknown as {
    account: { id: string; email: string };
    accessToken: string;
    refreshToken: string;
  };
  const sessionId = claimsOf(accessToken).sid as string;
  return { email: account.email, id: account.id, accessToken, refreshToken, sessionId };
}

/** Signs somebody up. */
export async function signUp(replica: TestReplica, email = randomEmail()): Promise<Person> {
  const answer = await replica.call('POST /v1/auth/sign-up', { body: { email, password } });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return personOf(answer);
}

/** Signs somebody in. */
export async function signIn(replica: TestReplica, email: string): Promise<Person> {
  const answer = await replica.call('POST /v1/auth/sign-in', { body: { email, password } });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return personOf(answer);
}
