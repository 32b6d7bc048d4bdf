import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

import type { Answered, TestAuth } from './test-auth.ts';

/** @returns ids of the events that an answer names */
export const eventsOf = (answer: Answered): string[] => (answer.headers.get('causeway-event') ?? '').split(', ');

/** Waits until a handler is done with one of them: then a mail that is not there does not come. */
export async function handledBy(
  { db }: Pick<TestAuth, 'db'>,
  handler: string,
  events: readonly string[],
): Promise<void> {
  const deadline = performance.now() + 60_000;
  const done = { '_id.handler': handler, '_id.event': { $in: [...events] }, status: 'done' };
  while ((await db.collection('handled').countDocuments(done)) === 0) {
    assert.ok(performance.now() < deadline, `${handler} is not done with ${events.join(', ')}`);
    await delay(20);
  }
}
