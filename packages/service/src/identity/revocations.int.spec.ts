import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { after, describe, it } from 'node:test';
import { createLogger } from '@causeway/telemetry';
import { Redis } from 'ioredis';

import { createRevocations, type Revocations } from './revocations.ts';

const url = process.env.REDIS_URL ?? '';
const logger = createLogger({ service: 'test', level: 'silent' });
const prefix = `causeway-spec-${randomUUID()}`;
const opened: { redis: Redis; revocations: Revocations }[] = [];

const open = (name: string, address = url) => {
  const redis = new Redis(address, { connectionName: `${prefix}-${name}`, retryStrategy: () => 20, lazyConnect: true });
  redis.on('error', () => undefined);
  const revocations = createRevocations({ redis, logger, prefix });
  opened.push({ redis, revocations });
  return { redis, revocations };
};

after(async () => {
  const [first] = opened;
  const keys = (await first?.redis.keys(`${prefix}:*`)) ?? [];
  if (keys.length > 0) await first?.redis.del(keys);
  for (const { redis, revocations } of opened) {
    await revocations.stop();
    redis.disconnect();
  }
});

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

const soon = (): number => Date.now() + 60_000;

describe('revocations', () => {
  it('reach those who run, those who start later, and nobody else', async () => {
    const auth = open('auth');
    const data = open('data');
    await Promise.all([auth.revocations.start(), data.revocations.start()]);
    const sid = `ses_${randomUUID()}`;
    assert.equal(await auth.revocations.revoke(sid, soon()), true);
    assert.equal(auth.revocations.isRevoked(sid), true);
    await until('data has heard of it', () => data.revocations.isRevoked(sid));
    const late = open('late');
    assert.equal(late.revocations.ready(), false);
    await late.revocations.start();
    assert.equal(late.revocations.ready(), true);
    assert.equal(late.revocations.isRevoked(sid), true);
    assert.equal(late.revocations.isRevoked(`ses_${randomUUID()}`), false);
    const restMs = await auth.redis.pttl(`${prefix}:revoked:${sid}`);
    assert.ok(restMs > 50_000 && restMs <= 60_000, String(restMs));
  });

  it('that come while the connection is lost are read when it is back', async () => {
    const auth = open('auth-2');
    const data = open('data-2');
    await Promise.all([auth.revocations.start(), data.revocations.start()]);
    const lines = (await auth.redis.call('CLIENT', 'LIST')) as string;
    const ids = lines
      .split('\n')
      .filter((line) => line.includes(`name=${prefix}-data-2 `))
      .map((line) => /id=(\d+)/.exec(line)?.[1] ?? '');
    assert.ok(ids.length >= 1);
    const sid = `ses_${randomUUID()}`;
    // Written without a message: only a new load can find it.
    await auth.redis.set(`${prefix}:revoked:${sid}`, String(soon()), 'PX', 60_000);
    assert.equal(data.revocations.isRevoked(sid), false);
    for (const id of ids) await auth.redis.call('CLIENT', 'KILL', 'ID', id);
    await until('data has read it', () => data.revocations.isRevoked(sid));
  });

  it('are told to a Redis that came back empty', async () => {
    const auth = open('auth-3');
    await auth.revocations.start();
    const sid = `ses_${randomUUID()}`;
    await auth.revocations.revoke(sid, soon());
    await auth.redis.del(`${prefix}:revoked:${sid}`);
    const restarted = open('restarted');
    restarted.revocations.learn(sid, soon());
    await restarted.revocations.start();
    await until('the key is back', async () => (await auth.redis.exists(`${prefix}:revoked:${sid}`)) === 1);
  });

  it('are kept, and still taken, while Redis is away', async () => {
    const away = open('away', 'redis://127.0.0.1:1');
    const sid = `ses_${randomUUID()}`;
    assert.equal(await away.revocations.revoke(sid, soon()), false);
    assert.equal(away.revocations.isRevoked(sid), true);
    away.revocations.learn('ses_event', soon());
    assert.equal(away.revocations.isRevoked('ses_event'), true);
    assert.equal(away.revocations.ready(), false);
  });

  it('end with the tokens that they are about', () => {
    const clock = { now: 1_000 };
    const redis = new Redis(url, { lazyConnect: true });
    const revocations = createRevocations({ redis, logger, prefix, now: () => clock.now, limit: 10 });
    revocations.learn('ses_1', 2_000);
    assert.equal(revocations.isRevoked('ses_1'), true);
    clock.now = 2_000;
    assert.equal(revocations.isRevoked('ses_1'), false);
    for (let index = 0; index < 20; index += 1) revocations.learn(`ses_${index}`, 3_000 + index);
    assert.equal(revocations.isRevoked('ses_19'), true);
    assert.equal(revocations.isRevoked('ses_0'), false);
  });
});
