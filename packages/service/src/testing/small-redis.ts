import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Redis } from 'ioredis';

/** A Redis of a test's own, with as little memory as it likes. */
export interface SmallRedis {
  /** As `REDIS_URL` is: a path, for it listens at no port. */
  readonly url: string;
  stop(): Promise<void>;
}

/** What {@link startSmallRedis} is given. */
export interface SmallRedisOptions {
  /** Another Redis of this machine, whose program is run. */
  readonly beside: string;
  /** As `maxmemory` takes it. */
  readonly maxMemory: string;
  readonly policy: string;
}

const startMs = 20_000;

/** @throws where it has not begun to answer within 20 s */
export async function startSmallRedis({ beside, maxMemory, policy }: SmallRedisOptions): Promise<SmallRedis> {
  const other = new Redis(beside);
  const info = await other.info('server').finally(() => other.disconnect());
  const program = /^executable:(.*?)\r?$/mu.exec(info)?.[1] ?? 'redis-server';
  const dir = await mkdtemp(path.join(tmpdir(), 'redis-'));
  const url = path.join(dir, 'redis.sock');
  const options = { port: '0', unixsocket: url, dir, save: '', maxmemory: maxMemory, 'maxmemory-policy': policy };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(program, args, { stdio: 'ignore' });
  const gone = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await Promise.race([answers(url), gone.then(() => Promise.reject(new Error(`${program} has ended`)))]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

async function answers(url: string): Promise<void> {
  const redis = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const late = new AbortController();
  try {
    const refusal = delay(startMs, undefined, { signal: late.signal }).then(() => {
      throw new Error(`Redis has not answered within ${startMs} ms`);
    });
    await Promise.race([redis.ping(), refusal]);
  } finally {
    late.abort();
    redis.disconnect();
  }
}
