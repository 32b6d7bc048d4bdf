import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Redis } from 'ioredis';

import type { VersionedCache } from './versioned-cache.ts';
import { createVersionedCache } from './versioned-cache.ts';

interface Value {
  readonly text: string;
}

const url = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set');

describe('a cache of versions', () => {
  let redis: Redis;
  let prefix: string;

  before(() => {
    redis = new Redis(url);
  });

  beforeEach(() => {
    prefix = `versions-${randomUUID()}:`;
  });

  after(() => redis.disconnect());

  const replica = (connection = redis, waitMs = 10): VersionedCache<Value> =>
    createVersionedCache<Value>({
      name: 'test',
      codec: {
        encode: (value) => JSON.stringify(value),
        decode: (text) => JSON.parse(text) as Value,
        sizeBytesOf: ({ text }) => text.length,
      },
      redis: connection,
      prefix,
      maxBytes: 100_000,
      maxTextLength: 5_000,
      waitMs,
    });
  const value = (text: string) => (): Promise<Value> => Promise.resolve({ text });
  const never = (): Promise<Value> => assert.fail('the database was asked');
  const settled = (): Promise<unknown> => redis.ping();

  it('asks the database once a version', async () => {
    const cache = replica();
    assert.deepEqual(await cache.read('a', '1', value('one')), { text: 'one' });
    assert.deepEqual(await cache.read('a', '1', never), { text: 'one' });
    assert.deepEqual(await cache.read('b', '1', value('other')), { text: 'other' });
    assert.deepEqual(await cache.read('a', '2', value('two')), { text: 'two' });
  });

  it('asks the database once for all who ask at once', async () => {
    const cache = replica();
    let asked = 0;
    const load = async (): Promise<Value> => {
      asked += 1;
      await settled();
      return { text: 'one' };
    };
    const all = await Promise.all(Array.from({ length: 50 }, () => cache.read('a', '1', load)));
    assert.equal(asked, 1);
    assert.ok(all.every(({ text }) => text === 'one'));
  });

  describe('at several replicas at once', () => {
    /** A read that has asked the database and waits for its answer. */
    const begin = async (waitMs: number) => {
      const answer = Promise.withResolvers<Value>();
      const asked = Promise.withResolvers<undefined>();
      const reading = replica(redis, waitMs).read('a', '1', () => {
        asked.resolve(undefined);
        return answer.promise;
      });
      await asked.promise;
      return { reading, answer };
    };
    const forEver = 600_000;

    it('asks the database once: the others wait for who was first', async () => {
      const { reading, answer } = await begin(forEver);
      const others = Promise.all([1, 2, 3].map(() => replica(redis, forEver).read('a', '1', never)));
      await settled();
      answer.resolve({ text: 'one' });
      assert.deepEqual(
        [await reading, ...(await others)],
        Array.from({ length: 4 }, () => ({ text: 'one' })),
      );
    });

    it('waits for nobody who is gone, or takes long', async () => {
      const { reading, answer } = await begin(20);
      assert.deepEqual(await replica(redis, 20).read('a', '1', value('other')), { text: 'other' });
      answer.resolve({ text: 'late' });
      await reading;
    });

    it('waits no longer for what is not kept, or has failed', async () => {
      for (const end of [{ text: 'x'.repeat(6_000) }, new Error('away')]) {
        await redis.del('none', ...(await redis.keys(`${prefix}*`)));
        const { reading, answer } = await begin(forEver);
        const other = replica(redis, forEver).read('a', '1', value('other'));
        await settled();
        if (end instanceof Error) answer.reject(end);
        else answer.resolve(end);
        await reading.catch(() => undefined);
        assert.deepEqual(await other, { text: 'other' });
      }
    });
  });

  it('asks again where the database failed', async () => {
    const cache = replica();
    await assert.rejects(
      cache.read('a', '1', () => Promise.reject(new Error('away'))),
      /away/,
    );
    assert.deepEqual(await cache.read('a', '1', value('one')), { text: 'one' });
  });

  it('is filled by one replica for the others, for the same version alone', async () => {
    await replica().read('a', '1', value('one'));
    await settled();
    assert.deepEqual(await replica().read('a', '1', never), { text: 'one' });
    assert.deepEqual(await replica().read('a', '2', value('two')), { text: 'two' });
  });

  it('gives what was found late to those alone who had asked for it', async () => {
    const cache = replica();
    const late = Promise.withResolvers<Value>();
    const begun = Promise.withResolvers<undefined>();
    const reading = cache.read('a', '1', () => {
      begun.resolve(undefined);
      return late.promise;
    });
    await begun.promise;
    assert.deepEqual(await cache.read('a', '2', value('two')), { text: 'two' });
    late.resolve({ text: 'one' });
    assert.deepEqual(await reading, { text: 'one' });
    await settled();
    // It has not taken the place of the later one, here or for others.
    assert.deepEqual(await cache.read('a', '2', never), { text: 'two' });
    assert.deepEqual(await replica().read('a', '2', never), { text: 'two' });
  });

  it('keeps neither here nor in Redis what is too long', async () => {
    const cache = replica();
    await cache.read('a', '1', value('x'.repeat(6_000)));
    await settled();
    const [key = ''] = await redis.keys(`${prefix}*`);
    assert.ok((await redis.strlen(key)) <= 1, 'at most that it is not kept');
    assert.deepEqual(await cache.read('a', '1', value('again')), { text: 'again' });
  });

  it('puts no more into Redis than its room', async () => {
    const cache = replica();
    for (let index = 0; index < 50; index += 1) await cache.read(`k${index}`, '1', value('x'.repeat(4_000)));
    await settled();
    const sizes = await Promise.all((await redis.keys(`${prefix}*`)).map((key) => redis.strlen(key)));
    const kept = sizes.filter((size) => size > 4_000).length;
    assert.ok(kept > 15 && kept < 25, `${kept} of 50 are there`);
  });

  it('leaves nothing in Redis for ever', async () => {
    await replica().read('a', '1', value('one'));
    await settled();
    const [key = assert.fail('nothing was kept')] = await redis.keys(`${prefix}*`);
    const leftMs = await redis.pttl(key);
    assert.ok(leftMs > 0 && leftMs <= 60_000, `it is kept for ${leftMs} ms`);
  });

  it('goes on without Redis, and after a flush', async () => {
    const away = new Redis('redis://127.0.0.1:1', { lazyConnect: true, retryStrategy: () => null });
    away.on('error', () => undefined);
    const cache = replica(away);
    assert.deepEqual(await cache.read('a', '1', value('one')), { text: 'one' });
    assert.deepEqual(await cache.read('a', '1', never), { text: 'one' });
    away.disconnect();
    await replica().read('a', '1', value('one'));
    await settled();
    // What a flush does to these keys.
    await redis.del(await redis.keys(`${prefix}*`));
    assert.deepEqual(await replica().read('a', '1', value('anew')), { text: 'anew' });
  });

  it('forgets the values that were used longest ago', async () => {
    const away = new Redis('redis://127.0.0.1:1', { lazyConnect: true, retryStrategy: () => null });
    away.on('error', () => undefined);
    const cache = replica(away);
    for (let index = 0; index < 50; index += 1) await cache.read(`k${index}`, '1', value('x'.repeat(4_000)));
    let asked = 0;
    const again = async (key: string): Promise<unknown> =>
      cache.read(key, '1', () => {
        asked += 1;
        return Promise.resolve({ text: '' });
      });
    await again('k49');
    assert.equal(asked, 0);
    await again('k0');
    assert.equal(asked, 1);
    away.disconnect();
  });
});
