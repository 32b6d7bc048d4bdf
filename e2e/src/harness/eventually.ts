import { setTimeout as wait } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long to try; 20 s by default. */
  readonly withinMs?: number;
  /** The pause between two tries; 50 ms by default. */
  readonly everyMs?: number;
}

/**
 * Tries until it succeeds: what is asserted holds soon, not yet.
 *
 * @param attempt - throws, or rejects, as long as it does not hold
 * @returns what the attempt that succeeded gave
 * @throws the last attempt's error when the time is up
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  { withinMs = 20_000, everyMs = 50 }: EventuallyOptions = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() + everyMs > deadline) throw error;
    }
    await wait(everyMs);
  }
}
