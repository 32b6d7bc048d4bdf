import { setTimeout as pause } from 'node:timers/promises';

import type { Effects } from './effects-tree.ts';

const firstPauseMs = 30;
const longestPauseMs = 1_000;
const growth = 1.6;

/** How an answer is waited for. */
export interface WaitOptions {
  readonly waitMs: number;
  /** Aborted when nobody waits any more, or the gateway stops. */
  readonly signal: AbortSignal;
  /** Milliseconds on a clock that does not jump. */
  readonly now?: () => number;
}

/**
 * Looks again and again, with a growing, random pause, until all effects are there or the time is up.
 *
 * @param look - makes the tree anew
 * @returns the last one
 */
export const awaitComplete = async (look: () => Promise<Effects>, options: WaitOptions): Promise<Effects> => {
  const { waitMs, signal, now = () => performance.now() } = options;
  const endsAt = now() + waitMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * growth, longestPauseMs)) {
    const effects = await look();
    const restMs = endsAt - now();
    if (effects.complete || restMs <= 0 || signal.aborted) return effects;
    await pause(Math.min(pauseMs * (0.5 + Math.random() / 2), restMs), undefined, { signal }).catch(() => undefined);
  }
};
