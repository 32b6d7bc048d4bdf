import { defineEvent, newEventId, topicOf, type Cause, type EventEnvelope } from '@causeway/contracts';
import { createLogger } from '@causeway/telemetry';
import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { z } from 'zod';

import { createEvents } from '../create-events.ts';
import type { Events, EventsOptions } from '../events.ts';
import { fromBinary } from '../envelope/binary-mode.ts';
import { createKafka } from '../kafka/create-kafka.ts';
import type { FetchedRecord, KafkaDriver, KafkaPort } from '../kafka/port.ts';
import type { RecordedDocument } from '../recording/recorded-document.ts';

/** The documents of these tests. */
export interface Note extends RecordedDocument {
  readonly text: string;
  readonly tag?: string;
}

/** Events of a service that exists in one test alone. */
export const noteEvents = (service: string) => {
  const data = { text: z.string(), tag: z.string().optional() };
  const common = { version: 1, thing: 'note', description: 'A note, in a test.' };
  return {
    created: defineEvent({ ...common, type: `${service}.note.created`, data }),
    updated: defineEvent({ ...common, type: `${service}.note.updated`, data }),
    echoed: defineEvent({ ...common, type: `${service}.note.echoed`, data }),
    deleted: defineEvent({ ...common, type: `${service}.note.deleted`, data: {} }),
  };
};

/** A cause as the HTTP layer would give it. */
export const testCause = (): Cause => ({
  correlationId: newEventId(),
  principal: { type: 'app_user', id: 'usr_TEST' },
});

/** Waits for a condition, for at most 60 s if nothing else is said. */
export const eventually = async <T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  withinMs = 60_000,
): Promise<T> => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs / 1_000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** A world of its own on the real servers: a database, a topic, and everything that has reached it. */
export interface TestWorld {
  readonly service: string;
  readonly client: MongoClient;
  readonly database: string;
  readonly kafka: KafkaPort;
  /** Makes another replica of the service. */
  replica(options?: Partial<EventsOptions>): Events;
  /** Everything on the service's topic, in order of arrival; grows while the test runs. */
  readonly records: readonly FetchedRecord[];
  /** The events among {@link records}, each once: where a slot changes hands, a relay may publish what is published. */
  events(): EventEnvelope[];
  /** Begins to follow the topic; call it once the topic exists. */
  follow(): Promise<void>;
  /** Stops what was started, and removes the database and the topic. */
  end(): Promise<void>;
}

const fromEnvironment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run these tests with npm run test-int`);
  return value;
};

/** The drivers that the whole of this package is held to. */
export const drivers: readonly KafkaDriver[] = ['platformatic', 'kafkajs'];

/** Opens a world. */
export const openWorld = async (driver: KafkaDriver = 'platformatic'): Promise<TestWorld> => {
  const service = `t${randomBytes(5).toString('hex')}`;
  const database = `causeway-${service}`;
  // What a test has seen, whatever it asks next has to see too: by default it would be shown what no majority has yet.
  const client = await MongoClient.connect(fromEnvironment('MONGODB_URL'), {
    appName: service,
    readConcernLevel: 'majority',
  });
  const logger = createLogger({ service, level: process.env.TEST_LOG === undefined ? 'silent' : 'debug' });
  const brokers = fromEnvironment('KAFKA_BROKERS').split(',');
  const kafka = createKafka({ driver, brokers, clientId: service, logger });
  const running: Events[] = [];
  const records: FetchedRecord[] = [];
  return {
    service,
    client,
    database,
    kafka,
    records,
    replica(options = {}) {
      const own = { service, client, database, kafka, partitions: 4, logger, leaseMs: 2_000, ...options };
      const events = createEvents(own);
      running.push(events);
      return events;
    },
    events() {
      const first = new Map<string, EventEnvelope>();
      for (const { headers, value } of records) {
        const event = fromBinary(headers, value);
        if (!first.has(event.id)) first.set(event.id, event);
      }
      return [...first.values()];
    },
    async follow() {
      await kafka.readAll(topicOf(service), {
        from: 'beginning',
        onRecord: (record) => void records.push(record),
        onCaughtUp: () => undefined,
      });
    },
    async end() {
      await Promise.all(running.map((each) => each.stop()));
      await kafka.deleteTopics([topicOf(service)]);
      await kafka.close();
      await client.db(database).dropDatabase();
      await client.close();
    },
  };
};
