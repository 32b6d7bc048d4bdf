import assert from 'node:assert/strict';

import { Redis } from 'ioredis';

import { guessRules } from '../guessing/guess-rules.ts';
import type { TestAuth, TestReplica } from './test-auth.ts';

/** Has strangers guess at an account until it is locked to them: one guess is made, the others are put beside it. */
export async function lockAccount(world: Pick<TestAuth, 'db'>, auth: TestReplica, email: string): Promise<void> {
  const redis = new Redis(process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set'));
  const keys = (): Promise<string[]> => redis.keys(`${world.db.databaseName}:{guesses}:strangers:*`);
  const before = new Set(await keys());
  const guess = { email, password: 'not the right one' };
  assert.equal((await auth.call('POST /v1/auth/sign-in', { body: guess })).status, 401);
  const [key = assert.fail('nobody guesses at the same address twice'), ...others] = (await keys()).filter(
    (each) => !before.has(each),
  );
  assert.deepEqual(others, []);
  const { strangers } = guessRules({ perBlock: 1, overall: 1 });
  await redis.hset(key, 't', Number(await redis.hget(key, 'c')) + strangers.places);
  redis.disconnect();
  assert.equal((await auth.call('POST /v1/auth/sign-in', { body: guess })).status, 429);
}
