import type { AccessClaims } from './access-claims.ts';

/** Knows who a caller is. */
export interface Identity {
  /**
   * Verifies the `Authorization` header.
   *
   * @param authorization - as it was sent
   * @returns undefined where there is none
   * @throws Fault `unauthenticated` where the token is not valid (any more); `unavailable` where the keys cannot be had, or nobody
   *   knows whether the token has ended
   */
  authenticate(authorization: string | undefined): Promise<AccessClaims | undefined> | AccessClaims | undefined;
  /** Resolves when tokens can be verified. */
  start(): Promise<void>;
  /** Whether tokens can be verified. */
  ready(): boolean;
  stop(): Promise<void>;
}
