import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Redis } from 'ioredis';

import { createAskRedis } from './ask-redis.ts';
import { createWindowCounter } from './window-counter.ts';
import type { WindowCounter } from './window-counter.ts';

const url = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set');
const rules = { places: 4, windowMs: 60_000 };

describe('a counter of what comes from one place', () => {
  let redis: Redis;
  let prefix: string;
  const isAway = { status: 'end' } as unknown as Redis;
  const replica = (given: Partial<Parameters<typeof createWindowCounter>[0]> = {}, connection = redis): WindowCounter =>
    createWindowCounter({
      ...{
        prefix,
        rules,
        ask: createAskRedis({
          redis: connection,
          logger: { warn: () => undefined },
          what: 'tests',
          patienceMs: 10_000,
        }),
      },
      ...given,
    });
  const takeTimes = async (counter: WindowCounter, name: string, times: number): Promise<boolean[]> => {
    const taken: boolean[] = [];
    for (let count = 0; count < times; count += 1) taken.push((await counter.take(name)) === 0);
    return taken;
  };

  before(async () => {
    redis = new Redis(url);
    await redis.ping();
  });
  beforeEach(() => {
    prefix = `window-${randomUUID()}`;
  });
  after(() => redis.disconnect());

  it('has so many places, of any number at once and at several replicas, and says how long it is until there are more', async () => {
    const replicas = [replica(), replica()];
    const waits = await Promise.all(Array.from({ length: 40 }, (_, index) => replicas[index % 2]!.take('one')));
    assert.equal(waits.filter((waitMs) => waitMs === 0).length, 4);
    for (const waitMs of waits) assert.ok(waitMs >= 0 && waitMs <= 60_000, `${waitMs}`);
    assert.equal(await replicas[0]!.take('another'), 0);
  });

  it('has them again once the window is over', async () => {
    const counter = replica({ rules: { places: 1, windowMs: 50 } });
    assert.equal(await counter.take('one'), 0);
    const deadline = performance.now() + 60_000;
    while ((await counter.take('one')) > 0) assert.ok(performance.now() < deadline, 'it never ends');
  });

  it('counts by itself where Redis is away, and begins anew in time', async () => {
    const time = { ms: 0 };
    const alone = replica({ now: () => time.ms }, isAway);
    assert.deepEqual(await takeTimes(alone, 'one', 6), [true, true, true, true, false, false]);
    assert.equal(await alone.take('another'), 0);
    assert.equal(await alone.take('one'), 60_000);
    time.ms = 60_001;
    assert.equal(await alone.take('one'), 0);
  });

  it('goes on where it was after Redis has lost what it knew', async () => {
    const counter = replica();
    assert.deepEqual(await takeTimes(counter, 'one', 3), [true, true, true]);
    await redis.del(`${prefix}:one`);
    assert.deepEqual(await takeTimes(counter, 'one', 3), [true, false, false]);
  });

  it('remembers a bounded number in each process', async () => {
    const alone = replica({ mostKeys: 2, rules: { places: 1, windowMs: 60_000 } }, isAway);
    for (const name of ['first', 'second', 'third']) assert.equal(await alone.take(name), 0);
    assert.ok((await alone.take('third')) > 0);
    assert.equal(await alone.take('first'), 0, 'forgotten');
  });
});
