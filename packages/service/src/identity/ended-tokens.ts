import type { Ending, TokenFacts } from './ending.ts';

/** How {@link EndedTokens} is made. */
export interface EndedTokensOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Most ends that are kept, of sessions and accounts together. */
  readonly limit?: number;
}

interface Floor {
  readonly below: number;
  readonly untilMs: number;
}

/** Where there are too many, so much of the limit is kept. */
const keptShare = 0.9;

/**
 * The tokens that have ended while they would still be in date, in memory: by session, and by account up to a version. What is told twice
 * or late changes nothing: an end is only ever put off, a version only ever raised.
 *
 * Where there are too many, those go that matter for the shortest time, and that something was forgotten is remembered
 * ({@link forgottenUntilMs}): who is not in it may have ended all the same until then.
 */
export class EndedTokens {
  readonly #sessions = new Map<string, number>();
  readonly #accounts = new Map<string, Floor>();
  readonly #now: () => number;
  readonly #limit: number;
  #forgottenUntilMs = 0;

  constructor({ now = Date.now, limit = 200_000 }: EndedTokensOptions = {}) {
    this.#now = now;
    this.#limit = limit;
  }

  /** Since 1970: until then, an end that is not known here may have been forgotten; in the past where nothing was. */
  get forgottenUntilMs(): number {
    return this.#forgottenUntilMs;
  }

  /** Whether there is no telling about a token that is not known to have ended. */
  get isIncomplete(): boolean {
    return this.#forgottenUntilMs > this.#now();
  }

  has({ sid, sub, accountVersion = 0 }: TokenFacts): boolean {
    const now = this.#now();
    if ((this.#sessions.get(sid) ?? 0) > now) return true;
    const floor = this.#accounts.get(sub);
    return floor !== undefined && floor.untilMs > now && accountVersion < floor.below;
  }

  /** @returns whether it was news */
  add(ending: Ending): boolean {
    if (ending.untilMs <= this.#now()) return false;
    const isNews = 'sid' in ending ? this.#endSession(ending.sid, ending.untilMs) : this.#raise(ending.sub, ending);
    if (isNews && this.#size > this.#limit) this.#forgetSoonest();
    return isNews;
  }

  /** Takes over that somebody else, of whom ends are taken in, has forgotten some. */
  forget(untilMs: number): void {
    this.#forgottenUntilMs = Math.max(this.#forgottenUntilMs, untilMs);
  }

  /** Lets go of what has expired. */
  sweep(): void {
    const now = this.#now();
    for (const [sid, untilMs] of this.#sessions) if (untilMs <= now) this.#sessions.delete(sid);
    for (const [sub, { untilMs }] of this.#accounts) if (untilMs <= now) this.#accounts.delete(sub);
  }

  entries(): readonly Ending[] {
    return [
      ...[...this.#sessions].map(([sid, untilMs]) => ({ sid, untilMs })),
      ...[...this.#accounts].map(([sub, floor]) => ({ sub, ...floor })),
    ];
  }

  get #size(): number {
    return this.#sessions.size + this.#accounts.size;
  }

  #endSession(sid: string, untilMs: number): boolean {
    if (untilMs <= (this.#sessions.get(sid) ?? 0)) return false;
    this.#sessions.set(sid, untilMs);
    return true;
  }

  #raise(sub: string, { below, untilMs }: Floor): boolean {
    const known = this.#accounts.get(sub);
    if (known !== undefined && below <= known.below && untilMs <= known.untilMs) return false;
    this.#accounts.set(sub, {
      below: Math.max(below, known?.below ?? 0),
      untilMs: Math.max(untilMs, known?.untilMs ?? 0),
    });
    return true;
  }

  #forgetSoonest(): void {
    this.sweep();
    const surplus = this.#size - Math.floor(this.#limit * keptShare);
    if (surplus <= 0) return;
    const soonest = this.entries().toSorted((a, b) => a.untilMs - b.untilMs);
    for (const ending of soonest.slice(0, surplus)) {
      this.forget(ending.untilMs);
      if ('sid' in ending) this.#sessions.delete(ending.sid);
      else this.#accounts.delete(ending.sub);
    }
  }
}
