import { createGauge } from '@causeway/telemetry';

import type { GuardQueries } from './guard.model.ts';
import { longestMemoryMs } from './guess-rules.ts';

/** More are not told apart. */
const countedAtMost = 10_000;

/**
 * Tells how many accounts take no more guesses. Every replica tells the same.
 *
 * @returns counts; to be called again and again
 */
export function watchLocked(guards: Pick<GuardQueries, 'countLocked'>, now: () => Date): () => Promise<void> {
  let count: number | undefined;
  const options = { description: 'Accounts that are locked to devices they do not know.', unit: '{account}' };
  createGauge('causeway.auth.guards.locked', options, () => count);
  return async () => {
    count = await guards.countLocked(new Date(now().getTime() - longestMemoryMs), countedAtMost);
  };
}
