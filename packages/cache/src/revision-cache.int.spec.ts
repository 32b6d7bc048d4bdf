import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { after, before, beforeEach, describe, it } from 'node:test';

import { startTelemetry } from '@causeway/telemetry';
import { Redis } from 'ioredis';

import type { RevisionCache } from './revision-cache.ts';
import { createRevisionCache } from './revision-cache.ts';

interface Value {
  readonly revision: number;
  readonly text: string;
}

const url = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set');
const ttlMs = 30_000;
const telemetry = startTelemetry({ service: 'test', version: '0', sampleRatio: 0 });
/** How many reads of a cache have ended at each tier. */
const readsOf = async (name: string): Promise<Record<string, number>> => {
  const told = (await telemetry.metricsText()).matchAll(/^causeway_cache_reads_total\{(.*)\} (\d+)$/gm);
  const own = [...told].filter(([, labels = '']) => labels.includes(`causeway_cache="${name}"`));
  return Object.fromEntries(
    own.map(([, labels = '', count]) => [/tier="(\w+)"/.exec(labels)?.[1] ?? '', Number(count)]),
  );
};

describe('a cache of revisions', () => {
  let redis: Redis;
  let prefix: string;
  let now: number;

  before(async () => {
    redis = new Redis(url);
    await once(redis, 'ready');
  });

  beforeEach(() => {
    prefix = `cache-${randomUUID()}:`;
    now = 1_000_000;
  });

  after(async () => {
    redis.disconnect();
    await telemetry.shutdown(1_000);
  });

  const replica = (
    connection = redis,
    name = 'test',
    bounds: { readonly maxFloors?: number; readonly maxTextLength?: number } = {},
  ): RevisionCache<Value> => {
    const cache = createRevisionCache<Value>({
      name,
      codec: {
        encode: (value) => JSON.stringify(value),
        decode: (text) => JSON.parse(text) as Value,
        revisionOf: ({ revision }) => revision,
        sizeBytesOf: ({ text }) => text.length,
      },
      redis: connection,
      prefix,
      logger: { warn: () => undefined },
      maxBytes: 10_000,
      ttlMs,
      clock: () => now,
      ...bounds,
    });
    // A new process does not know what it has missed.
    now += ttlMs;
    return cache;
  };
  const value = (revision: number): Value => ({ revision, text: `at ${revision}` });
  const never = (): Promise<Value> => assert.fail('the database was asked');
  const settled = (): Promise<unknown> => redis.ping();
  /** A read that has asked the database and waits for its answer. */
  const begin = async (cache: RevisionCache<Value>) => {
    const late = Promise.withResolvers<Value>();
    const begun = Promise.withResolvers<undefined>();
    const reading = cache.read('a', () => {
      begun.resolve(undefined);
      return late.promise;
    });
    await begun.promise;
    return { reading, answer: (found: Value) => late.resolve(found) };
  };

  it('asks the database once', async () => {
    const cache = replica();
    assert.deepEqual(await cache.read('a', () => Promise.resolve(value(1))), value(1));
    assert.deepEqual(await cache.read('a', never), value(1));
    assert.deepEqual(cache.peek('a'), value(1));
  });

  it('counts each read where it ended, and no look that found nothing: what is read then is counted', async () => {
    const [one, other] = [replica(redis, 'counted'), replica(redis, 'counted')];
    assert.equal(one.peek('a'), undefined);
    assert.deepEqual(await readsOf('counted'), {});
    await one.read('a', () => Promise.resolve(value(1)));
    assert.deepEqual(await readsOf('counted'), { database: 1 });
    one.peek('a');
    await one.read('a', never);
    assert.deepEqual(await readsOf('counted'), { database: 1, process: 2 });
    await settled();
    await other.read('a', never);
    assert.deepEqual(await readsOf('counted'), { database: 1, process: 2, redis: 1 });
  });

  it('asks the database once for all who ask at once', async () => {
    const cache = replica();
    let asked = 0;
    const load = async (): Promise<Value> => {
      asked += 1;
      await settled();
      return value(1);
    };
    await Promise.all(Array.from({ length: 20 }, () => cache.read('a', load)));
    assert.equal(asked, 1);
  });

  it('is filled by one replica for the others', async () => {
    await replica().read('a', () => Promise.resolve(value(1)));
    await settled();
    assert.deepEqual(await replica().read('a', never), value(1));
  });

  it('gives nothing older after a change, in no replica', async () => {
    const [one, two] = [replica(), replica()];
    await one.read('a', () => Promise.resolve(value(1)));
    await settled();
    await two.read('a', never);
    one.invalidate('a', 2);
    two.invalidate('a', 2);
    assert.deepEqual(await one.read('a', () => Promise.resolve(value(2))), value(2));
    await settled();
    assert.deepEqual(await two.read('a', never), value(2));
  });

  it('carries an invalidation out before what is asked after it, even where Redis does not know the scripts', async () => {
    const cache = replica();
    await cache.read('a', () => Promise.resolve(value(1)));
    await settled();
    await redis.script('FLUSH');
    cache.invalidate('a', 2);
    assert.deepEqual(await cache.read('a', () => Promise.resolve(value(2))), value(2));
  });

  it('leaves nothing in Redis of a creation, and gives what was not there before to nobody who asks after it', async () => {
    const cache = replica();
    const nothing = cache.read('a', () => Promise.resolve(undefined));
    cache.invalidate('a', 1);
    cache.invalidate('b', 1);
    assert.deepEqual(await cache.read('a', () => Promise.resolve(value(1))), value(1));
    assert.equal(await nothing, undefined);
    await settled();
    assert.deepEqual(await cache.read('a', never), value(1));
    assert.equal(await redis.exists(`${prefix}b`), 0);
  });

  it('keeps no value whose read began before a change, and gives it to nobody who asks after', async () => {
    const cache = replica();
    const { reading, answer } = await begin(cache);
    cache.invalidate('a', 2);
    assert.deepEqual(await cache.read('a', () => Promise.resolve(value(2))), value(2));
    answer(value(1));
    assert.deepEqual(await reading, value(1));
    await settled();
    assert.deepEqual(await cache.read('a', never), value(2));
    assert.deepEqual(await replica().read('a', never), value(2));
  });

  it('takes no late fill into Redis after a flush: the lease is gone', async () => {
    const { reading, answer } = await begin(replica());
    // What a flush leaves of a change that another replica has told.
    await redis.del(`${prefix}a`);
    answer(value(1));
    await reading;
    await settled();
    assert.deepEqual(await replica().read('a', () => Promise.resolve(value(2))), value(2));
  });

  it('takes no fill below the floor, even with a lease', async () => {
    const [one, two] = [replica(), replica()];
    one.invalidate('a', 5);
    await settled();
    // A read from a member that lags behind.
    await two.read('a', () => Promise.resolve(value(4)));
    await settled();
    assert.deepEqual(await replica().read('a', () => Promise.resolve(value(5))), value(5));
  });

  it('believes no older value that was filled in after Redis had lost the floor, and puts Redis right', async () => {
    const [one, two] = [replica(), replica()];
    one.invalidate('a', 5);
    await settled();
    // Evicted, or lost in a crash.
    await redis.del(`${prefix}a`);
    await two.read('a', () => Promise.resolve(value(4)));
    await settled();
    assert.deepEqual(await one.read('a', () => Promise.resolve(value(5))), value(5));
    await settled();
    assert.equal(await redis.hget(`${prefix}a`, 'v'), null);
  });

  it('has the database asked again where it knows less than was told before', async () => {
    const cache = replica();
    cache.invalidate('a', 5);
    cache.invalidate('b', 5);
    const late = (again: boolean): Promise<Value> => Promise.resolve(value(again ? 5 : 4));
    assert.deepEqual(await cache.read('a', late), value(5));
    assert.deepEqual(await cache.read('a', never), value(5));
    assert.deepEqual(await cache.read('b', (again) => Promise.resolve(again ? value(5) : undefined)), value(5));
  });

  it('does not believe Redis while it has heard of more changes than it remembers', async () => {
    const [one, two] = [replica(), replica(redis, 'test', { maxFloors: 2 })];
    for (const key of ['a', 'b', 'c']) two.invalidate(key, 2);
    await one.read('d', () => Promise.resolve(value(1)));
    await settled();
    assert.deepEqual(await two.read('d', () => Promise.resolve(value(2))), value(2));
  });

  it('puts no more into Redis than its room, and nothing that is too long', async () => {
    const cache = replica(redis, 'test', { maxTextLength: 1_000 });
    const texts = { long: 'x'.repeat(2_000), a: 'x'.repeat(900), z: 'x' };
    for (const [key, text] of Object.entries(texts))
      await cache.read(key, () => Promise.resolve({ revision: 1, text }));
    for (let index = 0; index < 20; index += 1)
      await cache.read(`k${index}`, () => Promise.resolve({ revision: 1, text: texts.a }));
    await settled();
    const kept = await Promise.all((await redis.keys(`${prefix}*`)).map((key) => redis.hstrlen(key, 'v')));
    const bytes = kept.reduce((sum, each) => sum + each, 0);
    assert.ok(bytes > 5_000 && bytes < 10_000, `${bytes} bytes were put`);
    assert.equal(await redis.hget(`${prefix}long`, 'v'), null);
  });

  it('keeps nothing where there is nothing', async () => {
    const cache = replica();
    assert.equal(await cache.read('a', () => Promise.resolve(undefined)), undefined);
    assert.deepEqual(await cache.read('a', () => Promise.resolve(value(1))), value(1));
  });

  it('does not believe Redis before it has listened for as long as a value lives', async () => {
    await replica().read('a', () => Promise.resolve(value(1)));
    await settled();
    const fresh = replica();
    now -= 1;
    assert.deepEqual(await fresh.read('a', () => Promise.resolve(value(2))), value(2));
  });

  it('believes neither tier after changes were missed', async () => {
    const cache = replica();
    await cache.read('a', () => Promise.resolve(value(1)));
    await settled();
    cache.clear();
    assert.deepEqual(await cache.read('a', () => Promise.resolve(value(2))), value(2));
  });

  it('does not believe Redis after a word to it was lost, for as long as a value lives', async () => {
    const connection = new Redis(url, { enableOfflineQueue: false });
    await once(connection, 'ready');
    const cache = replica(connection);
    await cache.read('a', () => Promise.resolve(value(1)));
    await settled();
    const { promise: closed, resolve } = Promise.withResolvers<undefined>();
    connection.once('end', () => resolve(undefined));
    connection.disconnect();
    await closed;
    cache.invalidate('a', 2);
    await connection.connect();
    // The old value is still there, and would be given.
    assert.deepEqual(JSON.parse((await redis.hget(`${prefix}a`, 'v')) ?? '{}'), value(1));
    assert.deepEqual(await cache.read('a', () => Promise.resolve(value(2))), value(2));
    connection.disconnect();
  });

  it('goes on without Redis', async () => {
    const connection = new Redis('redis://127.0.0.1:1', { lazyConnect: true, retryStrategy: () => null });
    connection.on('error', () => undefined);
    const cache = replica(connection);
    assert.deepEqual(await cache.read('a', () => Promise.resolve(value(1))), value(1));
    cache.invalidate('a', 2);
    assert.deepEqual(await cache.read('a', () => Promise.resolve(value(2))), value(2));
    connection.disconnect();
  });

  it('forgets the values that were used longest ago', async () => {
    const cache = replica();
    const big: Value = { revision: 1, text: 'x'.repeat(1_000) };
    for (let index = 0; index < 20; index += 1) await cache.read(`k${index}`, () => Promise.resolve(big));
    assert.equal(cache.peek('k0'), undefined);
    assert.notEqual(cache.peek('k19'), undefined);
  });
});
