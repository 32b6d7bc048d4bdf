import { createHmac, createSecretKey, hash, timingSafeEqual } from 'node:crypto';

import { isId } from '@causeway/contracts';

/** What a refresh token stands for: the n-th of a session. */
export interface RefreshTokenClaim {
  readonly sessionId: string;
  /** 1 for the one that the session began with; each refresh adds one. */
  readonly generation: number;
}

/** A refresh token's claim and what it is made from. */
export interface RefreshTokenSource extends RefreshTokenClaim {
  /** The session's own random bytes. */
  readonly seed: string;
}

/**
 * Refresh tokens: opaque to clients, and derived, so that a retry of a refresh gets the same token again although it is stored nowhere.
 *
 * A token is `cwr_<session>_<generation>_<MAC>`, its MAC (HMAC-SHA-256, 256 bits) made under the server's secret and over the
 * session's seed: neither a copy of the database nor the secret alone makes a token. The prefix is for tools that search for
 * leaked secrets.
 */
export interface RefreshTokens {
  issue(source: RefreshTokenSource): string;
  /** Whether the token is the one that {@link RefreshTokens.issue} gives; in constant time. */
  isGenuine(token: string, source: RefreshTokenSource): boolean;
}

const form = /^cwr_([0-9A-Z]{26})_([1-9][0-9]{0,8})_[A-Za-z0-9_-]{43}$/;

/**
 * What a token claims to be. Says nothing about whether it is genuine.
 *
 * @returns undefined where it is no refresh token of ours
 */
export function readRefreshToken(token: string): RefreshTokenClaim | undefined {
  const [, body, generation] = form.exec(token) ?? [];
  const sessionId = `ses_${body ?? ''}`;
  if (generation === undefined || !isId('ses', sessionId)) return undefined;
  return { sessionId, generation: Number(generation) };
}

/** The form in which the current token is stored: SHA-256, which is enough for 256 random bits. */
export const hashRefreshToken = (token: string): string => hash('sha256', token, 'base64url');

/**
 * @param secret - 32 bytes, the same in every replica
 */
export function createRefreshTokens(secret: Uint8Array): RefreshTokens {
  // Of bytes Node would make a key at each call, which takes longer than the MAC.
  const key = createSecretKey(secret);
  const issue = ({ sessionId, seed, generation }: RefreshTokenSource): string => {
    const mac = createHmac('sha256', key)
      .update(JSON.stringify([seed, sessionId, generation]))
      .digest('base64url');
    return `cwr_${sessionId.slice('ses_'.length)}_${generation}_${mac}`;
  };
  return {
    issue,
    isGenuine: (token, source) => {
      const [presented, expected] = [Buffer.from(token), Buffer.from(issue(source))];
      return presented.length === expected.length && timingSafeEqual(presented, expected);
    },
  };
}
