import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';

import {
  erasureRequested,
  erasureSettled,
  faults,
  handlersTopic,
  newEventId,
  newId,
  topicOf,
} from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';
import { createEvents, createKafka, draft } from '@causeway/events';
import type { Events, RecordedDocument } from '@causeway/events';
import { isolatedKafka, readPublished } from '@causeway/events/testing';
import type { PublishedEvents } from '@causeway/events/testing';
import type { RevocationList } from '@causeway/service';
import { startTestService, testIdentity } from '@causeway/service/testing';
import type { TestService } from '@causeway/service/testing';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';
import type { Db } from 'mongodb';

import { start } from '../app.ts';
import { readConfig } from '../config.ts';
import type { HeldStream } from './held-stream.ts';

/** Everything that was answered, read. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests look into answers as they come.
  readonly body: Readonly<Record<string, never>> & Readonly<Record<string, unknown>>;
}

/** How to call. */
export interface TestCall {
  /** Sent as JSON, unless it is text. */
  readonly body?: unknown;
  readonly type?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One replica of this service. */
export interface TestReplica {
  readonly service: TestService;
  call(methodAndPath: string, options?: TestCall): Promise<Answered>;
  stop(): Promise<void>;
}

/** Somebody who calls. */
export interface Person {
  readonly id: string;
  readonly sid: string;
  readonly token: string;
}

/** A world of its own: database, topics and Redis keys that no other spec sees. */
export interface TestData {
  readonly db: Db;
  /** Starts a replica; `environment` overrides settings, `held` may hold its commit stream back. */
  replica(environment?: Record<string, string>, held?: HeldStream): Promise<TestReplica>;
  /** A token, by default of a member. */
  person(claims?: {
    readonly roles?: readonly string[];
    readonly org?: string;
    readonly exp?: number;
  }): Promise<Person>;
  /** A token of such claims. */
  token(claims: {
    readonly sub: string;
    readonly sid: string;
    readonly roles?: readonly string[];
    readonly org?: string;
  }): Promise<string>;
  /** How many change streams are open on its database. */
  changeStreams(): Promise<number>;
  /** Follows what is published; call it once a replica has started. */
  published(): Promise<PublishedEvents>;
  /** Tells as auth that somebody is to be erased, and once more that no token of theirs can be valid. */
  erase(accountId: string, step: 'requested' | 'settled'): Promise<EventEnvelope>;
  readonly redisPrefix: string;
  /** Ends a session, as auth would. */
  endSession(sid: string): void;
  /** Nobody says any more whether a session has ended. */
  loseSession(sid: string): void;
  stop(): Promise<void>;
}

/** What MongoDB is asked for what it does just now by: no majority knows of that. */
export const whatIsRunning = { readConcern: { level: 'local' } } as const;

/** What the stack that tests run on says of its servers. */
export const required = (name: string): string => process.env[name] ?? assert.fail(`${name} is not set`);

/**
 * Opens a world.
 *
 * @param options - `now`: the clock of its replicas, but for tokens
 */
export async function openTestData({ now }: { readonly now?: () => Date } = {}): Promise<TestData> {
  const name = `data-${randomUUID().slice(0, 8)}`;
  // What a test has seen, whatever it asks next has to see too: by default it would be shown what no majority has yet.
  const client = await MongoClient.connect(required('MONGODB_URL'), { readConcernLevel: 'majority' });
  const ended = new Set<string>();
  const unsure = new Set<string>();
  const isRevoked: RevocationList['isRevoked'] = ({ sid }) =>
    unsure.has(sid) ? Promise.reject(faults.unavailable()) : ended.has(sid);
  const issuer = await testIdentity({
    revocations: {
      isRevoked,
      learn: () => undefined,
      start: () => Promise.resolve(),
      ready: () => true,
      stop: () => Promise.resolve(),
    },
  });
  const running = new Set<TestReplica>();
  const logger = createLogger({ service: name, level: process.env.TEST_LOG === undefined ? 'silent' : 'debug' });
  const prefix = `${name}.`;
  const brokers = required('KAFKA_BROKERS').split(',');
  const outside = isolatedKafka(createKafka({ driver: 'platformatic', brokers, clientId: name, logger }), prefix);
  // Where auth has never been started a replica would wait for its topic.
  await outside.ensureTopics([{ name: topicOf('auth'), partitions: 2 }]);
  const environment = {
    MONGODB_URL: required('MONGODB_URL'),
    KAFKA_BROKERS: required('KAFKA_BROKERS'),
    REDIS_URL: required('REDIS_URL'),
    DATA_DATABASE: name,
    KAFKA_PARTITIONS: '2',
    CAUSEWAY_INTERNAL_KEY: randomUUID(),
    CAUSEWAY_FIELD_KEY: `${randomUUID()}${randomUUID()}`,
  };

  const replica: TestData['replica'] = async (overrides = {}, held) => {
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
        identity: issuer.identity,
        isRevoked,
        redisPrefix: name,
        ...(held === undefined ? {} : { stream: held.wrap }),
        ...(now === undefined ? {} : { now }),
      });
      const service = await startTestService(parts.routes, {
        logger,
        internalKey: settings.internalKey,
        identity: issuer.identity,
        ...(parts.translateError === undefined ? {} : { translateError: parts.translateError }),
      });
      stops.push(() => service.stop());
      const made: TestReplica = {
        service,
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

  let auth: Promise<Events> | undefined;
  /** An erasure goes back to one request from its beginning to its end. */
  const correlations = new Map<string, string>();
  const correlationOf = (accountId: string): string => {
    const known = correlations.get(accountId) ?? newEventId();
    correlations.set(accountId, known);
    return known;
  };
  const startAuth = async (): Promise<Events> => {
    const own = { service: 'auth', client, database: `${name}-auth`, kafka: outside, partitions: 2, logger };
    const events = createEvents(own);
    events.collection('erasures', { thing: 'erasure' });
    await events.start();
    return events;
  };

  let following: PublishedEvents | undefined;
  return {
    db: client.db(name),
    redisPrefix: name,
    replica,
    async person(claims = {}) {
      const id = newId('usr');
      const sid = newId('ses');
      return { id, sid, token: await issuer.token({ sub: id, sid, ...claims }) };
    },
    token: (claims) => issuer.token(claims),
    async erase(accountId, step) {
      auth ??= startAuth();
      const erasures = (await auth).collection<RecordedDocument>('erasures', { thing: 'erasure' });
      const own = { correlationId: correlationOf(accountId), principal: { type: 'system' } } as const;
      const event = draft(step === 'requested' ? erasureRequested : erasureSettled, { accountId });
      if (step === 'requested') return (await erasures.create(own, { _id: accountId, state: {}, event })).event;
      return (await erasures.update(own, accountId, () => ({ state: {}, event })))?.event ?? assert.fail();
    },
    async changeStreams() {
      const stages = [
        { $currentOp: { idleCursors: true, allUsers: true } },
        {
          $match: {
            ns: { $regex: `^${name}\\.` },
            'cursor.originatingCommand.pipeline.0.$changeStream': { $exists: true },
          },
        },
        { $group: { _id: '$cursor.cursorId' } },
      ];
      return (await client.db('admin').aggregate(stages, whatIsRunning).toArray()).length;
    },
    published: async () => (following ??= await readPublished(outside, 'data')),
    endSession: (sid) => void ended.add(sid),
    loseSession: (sid) => void unsure.add(sid),
    stop: async () => {
      await following?.stop();
      for (const each of running) await each.stop();
      await (await auth)?.stop();
      await outside.deleteTopics([topicOf('auth'), topicOf('data'), handlersTopic]);
      await outside.close();
      for (const database of [name, `${name}-auth`]) await client.db(database).dropDatabase();
      await client.close();
    },
  };
}

async function call(service: TestService, methodAndPath: string, options: TestCall = {}): Promise<Answered> {
  const [method = '', path = ''] = methodAndPath.split(' ');
  const { body, type = 'application/json', token, headers } = options;
  const response = await service.fetch(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /^application\/(?:problem\+)?json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (isJson && text !== '' ? JSON.parse(text) : {}) as Answered['body'],
  };
}

/** What everybody may read, and their authors may write. */
export const articles = {
  schema: {
    type: 'object',
    required: ['title'],
    properties: {
      title: { type: 'string', maxLength: 200 },
      body: { type: 'string' },
      status: { enum: ['draft', 'published'] },
      score: { type: 'number' },
      tags: { type: 'array', items: { type: 'string' } },
      author: { type: 'string' },
    },
  },
  indexes: [{ keys: { status: 1, score: -1 } }, { keys: { title: 1 }, unique: true }],
  rules: {
    read: [{ status: 'published' }, { author: { $auth: 'sub' } }],
    create: [{ author: { $auth: 'sub' } }],
    update: [{ author: { $auth: 'sub' } }],
    delete: [{ author: { $auth: 'sub' } }],
  },
} as const;
