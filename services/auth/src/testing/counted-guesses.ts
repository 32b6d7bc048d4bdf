import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

import { Redis } from 'ioredis';

import type { BudgetName } from '../guessing/counters.ts';
import { guessRules } from '../guessing/guess-rules.ts';
import { loadRootKey } from '../keys/root-key.ts';
import type { TestAuth } from './test-auth.ts';

/** What is counted of guesses, as a spec changes it: without the hours that guessing takes, and however slow the machine is. */
export interface CountedGuesses {
  /** Has devices guessed as often as they may in a row: strangers, or those that are known by something. */
  lock(email: string, budget?: BudgetName): Promise<void>;
  /** Has the wait that wrong guesses have brought last for a minute. */
  prolong(email: string, budget?: BudgetName): Promise<void>;
  stop(): void;
}

const rules = guessRules({ perBlock: 1, overall: 1 });

/** @param world - whose guesses */
export async function openCountedGuesses(world: Pick<TestAuth, 'db' | 'environment'>): Promise<CountedGuesses> {
  const redis = new Redis(process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set'));
  const root = await loadRootKey(world.db, world.environment.CAUSEWAY_MASTER_KEY ?? '');
  const keyOf = (email: string, budget: BudgetName = 'strangers'): string => {
    const name = createHmac('sha256', root.derive('guesses')).update(JSON.stringify(['account', email]));
    return `${world.db.databaseName}:{guesses}:${budget}:${name.digest().toString('base64url', 0, 16)}`;
  };
  return {
    async lock(email, budget = 'strangers') {
      const { c } = await redis.hgetall(keyOf(email, budget));
      assert.ok(c !== undefined, 'nothing was counted under this name');
      await redis.hset(keyOf(email, budget), { t: String(Number(c) + rules[budget].places), g: '0', o: '0' });
    },
    async prolong(email, budget) {
      const { o = '0' } = await redis.hgetall(keyOf(email, budget));
      assert.ok(Number(o) > Date.now() - 60_000, 'no wrong guess has brought a wait');
      await redis.hset(keyOf(email, budget), { o: String(Date.now() + 60_000) });
    },
    stop: () => redis.disconnect(),
  };
}
