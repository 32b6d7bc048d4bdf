import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JSONWebKeySet, type JWTPayload } from 'jose';

import { createIdentity } from '../identity/create-identity.ts';
import type { Identity } from '../identity/identity.ts';
import { localKeys } from '../identity/keys.ts';
import type { RevocationList } from '../identity/revocations.ts';

/** What a test's token says; everything has a default. */
export interface TestTokenClaims {
  readonly sub?: string;
  readonly sid?: string;
  readonly jti?: string;
  readonly roles?: readonly string[];
  readonly org?: string;
  readonly scope?: string;
  readonly acr?: string;
  readonly amr?: readonly string[];
  /** Seconds since 1970. */
  readonly authTime?: number;
  /** `av` */
  readonly accountVersion?: number;
  readonly issuer?: string;
  readonly audience?: string;
  /** Seconds since 1970. */
  readonly iat?: number;
  /** Seconds since 1970. */
  readonly exp?: number;
}

/** An issuer of tokens for tests, with the identity that believes it. */
export interface TestIdentity {
  readonly issuer: string;
  readonly audience: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwks: JSONWebKeySet;
  readonly identity: Identity;
  /** A signed access token. */
  token(claims?: TestTokenClaims): Promise<string>;
  /** The `Authorization` header of a caller. */
  bearer(claims?: TestTokenClaims): Promise<{ readonly authorization: string }>;
}

/** Seconds that a test's token lives: as long as a real one. */
const lifetimeS = 300;

/**
 * Makes an issuer with a key of its own.
 *
 * @param options - issuer and audience as the service expects them; revocations to look at
 */
export const testIdentity = async (
  options: { readonly issuer?: string; readonly audience?: string; readonly revocations?: RevocationList } = {},
): Promise<TestIdentity> => {
  const { issuer = 'causeway', audience = 'causeway', revocations } = options;
  const kid = randomUUID();
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  const jwks: JSONWebKeySet = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'EdDSA', use: 'sig' }] };
  const token = (claims: TestTokenClaims = {}): Promise<string> => {
    const nowS = Math.floor(Date.now() / 1000);
    const payload: JWTPayload = {
      sub: claims.sub ?? `usr_${randomUUID()}`,
      sid: claims.sid ?? `ses_${randomUUID()}`,
      jti: claims.jti ?? randomUUID(),
      client_id: 'test',
      roles: claims.roles ?? ['member'],
      iss: claims.issuer ?? issuer,
      aud: claims.audience ?? audience,
      iat: claims.iat ?? nowS,
      exp: claims.exp ?? nowS + lifetimeS,
      ...(claims.org !== undefined && { org: claims.org }),
      ...(claims.scope !== undefined && { scope: claims.scope }),
      ...(claims.acr !== undefined && { acr: claims.acr }),
      ...(claims.amr !== undefined && { amr: claims.amr }),
      ...(claims.authTime !== undefined && { auth_time: claims.authTime }),
      ...(claims.accountVersion !== undefined && { av: claims.accountVersion }),
    };
    return new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid }).sign(privateKey);
  };
  return {
    issuer,
    audience,
    kid,
    privateKey,
    publicKey,
    jwks,
    identity: createIdentity({
      issuer,
      audience,
      keys: localKeys(() => jwks),
      ...(revocations !== undefined && { revocations }),
    }),
    token,
    bearer: async (claims) => ({ authorization: `Bearer ${await token(claims)}` }),
  };
};
