import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectStatus } from '../harness/expectations.ts';
import { signUp } from '../harness/people.ts';

const patienceMs = 5000;
const pauseMs = 50;

/** Somebody who goes on using a token that was revoked. */
export interface RevokedToken {
  /** Ends the attempts; fails if one of them succeeded, or if the token is not refused by every service now. */
  readonly assertRefused: () => Promise<void>;
  /** Ends the attempts, whatever came of them; as often as one likes. */
  readonly stop: () => void;
}

/** Signs somebody in and out, and then tries the token again and again, at one service after the other. */
export async function startRevokedToken(paths: readonly string[]): Promise<RevokedToken> {
  const { accessToken: token } = await signUp();
  expectStatus(await call('POST', '/v1/auth/sign-out', { token }), 204);
  const attempt = async (path: string): Promise<Answer | undefined> => {
    try {
      return await call('GET', path, { token, signal: AbortSignal.timeout(patienceMs) });
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return undefined;
    }
  };
  const refusedEverywhere = async (): Promise<void> => {
    for (const path of paths) assert.equal((await attempt(path))?.status, 401, path);
  };
  // It may be soon after another harm: who cannot know yet says 503, not 401.
  await eventually(refusedEverywhere, { withinMs: 30_000, everyMs: 20 });
  let isStopped = false;
  const accepted: string[] = [];
  const trying = (async () => {
    while (!isStopped) {
      for (const path of paths) {
        const answer = await attempt(path);
        if (answer !== undefined && answer.status !== 401 && answer.status < 500) {
          accepted.push(`${path} → ${answer.status}`);
        }
      }
      await wait(pauseMs);
    }
  })();
  const stop = (): void => {
    isStopped = true;
  };
  return {
    stop,
    assertRefused: async () => {
      stop();
      await trying;
      assert.deepEqual(accepted, [], 'a revoked token was accepted');
      await eventually(refusedEverywhere, { withinMs: 30_000 });
    },
  };
}
