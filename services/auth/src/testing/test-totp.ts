import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

import { generate } from 'otplib';

import type { Person, TestAuth, TestReplica } from './test-auth.ts';

const stepMs = 30_000;

/** So long a code may be on its way, on a busy machine. */
const wayMs = 4_000;

/**
 * What an authenticator app shows. One of the step before is no longer taken once this step is over: its end is waited for where it is near.
 *
 * @param steps - from the present one
 * @param aheadMs - of the clock that the replicas go by
 */
export async function totpOf(secret: string, steps = 0, aheadMs = 0): Promise<string> {
  const leftMs = (): number => stepMs - ((Date.now() + aheadMs) % stepMs);
  while (steps < 0 && leftMs() < wayMs) await delay(leftMs());
  return generate({ secret, epoch: Math.floor((Date.now() + aheadMs) / 1000) + (stepMs / 1000) * steps });
}

/** Somebody's authenticator app. */
export interface TestTotp {
  readonly id: string;
  /** What the answer to its confirmation gives the device, where it was the first second factor. */
  readonly deviceToken: string | undefined;
  readonly recoveryCodes: readonly string[];
  /** The code that it shows, some steps from now. */
  code(steps?: number): Promise<string>;
}

/** Sets an authenticator app up as somebody's second factor; the code of the step before confirms it, so that the next is new. */
export async function enrolTotp(world: Pick<TestAuth, 'clock'>, auth: TestReplica, person: Person): Promise<TestTotp> {
  const begun = await auth.call('POST /v1/auth/factors/totp', { token: person.accessToken, body: {} });
  assert.equal(begun.status, 201, JSON.stringify(begun.body));
  const { id, secret } = begun.body as unknown as { id: string; secret: string };
  const code = (steps = 0): Promise<string> => totpOf(secret, steps, world.clock.aheadMs);
  const path = `POST /v1/auth/factors/totp/${id}/confirm`;
  const confirmed = await auth.call(path, { token: person.accessToken, body: { code: await code(-1) } });
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
  const { deviceToken, recoveryCodes } = confirmed.body as unknown as Pick<TestTotp, 'deviceToken' | 'recoveryCodes'>;
  return { id, deviceToken, recoveryCodes, code };
}
