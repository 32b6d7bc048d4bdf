import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { createRevisionCache, createVersionedCache } from '@causeway/cache';
import { startSmallRedis } from '@causeway/service/testing';
import type { SmallRedis } from '@causeway/service/testing';
import { Redis } from 'ioredis';

import { seededRandom } from '../conditions/testing/random.ts';

interface Value {
  readonly revision: number;
  readonly text: string;
}

const beside = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set');
const seed = Number(process.env.CAUSEWAY_TEST_SEED ?? randomInt(1_000_000));
/** Far more than there is room for. */
const keys = Array.from({ length: 400 }, (_, index) => `k${index}`);
const text = 'x'.repeat(16_384);
const steps = 8_000;
const replicas = 3;

const codec = {
  encode: (value: Value) => JSON.stringify(value),
  decode: (encoded: string) => JSON.parse(encoded) as Value,
  revisionOf: ({ revision }: Value) => revision,
  // Nothing is kept in the process: all is asked of Redis.
  sizeBytesOf: () => 2 ** 30,
};

const statistic = async (redis: Redis, section: string, name: RegExp): Promise<number> =>
  Number(name.exec(await redis.info(section))?.[1] ?? 0);

/** Whether Redis meets its bound, by what it does then. */
const isFull = {
  'volatile-ttl': async (redis: Redis) => (await statistic(redis, 'stats', /^evicted_keys:(\d+)/mu)) > 0,
  noeviction: (redis: Redis) =>
    redis.set('more', text, 'PX', 1).then(
      () => false,
      () => true,
    ),
};

for (const policy of ['volatile-ttl', 'noeviction'] as const) {
  describe(`caches in a Redis that is full, ${policy} (CAUSEWAY_TEST_SEED=${seed})`, () => {
    let server: SmallRedis;
    let connections: Redis[];

    before(async () => {
      server = await startSmallRedis({ beside, maxMemory: '4mb', policy });
      connections = Array.from({ length: replicas }, () => new Redis(server.url));
      await Promise.all(connections.map((each) => each.ping()));
    });
    after(async () => {
      for (const each of connections) each.disconnect();
      await server.stop();
    });

    it('give no record that is older than what a replica has heard', async () => {
      const { pick, below, chance } = seededRandom(seed);
      // No lag is longer than what is remembered.
      let now = 0;
      const [redis = assert.fail()] = connections;
      let full = false;
      const revisions = new Map(keys.map((key) => [key, 1]));
      const processes = connections.map((redis) => ({
        heard: new Map(keys.map((key) => [key, 1])),
        cache: createRevisionCache<Value>({
          ...{ name: 'full', codec, redis, prefix: 'records:', maxBytes: 2 ** 30, clock: () => now },
          logger: { warn: () => undefined },
        }),
      }));
      now += 60_000;
      const hear = ({ heard, cache }: (typeof processes)[number], key: string): void => {
        const latest = revisions.get(key) ?? 1;
        if ((heard.get(key) ?? 1) === latest) return;
        heard.set(key, latest);
        cache.invalidate(key, latest);
      };
      const reading: Promise<void>[] = [];
      for (let step = 0; step < steps; step += 1) {
        const key = pick(keys);
        const one = pick(processes);
        if (chance(10)) {
          revisions.set(key, (revisions.get(key) ?? 1) + 1);
          hear(one, key);
          continue;
        }
        if (chance(1)) {
          for (const each of keys) hear(one, each);
          continue;
        }
        if (chance(20)) {
          // What an eviction does, and more often.
          void redis.unlink(`records:${key}`);
          continue;
        }
        const { cache, heard } = one;
        const least = heard.get(key) ?? 1;
        const load = (again: boolean): Promise<Value> => {
          const latest = revisions.get(key) ?? 1;
          // A member that lags behind knows less than has been told elsewhere, and, at times, than here.
          return Promise.resolve({ revision: chance(30) && !again ? 1 + below(latest) : latest, text });
        };
        const read = cache.read(key, load).then(({ revision = 0 } = { revision: 0, text }) => {
          assert.ok(revision >= least, `step ${step}: ${key} is given at ${revision}, and ${least} had been heard`);
        });
        reading.push(read);
        if (chance(80)) continue;
        await Promise.all(reading.splice(0));
        full ||= await isFull[policy](redis);
      }
      await Promise.all(reading);
      assert.ok(full, 'Redis was never full');
      const used = await statistic(redis, 'memory', /^used_memory:(\d+)/mu);
      assert.ok(used < 16 * 2 ** 20, `Redis takes ${used} bytes`);
    });

    it('give no page of another version', async () => {
      const { pick, chance } = seededRandom(seed + 1);
      const caches = connections.map((redis) =>
        createVersionedCache<Value>({ name: 'full', codec, redis, prefix: 'pages:', maxBytes: 2 ** 30 }),
      );
      let version = 1;
      for (let step = 0; step < 2_000; step += 1) {
        if (chance(2)) version += 1;
        const own = version;
        const key = pick(keys);
        const cache = pick(caches);
        const page = await cache.read(key, String(own), () => Promise.resolve({ revision: own, text }));
        assert.equal(page.revision, own);
      }
    });
  });
}
