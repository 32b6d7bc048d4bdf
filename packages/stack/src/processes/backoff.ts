/** How long to wait between attempts to start a child that keeps ending. */
export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
  /** A number in [0, 1): the jitter, so that children that fell together do not rise together. */
  readonly random: () => number;
}

export const restartBackoff: Backoff = { firstMs: 250, longestMs: 8000, random: Math.random };

/**
 * Exponential backoff with equal jitter: half of the step is kept, half is drawn, so that a wait is never nothing.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param attempt - 1 for the first
 * @returns milliseconds, between half of the step and the step
 */
export function backoffMs(attempt: number, { firstMs, longestMs, random }: Backoff): number {
  const step = Math.min(longestMs, firstMs * 2 ** (attempt - 1));
  return Math.round(step / 2 + (step / 2) * random());
}
