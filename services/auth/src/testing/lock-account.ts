import assert from 'node:assert/strict';

import { openCountedGuesses } from './counted-guesses.ts';
import type { TestAuth, TestReplica } from './test-auth.ts';

/** Has strangers guess at an account until it is locked to them: one guess is made, the others are put beside it. */
export async function lockAccount(
  world: Pick<TestAuth, 'db' | 'environment'>,
  auth: TestReplica,
  email: string,
): Promise<void> {
  const counted = await openCountedGuesses(world);
  const guess = async (): Promise<number> =>
    (await auth.call('POST /v1/auth/sign-in', { body: { email, password: 'not the right one' } })).status;
  try {
    assert.equal(await guess(), 401);
    await counted.lock(email);
    assert.equal(await guess(), 429);
  } finally {
    counted.stop();
  }
}
