import type { ServerResponse } from 'node:http';
import { faults } from '@causeway/contracts';

import { countRefused } from './refused.ts';

/** What is counted, and how many of it one caller may have. */
export interface OpenCallsOptions {
  /** Of the budget, for the metrics: `open-calls`. */
  readonly name: string;
  readonly most: number;
}

/**
 * How many answers each caller waits for: calls that last take connections from all others, however few a caller begins. Each
 * gateway counts its own.
 */
export class OpenCalls {
  readonly #options: OpenCallsOptions;
  readonly #open = new Map<string, number>();

  constructor(options: OpenCallsOptions) {
    this.#options = options;
  }

  /**
   * Counts a call until its answer is complete, or nobody waits for it.
   *
   * @param key - of the caller
   * @param response - not begun
   * @throws Fault `too-many-requests`
   */
  hold(key: string, response: ServerResponse): void {
    if (response.closed) return;
    const open = this.#open.get(key) ?? 0;
    const { name, most } = this.#options;
    if (open >= most) {
      countRefused(name);
      throw faults.tooManyRequests({
        detail: `At most ${most} may be open at the same time: let some of them end first.`,
        retryAfterS: 1,
      });
    }
    this.#open.set(key, open + 1);
    response.on('close', () => this.#release(key));
  }

  #release(key: string): void {
    const left = (this.#open.get(key) ?? 0) - 1;
    if (left > 0) this.#open.set(key, left);
    else this.#open.delete(key);
  }
}

/** What each caller may have open. */
export interface OpenLimits {
  /** By address; feeds are not among them. */
  readonly calls: OpenCalls;
  readonly feedsByAddress: OpenCalls;
  readonly feedsByPrincipal: OpenCalls;
}

/**
 * Makes the limits on what is open.
 *
 * @param callsPerAddress - besides feeds
 * @param feedsPerCaller - by address, and by principal
 */
export const createOpenLimits = (callsPerAddress: number, feedsPerCaller: number): OpenLimits => ({
  calls: new OpenCalls({ name: 'open-calls', most: callsPerAddress }),
  feedsByAddress: new OpenCalls({ name: 'open-feeds-by-address', most: feedsPerCaller }),
  feedsByPrincipal: new OpenCalls({ name: 'open-feeds-by-principal', most: feedsPerCaller }),
});
