import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { createEvents } from '@causeway/events';
import { createKafka } from '@causeway/events';
import { isolatedKafka } from '@causeway/events/testing';
import { createLogger } from '@causeway/telemetry';
import mongoose from 'mongoose';

import { openTestAuth, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';
import { createEndSession } from './end-session.ts';
import { createExpireSessions } from './expire-sessions.ts';
import { sessionQueries, sessionsCollection } from './session.model.ts';
import type { SessionDocument } from './session.model.ts';

const dayMs = 86_400_000;

describe('expiry of sessions', () => {
  let world: TestAuth;
  let auth: TestReplica;
  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
  });
  after(() => world.stop());

  it('ends what is over by time, once, with an event of the system, and leaves the rest', async () => {
    const old = await Promise.all(Array.from({ length: 60 }, () => signUp(auth)));
    world.clock.aheadMs = 10 * dayMs;
    const fresh = await signUp(auth);
    // It does the same every minute, by this clock.
    await auth.stop();
    world.clock.aheadMs = 30 * dayMs + 1000;
    const now = () => new Date(Date.now() + world.clock.aheadMs);

    const logger = createLogger({ service: 'expiry', level: 'silent' });
    const connection = await mongoose
      .createConnection(world.environment.MONGODB_URL!, { dbName: world.db.databaseName })
      .asPromise();
    const brokers = world.environment.KAFKA_BROKERS!.split(',');
    const kafka = createKafka({ driver: 'platformatic', brokers, clientId: 'expiry', logger });
    // Not started: the events that it records are published by the replica that follows.
    const events = createEvents({
      service: 'auth',
      client: connection.getClient(),
      database: world.db.databaseName,
      kafka: isolatedKafka(kafka, `${randomUUID()}.`),
      partitions: 2,
      logger,
      now,
    });
    const revoked: string[] = [];
    const endSession = createEndSession({
      sessions: events.collection<SessionDocument>(sessionsCollection, { thing: 'session' }),
      revoke: async (sessionId) => void revoked.push(sessionId),
      now,
    });
    const expire = createExpireSessions({ sessionQueries: sessionQueries(connection), endSession, now });
    const cause = { correlationId: randomUUID(), principal: { type: 'system' } } as const;
    const counts = await Promise.all([
      expire(cause, new AbortController().signal),
      expire(cause, new AbortController().signal),
    ]);

    assert.equal(counts[0] + counts[1], 60);
    assert.deepEqual(new Set(revoked), new Set(old.map((person) => person.sessionId)));
    await world.replica();
    const published = await world.published();
    const ended = await published.waitFor((event) => event.type === 'auth.session.ended', 60);
    assert.deepEqual(new Set(ended.map((event) => (event.data as { reason: string }).reason)), new Set(['expired']));
    assert.deepEqual(new Set(ended.map((event) => event.authtype)), new Set(['system']));
    const rest = await world.db.collection('sessions').find({ status: 'live' }).toArray();
    assert.deepEqual(
      rest.map((session) => String(session._id)),
      [fresh.sessionId],
    );
    assert.equal(await expire(cause, new AbortController().signal), 0);
    await connection.close();
    await kafka.close();
  });
});
