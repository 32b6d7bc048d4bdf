import type { Policy, Standing } from './limit-headers.ts';

/** Counts for all gateways together. `rate-limiter-flexible` fits. */
export interface SharedCounter {
  /**
   * Adds to a key's count.
   *
   * @returns what all gateways have counted in the key's window, and how long it still runs
   */
  penalty(key: string, points: number): Promise<{ readonly consumedPoints: number; readonly msBeforeNext: number }>;
}

/** What a budget is made of. */
export interface BudgetOptions extends Policy {
  readonly shared: SharedCounter;
  /** Milliseconds on a clock that does not jump. */
  readonly now?: () => number;
  /** Most callers that are counted at the same time; beyond, the one that came first is forgotten. */
  readonly mostKeys?: number;
}

interface Count {
  /** Of all gateways, as of the last exchange. */
  shared: number;
  /** Here, and not told yet. */
  own: number;
  endsAt: number;
}

/** Callers that one exchange tells of; the others wait for the next, so that a flood of addresses is no flood of commands. */
const keysAtOnce = 1_000;

/**
 * A number of calls in a window. Counting is in this process and costs no round trip; several times a second the gateways
 * exchange their counts, so that together they admit at most what one of them can admit between two exchanges more.
 */
export class Budget implements Policy {
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly #options: BudgetOptions;
  readonly #now: () => number;
  readonly #counts = new Map<string, Count>();
  readonly #untold = new Set<string>();

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.name = options.name;
    this.limit = options.limit;
    this.windowMs = options.windowMs;
  }

  /**
   * Counts a call, unless the budget is used up.
   *
   * @param key - who calls
   */
  take(key: string): Standing {
    const now = this.#now();
    const count = this.#countOf(key, now);
    const used = count.shared + count.own;
    const allowed = used < this.limit;
    if (allowed) {
      count.own += 1;
      this.#untold.add(key);
    }
    const remaining = Math.max(0, this.limit - used - 1);
    return { name: this.name, allowed, remaining, resetMs: count.endsAt - now };
  }

  /** Tells the other gateways, and learns from them. Never throws: what could not be told is told the next time. */
  async exchange(): Promise<void> {
    const keys = [...this.#untold].slice(0, keysAtOnce);
    await Promise.all(keys.map((key) => this.#tell(key)));
  }

  async #tell(key: string): Promise<void> {
    this.#untold.delete(key);
    const count = this.#counts.get(key);
    if (count === undefined || count.own === 0 || count.endsAt <= this.#now()) return;
    const points = count.own;
    try {
      const { consumedPoints, msBeforeNext } = await this.#options.shared.penalty(key, points);
      count.own -= points;
      const known = count.shared + points;
      if (consumedPoints < known) {
        // Redis has forgotten what was counted: what it has told holds to the end of the window.
        count.shared = known;
        return;
      }
      count.shared = consumedPoints;
      // The window is the one of whoever counted first.
      if (msBeforeNext > 0) count.endsAt = Math.min(this.#now() + msBeforeNext, this.#now() + this.windowMs);
    } catch {
      this.#untold.add(key);
    }
  }

  #countOf(key: string, now: number): Count {
    const known = this.#counts.get(key);
    if (known !== undefined && known.endsAt > now) return known;
    const fresh: Count = { shared: 0, own: 0, endsAt: now + this.windowMs };
    this.#counts.delete(key);
    this.#counts.set(key, fresh);
    if (this.#counts.size > (this.#options.mostKeys ?? 100_000)) this.#forgetOldest(now);
    return fresh;
  }

  /** In the order of their first call: those at the front end first. */
  #forgetOldest(now: number): void {
    let forgotten = 0;
    for (const [key, { endsAt }] of this.#counts) {
      if (forgotten > 0 && endsAt > now) return;
      this.#counts.delete(key);
      forgotten += 1;
    }
  }
}
