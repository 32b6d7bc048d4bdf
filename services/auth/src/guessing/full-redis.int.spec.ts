import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';

import { startSmallRedis } from '@causeway/service/testing';
import { Redis } from 'ioredis';

import type { GuessCounters, Guesser } from './counters.ts';
import { guessRules } from './guess-rules.ts';
import type { GuessRules } from './guess-rules.ts';
import { createLocalCounters } from './local-counters.ts';
import { createRedisCounters } from './redis-counters.ts';

const beside = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set');
const guesses = 5;
const rules: GuessRules = {
  ...guessRules({ perBlock: 1_000, overall: 1_000 }),
  strangers: { places: guesses, delaysMs: [0] },
};
const cachedForMs = 60_000;
const page = 'x'.repeat(16_384);

/** Evicts, or not, whatever it has room for. */
const fullRedis = async (policy: 'volatile-ttl' | 'noeviction') => {
  const server = await startSmallRedis({ beside, maxMemory: '4mb', policy });
  const redis = new Redis(server.url);
  await redis.ping();
  const replica = (): GuessCounters =>
    createRedisCounters({
      ...{ redis, prefix: 'guess', rules, local: createLocalCounters({ rules }), patienceMs: 10_000 },
      logger: { warn: () => undefined },
    });
  const stop = async (): Promise<void> => {
    redis.disconnect();
    await server.stop();
  };
  return { redis, replica, [Symbol.asyncDispose]: stop };
};

const stranger = (): Guesser => ({ account: randomUUID(), block: randomUUID(), budget: 'strangers' });

/** How many of twice as many as there are get a place. */
const placesOf = async (counters: GuessCounters, guesser: Guesser): Promise<number> => {
  let granted = 0;
  for (let guess = 0; guess < 2 * guesses; guess += 1) {
    const { place } = await counters.take(guesser);
    if (place !== undefined) granted += 1;
  }
  return granted;
};

describe('counters of guesses in a Redis that is full', () => {
  it('are kept for all replicas while what is cached goes', async () => {
    await using full = await fullRedis('volatile-ttl');
    const { redis, replica } = full;
    const guesser = stranger();
    assert.equal(await placesOf(replica(), guesser), guesses);
    for (let index = 0; index < 2_000; index += 1) await redis.set(`page:${index}`, page, 'PX', cachedForMs);
    assert.equal(await redis.exists('page:0'), 0, 'Redis was never full');
    // One that has begun since knows nothing by itself.
    assert.equal(await placesOf(replica(), guesser), 0);
  });

  it('hold for each process by itself where nothing may go', async () => {
    await using full = await fullRedis('noeviction');
    const { redis, replica } = full;
    const fill = async (): Promise<void> => {
      for (let index = 0; ; index += 1) await redis.set(`page:${index}`, page);
    };
    await assert.rejects(fill(), /OOM/);
    assert.equal(await placesOf(replica(), stranger()), guesses);
  });
});
