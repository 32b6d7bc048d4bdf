import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SettingsError } from '@causeway/service';
import { assertSettingsTable } from '@causeway/service/testing';

import { readConfig, settings } from './config.ts';

const valid = {
  KAFKA_BROKERS: '127.0.0.1:9092',
  REDIS_URL: 'redis://127.0.0.1',
  CAUSEWAY_INTERNAL_KEY: 'an internal key for this test',
};

describe('configuration', () => {
  it('listens on loopback, believes no proxy, and lets pages of this machine call', () => {
    const config = readConfig(valid);
    assert.deepEqual([config.host, config.port, config.trustedProxies], ['127.0.0.1', 8080, 0]);
    assert.deepEqual(config.corsOrigins, ['http://localhost:*', 'http://127.0.0.1:*', 'http://[::1]:*']);
  });

  it('refuses what is no origin', () => {
    for (const CORS_ORIGINS of ['*', 'https://a.example/', 'https://*.example', 'a.example']) {
      assert.throws(() => readConfig({ ...valid, CORS_ORIGINS }), SettingsError, CORS_ORIGINS);
    }
    assert.throws(
      () => readConfig({ ...valid, CORS_ORIGINS: '*', PORT: 'eighty' }),
      (error) => error instanceof SettingsError && error.problems.length === 2,
      'together with what is wrong with rows',
    );
    assert.deepEqual(readConfig({ ...valid, CORS_ORIGINS: 'https://a.example' }).corsOrigins, ['https://a.example']);
  });

  it('refuses what is no broker that a subscriber could reach', () => {
    for (const KAFKA_PUBLIC_BROKERS of ['kafka.example', 'https://kafka.example:9092', 'a:1,b']) {
      assert.throws(() => readConfig({ ...valid, KAFKA_PUBLIC_BROKERS }), SettingsError, KAFKA_PUBLIC_BROKERS);
    }
    const brokers = ['kafka-1.example:9092', '[2001:db8::1]:9092'];
    assert.deepEqual(readConfig({ ...valid, KAFKA_PUBLIC_BROKERS: brokers.join() }).publicBrokers, brokers);
    assert.equal(readConfig(valid).publicBrokers, undefined);
  });

  it('is what the README says', async () => {
    await assertSettingsTable(new URL('../README.md', import.meta.url), settings);
  });
});
