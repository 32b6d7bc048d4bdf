/** How long sessions last. */
export interface SessionLifetimes {
  /** A session that is not refreshed for so long is over. */
  readonly idleMs: number;
  /** However much it is used, a session is over after so long. */
  readonly absoluteMs: number;
}

/** What the rules look at in a session. */
export interface SessionFacts {
  readonly endedAt?: Date | undefined;
  readonly expiresAt: Date;
  /** Of the current refresh token. */
  readonly generation: number;
  /** When the current refresh token was made. */
  readonly rotatedAt: Date;
}

/** What is to be done about a refresh token. */
export type RefreshDecision =
  | 'rotate' /** It is the current one: make the next. */
  | 'repeat' /** It is the one before, again, just now: an honest retry, which gets what it missed. */
  | 'reused' /** It is an old one: two have the session, and one of them should not. */
  | 'refuse'; /** The session is over. */

/** For so long the refresh token before the current one gets the current one again. */
export const retryWindowMs = 30_000;

/**
 * When a session is over if nobody uses it any more.
 *
 * @param startedAt - when it began
 * @param usedAt - when it was last used
 */
export const sessionExpiry = (startedAt: Date, usedAt: Date, { idleMs, absoluteMs }: SessionLifetimes): Date =>
  new Date(Math.min(usedAt.getTime() + idleMs, startedAt.getTime() + absoluteMs));

/** Whether a session may be used. */
export const isLive = (session: Pick<SessionFacts, 'endedAt' | 'expiresAt'>, now: Date): boolean =>
  session.endedAt === undefined && session.expiresAt > now;

/**
 * Judges a *genuine* refresh token of a session (RFC 9700 §4.14.2: rotation with reuse detection).
 *
 * @param session - as it is now
 * @param generation - of the token
 * @param now - the time
 */
export function decideRefresh(session: SessionFacts, generation: number, now: Date): RefreshDecision {
  if (!isLive(session, now) || generation > session.generation) return 'refuse';
  if (generation === session.generation) return 'rotate';
  const sinceRotationMs = now.getTime() - session.rotatedAt.getTime();
  return generation === session.generation - 1 && sinceRotationMs <= retryWindowMs ? 'repeat' : 'reused';
}
