import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { handlersTopic, topicOf } from '@causeway/contracts';
import { createKafka } from '@causeway/events';
import type { KafkaPort } from '@causeway/events';
import { isolatedKafka } from '@causeway/events/testing';
import { testIdentity } from '@causeway/service/testing';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import { start } from './app.ts';
import { readConfig } from './config.ts';

const { MONGODB_URL = '', KAFKA_BROKERS = '', REDIS_URL = '' } = process.env;
const slowMs = 300;

describe('data', () => {
  const name = `data-${randomUUID().slice(0, 8)}`;
  const logger = createLogger({ service: name, level: 'silent' });
  const stops: (() => Promise<void> | void)[] = [];
  const kafka = isolatedKafka(
    createKafka({ driver: 'platformatic', brokers: KAFKA_BROKERS.split(','), clientId: name, logger }),
    `${name}.`,
  );
  before(() => kafka.ensureTopics([{ name: topicOf('auth'), partitions: 2 }]));
  after(async () => {
    for (const each of stops.reverse()) await each();
    await kafka.deleteTopics([topicOf('auth'), topicOf('data'), handlersTopic]);
    await kafka.close();
    const client = await MongoClient.connect(MONGODB_URL);
    await client.db(name).dropDatabase();
    await client.close();
  });

  it('takes no call before Kafka has told which sessions have ended', async () => {
    let told = false;
    const slow = (real: KafkaPort): KafkaPort => ({
      ...real,
      readAll: async (topic, options) => {
        if (topic === topicOf('auth')) await delay(slowMs);
        const onCaughtUp = (): void => {
          told ||= topic === topicOf('auth');
          options.onCaughtUp();
        };
        return real.readAll(topic, { ...options, onCaughtUp });
      },
    });
    const environment = { MONGODB_URL, KAFKA_BROKERS, REDIS_URL, DATA_DATABASE: name, KAFKA_PARTITIONS: '2' };
    const context = {
      settings: readConfig({ ...environment, CAUSEWAY_INTERNAL_KEY: randomUUID() }),
      logger,
      draining: new AbortController().signal,
      onStop: (_name: string, each: () => Promise<void> | void) => void stops.push(each),
    };
    const { identity } = await testIdentity();
    await start(context, { kafka: (real) => slow(isolatedKafka(real, `${name}.`)), redisPrefix: name, identity });
    assert.equal(told, true);
  });
});
