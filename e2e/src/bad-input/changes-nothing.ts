import assert from 'node:assert/strict';
import { type Answer, call } from '../harness/client.ts';
import { expectStatus } from '../harness/expectations.ts';

/**
 * Holds refused requests against what the platform knows of them: a request that changed something has recorded an event that
 * goes back to it.
 *
 * @param refused - answers to requests that may have changed nothing
 * @param token - an administrator's
 */
export async function assertNoEvents(refused: readonly Answer[], token: string): Promise<void> {
  for (const { method, target, headers } of refused) {
    const correlationId = headers['x-request-id'];
    const answer = expectStatus(await call('GET', '/v1/events', { token, query: { correlationId } }), 200);
    const { items } = answer.json<{ items: { type: string }[] }>();
    assert.deepEqual(items, [], `${method} ${target} was refused, and has recorded events all the same`);
  }
}
