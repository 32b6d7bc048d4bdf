/** How much of a budget is left. */
export interface Standing {
  /** The budget's name, as `RateLimit-Policy` has it. */
  readonly name: string;
  readonly allowed: boolean;
  readonly remaining: number;
  /** Until the budget is whole again. */
  readonly resetMs: number;
}

/** A budget, for `RateLimit-Policy`. */
export interface Policy {
  readonly name: string;
  /** Calls in a window. */
  readonly limit: number;
  readonly windowMs: number;
}

// The difference of two times may be a whole second and some 10⁻¹² of one.
const seconds = (ms: number): number => Math.max(1, Math.ceil(Math.round(ms) / 1000));

/**
 * `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10 §3): each budget with its quota and window in seconds.
 *
 * @param policies - that a call is counted under
 */
export const policyHeader = (policies: readonly Policy[]): string =>
  policies.map(({ name, limit, windowMs }) => `"${name}";q=${limit};w=${seconds(windowMs)}`).join(', ');

/**
 * `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10 §4): what is left of each budget, and the seconds until it is whole.
 *
 * @param standings - after this call
 */
export const rateLimitHeader = (standings: readonly Standing[]): string =>
  standings.map(({ name, remaining, resetMs }) => `"${name}";r=${remaining};t=${seconds(resetMs)}`).join(', ');

/** Whole seconds for `Retry-After`. */
export const retryAfterS = ({ resetMs }: Standing): number => seconds(resetMs);
