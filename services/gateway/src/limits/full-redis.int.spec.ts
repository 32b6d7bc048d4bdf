import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { connectRedis } from '@causeway/service';
import { startSmallRedis } from '@causeway/service/testing';
import type { SmallRedis } from '@causeway/service/testing';
import { createLogger } from '@causeway/telemetry';
import type { Redis } from 'ioredis';

import { createLimits } from './limits.ts';
import type { Limits } from './limits.ts';

const beside = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set');
const logger = createLogger({ service: 'test', level: 'silent' });

describe('limits in a Redis that is full, and may evict nothing', () => {
  let server: SmallRedis;
  let redis: Redis;
  let limits: Limits;

  before(async () => {
    server = await startSmallRedis({ beside, maxMemory: '4mb', policy: 'noeviction' });
    redis = connectRedis({ url: server.url, name: 'test', logger });
    limits = createLimits({ redis, logger, windowMs: 60_000, perAddress: 5, perPrincipal: 5, signIns: 3 });
    await redis.ping();
    const fill = async (): Promise<void> => {
      for (let index = 0; ; index += 1) await redis.set(`filled:${index}`, 'x'.repeat(65_536));
    };
    await assert.rejects(fill(), /OOM/);
  });
  after(async () => {
    limits.stop();
    redis.disconnect();
    await server.stop();
  });

  it('hold for this process, and refuse nobody otherwise', async () => {
    const outcomes = async (call: () => unknown, times: number): Promise<string[]> => {
      const all: string[] = [];
      for (let time = 0; time < times; time += 1)
        all.push(
          await Promise.resolve()
            .then(call)
            .then(
              () => 'admitted',
              (error: unknown) => (error as { code?: string }).code ?? String(error),
            ),
        );
      return all;
    };
    const limited = (most: number) => [...Array.from({ length: most }, () => 'admitted'), 'too-many-requests'];
    assert.deepEqual(await outcomes(() => limits.signIn('10.0.0.1'), 4), limited(3));
    assert.deepEqual(await outcomes(() => limits.byAddress('10.0.0.1'), 6), limited(5));
    assert.deepEqual(await outcomes(() => limits.byPrincipal('usr_1'), 6), limited(5));
  });
});
