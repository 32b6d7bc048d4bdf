import { createLogger } from '@causeway/telemetry';
import { Redis } from 'ioredis';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, describe, it } from 'node:test';

import { createRedisCache } from './redis-cache.ts';
import { createRevisionCache, type RevisionCache } from './revision-cache.ts';

const url = process.env.REDIS_URL;
assert.ok(url, 'REDIS_URL is not set: run these tests with npm run test-int');
const logger = createLogger({ service: 'cache-test', level: 'silent' });

describe('values in Redis', () => {
  const redis = new Redis(url);
  let name: string;
  let loads: number;
  beforeEach(() => {
    name = randomUUID();
    loads = 0;
  });
  after(() => redis.disconnect());

  const replica = async (commands: Pick<Redis, 'eval'> = redis): Promise<RevisionCache<string>> => {
    const codec = { encode: (value: string) => value, decode: (text: string) => text };
    const sizeOf = (value: string) => value.length;
    const cache = createRevisionCache({ name, redis: commands, codec, sizeOf, maxBytes: 1e6, ttlMs: 60_000, logger });
    if (commands === redis) await cache.settled();
    return cache;
  };
  const read = (revision: number) => () => {
    loads += 1;
    return Promise.resolve({ revision, value: `r${revision}` });
  };
  const shared = () => createRedisCache({ redis, prefix: `causeway:cache:${name}`, ttlMs: 60_000 });
  const filled = async (key: string) => {
    for (let tries = 0; tries < 500; tries += 1) {
      if ((await shared().look(key)).found !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${key} was not filled`);
  };

  it('serves one replica what another has loaded', async () => {
    const [a, b] = [await replica(), await replica()];
    await a.get('k', read(1));
    await filled('k');
    assert.equal((await b.get('k', read(1)))?.value, 'r1');
    assert.equal(loads, 1);
    assert.equal(b.peek('k')?.value, 'r1');
  });

  it('never serves what a change has overtaken', async () => {
    const [a, b] = [await replica(), await replica()];
    await a.get('k', read(1));
    await filled('k');
    b.invalidate('k', 2);
    await b.settled();
    assert.equal((await b.get('k', read(2)))?.value, 'r2');
  });

  it('refuses the fill of a load that a change has overtaken', async () => {
    const cache = shared();
    const { lease } = await cache.look('k');
    assert.ok(lease);
    await cache.invalidate('k', 6);
    await cache.fill('k', lease, { revision: 5, text: 'r5' });
    const again = await cache.look('k');
    assert.equal(again.found, undefined);
    await cache.fill('k', again.lease ?? '', { revision: 5, text: 'r5' });
    assert.equal((await cache.look('k')).found, undefined, 'a revision below the floor was taken');
  });

  it('refuses the fill of a load that began before Redis was flushed', async () => {
    const cache = shared();
    const { lease } = await cache.look('k');
    const keys = await redis.keys(`causeway:cache:${name}:*`);
    await redis.del(...keys);
    await cache.fill('k', lease ?? '', { revision: 5, text: 'r5' });
    assert.equal((await cache.look('k')).found, undefined);
  });

  it('trusts nothing of Redis from before its own start', async () => {
    const a = await replica();
    await a.get('k', read(1));
    await filled('k');
    const b = await replica();
    assert.equal((await b.get('k', read(2)))?.value, 'r2');
  });

  it('is right while Redis is away, and does not believe what Redis missed once it is back', async () => {
    let away = false;
    const commands = {
      eval: (...call: Parameters<Redis['eval']>) => (away ? Promise.reject(new Error('away')) : redis.eval(...call)),
    } as Pick<Redis, 'eval'>;
    const cache = await replica(commands);
    await cache.settled();
    await cache.get('k', read(1));
    await filled('k');
    away = true;
    cache.invalidate('k', 2);
    assert.equal((await cache.get('k', read(2)))?.value, 'r2');
    away = false;
    await cache.settled();
    cache.invalidate('other', 1);
    const fresh = await shared().look('k');
    assert.notEqual(fresh.found?.text, 'r1');
  });
});
