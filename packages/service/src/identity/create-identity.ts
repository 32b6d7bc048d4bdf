import { hash } from 'node:crypto';

import type { AccessClaims } from './access-claims.ts';
import { ExpiringCache } from './expiring-cache.ts';
import type { Identity } from './identity.ts';
import type { KeySource } from './keys.ts';
import type { RevocationList } from './revocations.ts';
import { invalidToken, verifyToken, type TokenRules } from './verify-token.ts';

/** What identity is made of. */
export interface IdentityOptions extends TokenRules {
  readonly keys: KeySource;
  /** Tokens that have ended before they expired. */
  readonly revocations?: RevocationList;
  /** Verified tokens that are kept, by hash. */
  readonly cacheEntries?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Longest token that is looked at: ours have some 600 characters. */
const longestToken = 8_192;

const bearerToken = (authorization: string): string => {
  // The scheme's name is case-insensitive (RFC 9110 §11.1).
  const given = authorization.startsWith('Bearer ') || /^bearer /i.test(authorization);
  const token = authorization.slice(7).trim();
  if (!given || token === '' || token.length > longestToken) throw invalidToken('not a bearer token');
  return token;
};

/**
 * Makes what verifies access tokens. A token is verified once, then known by its SHA-256 until it expires; whether it has ended before is
 * asked each time: in memory, and of auth only where that is not known for certain.
 *
 * @param options - issuer, audience, keys, revocations
 */
export const createIdentity = (options: IdentityOptions): Identity => {
  const { keys, revocations, cacheEntries = 20_000, now = Date.now } = options;
  const verified = new ExpiringCache<AccessClaims>(cacheEntries, now);
  const stopping = new AbortController();
  const unless = (isRevoked: boolean, claims: AccessClaims): AccessClaims => {
    if (isRevoked) throw invalidToken('the session has ended, or its account has changed');
    return claims;
  };
  const unlessRevoked = (claims: AccessClaims): Promise<AccessClaims> | AccessClaims => {
    const isRevoked = revocations?.isRevoked(claims) ?? false;
    return typeof isRevoked === 'boolean' ? unless(isRevoked, claims) : isRevoked.then((itIs) => unless(itIs, claims));
  };
  return {
    authenticate: (authorization) => {
      if (authorization === undefined) return undefined;
      const token = bearerToken(authorization);
      const key = hash('sha256', token, 'base64');
      const known = verified.get(key);
      if (known !== undefined) return unlessRevoked(known);
      return verifyToken(token, keys, options, now()).then((claims) => {
        verified.set(key, claims, claims.exp * 1000);
        return unlessRevoked(claims);
      });
    },
    start: async () => {
      await Promise.all([keys.start(stopping.signal), revocations?.start()]);
    },
    ready: () => keys.ready(),
    stop: async () => {
      stopping.abort(new Error('identity was stopped'));
      await revocations?.stop();
    },
  };
};
