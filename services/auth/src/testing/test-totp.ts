import assert from 'node:assert/strict';

import { generate } from 'otplib';

import type { Person, TestAuth, TestReplica } from './test-auth.ts';

/** Somebody's authenticator app. */
export interface TestTotp {
  readonly id: string;
  /** The code that it shows, some steps from now. */
  code(steps?: number): Promise<string>;
}

/** Sets an authenticator app up as somebody's second factor; the code of the step before confirms it, so that the next is new. */
export async function enrolTotp(world: Pick<TestAuth, 'clock'>, auth: TestReplica, person: Person): Promise<TestTotp> {
  const begun = await auth.call('POST /v1/auth/factors/totp', { token: person.accessToken, body: {} });
  assert.equal(begun.status, 201, JSON.stringify(begun.body));
  const { id, secret } = begun.body as unknown as { id: string; secret: string };
  const code = (steps = 0): Promise<string> =>
    generate({ secret, epoch: Math.floor((Date.now() + world.clock.aheadMs) / 1000) + 30 * steps });
  const path = `POST /v1/auth/factors/totp/${id}/confirm`;
  const confirmed = await auth.call(path, { token: person.accessToken, body: { code: await code(-1) } });
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
  return { id, code };
}
