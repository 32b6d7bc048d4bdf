import { createHmac, createSecretKey } from 'node:crypto';

import { SignJWT } from 'jose';
import type { CryptoKey } from 'jose';

/** Five minutes: long enough to be rare, short enough that a revocation list stays small. */
export const accessTokenLifetimeS = 300;

/** The client that signs people in by this service's own calls; clients of others come with OAuth. */
const firstPartyClient = 'causeway';

/** What is not narrowed: a person at their own client may do whatever their roles allow. Keys and OAuth clients will get less. */
const unrestrictedScope = 'full';

/** What an access token says. */
export interface AccessTokenSubject {
  readonly accountId: string;
  /** The account's `accessVersion`: once it has a higher one, the token is refused. */
  readonly accountVersion: number;
  readonly roles: readonly string[];
  readonly sessionId: string;
  /** Which refresh of the session it came with. */
  readonly generation: number;
  /** When: the token of a generation is the same whenever it is asked for. */
  readonly issuedAt: Date;
  /** How its owner has proved who they are (RFC 8176), how surely, and when they last did. */
  readonly amr: readonly string[];
  readonly acr: string;
  readonly authTime: Date;
}

/** A signed token and its end. */
export interface AccessToken {
  readonly token: string;
  /** Seconds since the epoch. */
  readonly expiresAtS: number;
}

/** What {@link createAccessTokens} is given. */
export interface AccessTokenOptions {
  readonly issuer: string;
  readonly audience: string;
  /** The key that signs what is issued at a time. */
  readonly signingKey: (issuedAt: Date) => Promise<{ readonly kid: string; readonly privateKey: CryptoKey }>;
  /** 32 bytes, the same in every replica: token ids are derived under it. */
  readonly secret: Uint8Array;
}

/** Signs access tokens. */
export type AccessTokens = (subject: AccessTokenSubject) => Promise<AccessToken>;

/**
 * Access tokens are JWTs for access tokens (RFC 9068), signed with Ed25519. The signature is deterministic (RFC 8032), and so
 * is everything in it: the retry of a refresh gets the very same token.
 */
export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { issuer, audience, signingKey } = options;
  const key = createSecretKey(options.secret);
  const tokenId = (sessionId: string, generation: number): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([sessionId, generation]))
      .digest()
      .toString('base64url', 0, 16);

  return async (subject) => {
    const { accountId, accountVersion, roles, sessionId, generation, issuedAt, amr, acr, authTime } = subject;
    const { kid, privateKey } = await signingKey(issuedAt);
    const issuedAtS = Math.floor(issuedAt.getTime() / 1000);
    const expiresAtS = issuedAtS + accessTokenLifetimeS;
    const token = await new SignJWT({
      client_id: firstPartyClient,
      sid: sessionId,
      roles: [...roles],
      scope: unrestrictedScope,
      ...{ acr, amr: [...amr], auth_time: Math.floor(authTime.getTime() / 1000), av: accountVersion },
    })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(accountId)
      .setIssuedAt(issuedAtS)
      .setExpirationTime(expiresAtS)
      .setJti(tokenId(sessionId, generation))
      .sign(privateKey);
    return { token, expiresAtS };
  };
}
