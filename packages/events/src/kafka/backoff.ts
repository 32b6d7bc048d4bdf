import { setTimeout as sleep } from 'node:timers/promises';

/** Doubling from `firstMs` up to `maxMs`, with full jitter over the upper half, so that clients do not come back all at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  #attempts = 0;

  constructor(firstMs = 50, maxMs = 2_000) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
  }

  /** Call it when something has worked. */
  reset(): void {
    this.#attempts = 0;
  }

  nextMs(): number {
    const ceiling = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#attempts, 20));
    this.#attempts += 1;
    return ceiling / 2 + Math.random() * (ceiling / 2);
  }

  /** Waits for the next delay, or until the signal is aborted; never rejects. */
  async wait(signal: AbortSignal): Promise<void> {
    await pause(this.nextMs(), signal);
  }
}

/** Waits; ends early, without rejecting, when the signal is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
}

/**
 * Waits for a promise, but not longer than `ms`. What it was waiting for goes on by itself; a later rejection of it is taken care of.
 *
 * @returns Whether the promise settled in time. Rejects only with the promise's own error.
 */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  promise.catch(() => undefined);
  const timer = new AbortController();
  try {
    return await Promise.race([
      promise.then(() => true),
      sleep(ms, false, { signal: timer.signal }).catch(() => false),
    ]);
  } finally {
    timer.abort();
  }
}
