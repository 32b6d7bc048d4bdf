import assert from 'node:assert/strict';

import { personOf } from './test-auth.ts';
import type { Person, TestAuth, TestReplica } from './test-auth.ts';

/** Settings of a replica that makes the account of an administrator. */
export const administratorSettings = {
  CAUSEWAY_ADMIN_EMAIL: 'root@example.com',
  CAUSEWAY_ADMIN_PASSWORD: 'the password of the settings',
} as const;

/** Signs the administrator of {@link administratorSettings} in. */
export async function signInAdministrator(replica: TestReplica): Promise<Person> {
  const { CAUSEWAY_ADMIN_EMAIL: email, CAUSEWAY_ADMIN_PASSWORD: password } = administratorSettings;
  const answer = await replica.call('POST /v1/auth/sign-in', { body: { email, password } });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return personOf(answer);
}

/**
 * An access token of now, of a session that was begun half an hour ago.
 *
 * @param world - whose clock is turned back for a moment
 */
export async function tokenOfOldSession(world: Pick<TestAuth, 'clock'>, replica: TestReplica): Promise<string> {
  const { aheadMs } = world.clock;
  world.clock.aheadMs = aheadMs - 30 * 60_000;
  const { refreshToken } = await signInAdministrator(replica);
  world.clock.aheadMs = aheadMs;
  const answer = await replica.call('POST /v1/auth/refresh', { body: { refreshToken } });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return String(answer.body.accessToken);
}
