import assert from 'node:assert/strict';
import type { Answer } from '../harness/client.ts';

/**
 * Makes a call that the platform may be unable to answer.
 *
 * @returns the answer if it says that the call was carried out; undefined where it is unknown what came of it
 * @throws AssertionError where the client is to blame, which is nobody's outage, or the answer is none that was promised
 */
export async function knownOutcome(what: string, send: () => Promise<Answer>): Promise<Answer | undefined> {
  let answer: Answer;
  try {
    answer = await send();
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return undefined;
  }
  if (answer.status < 400) return answer;
  const isRunning = answer.status === 409 && answer.json().code === 'idempotency-key-in-use';
  assert.ok(answer.status >= 500 || isRunning, `${what} → ${answer.status} ${answer.text}`);
  return undefined;
}
