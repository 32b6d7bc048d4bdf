import { faults, type Fault } from '@causeway/contracts';
import { errors, jwtVerify, type JWTPayload } from 'jose';

import type { AccessClaims } from './access-claims.ts';
import type { KeySource } from './keys.ts';
import { faultOfForm } from './token-form.ts';

/** What a token must say to be ours. */
export interface TokenRules {
  readonly issuer: string;
  readonly audience: string;
}

/** Between the clocks of two machines. */
const toleranceS = 5;

/**
 * 401 with the challenge of RFC 6750 §3.1. The reason stays in the log: the caller learns that the token is not valid.
 *
 * @param reason - internal
 */
export const invalidToken = (reason: string, cause?: unknown): Fault =>
  faults.unauthenticated({
    detail: 'The access token is not valid or has expired.',
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    message: reason,
    cause,
  });

const text = (payload: JWTPayload, claim: string): string => {
  const value = payload[claim];
  if (typeof value !== 'string' || value === '') throw invalidToken(`claim ${claim} is missing`);
  return value;
};

const optionalText = (payload: JWTPayload, claim: string): string | undefined => {
  const value = payload[claim];
  if (value !== undefined && typeof value !== 'string') throw invalidToken(`claim ${claim} is no text`);
  return value;
};

const optionalTexts = (payload: JWTPayload, claim: string): readonly string[] | undefined => {
  const value = payload[claim];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
    throw invalidToken(`claim ${claim} is no list of texts`);
  }
  return Object.freeze(value);
};

/** A count, or seconds since 1970. */
const optionalWhole = (payload: JWTPayload, claim: string): number | undefined => {
  const value = payload[claim];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalidToken(`claim ${claim} is no whole number`);
  }
  return value;
};

const noRoles: readonly string[] = Object.freeze([]);

const claimsOf = (payload: JWTPayload, nowS: number): AccessClaims => {
  const { iat = Number.NaN, exp = Number.NaN } = payload;
  if (!(iat <= nowS + toleranceS)) throw invalidToken('issued in the future');
  const scope = optionalText(payload, 'scope');
  const org = optionalText(payload, 'org');
  const acr = optionalText(payload, 'acr');
  const amr = optionalTexts(payload, 'amr');
  const authTime = optionalWhole(payload, 'auth_time');
  return Object.freeze({
    sub: text(payload, 'sub'),
    sid: text(payload, 'sid'),
    jti: text(payload, 'jti'),
    clientId: text(payload, 'client_id'),
    roles: optionalTexts(payload, 'roles') ?? noRoles,
    ...(scope !== undefined && { scope }),
    ...(org !== undefined && { org }),
    ...(acr !== undefined && { acr }),
    ...(amr !== undefined && { amr }),
    ...(authTime !== undefined && { authTime }),
    accountVersion: optionalWhole(payload, 'av') ?? 0,
    iat,
    exp,
  });
};

/**
 * Verifies an access token (RFC 9068 §4): its form, its type, EdDSA and nothing else, issuer, audience, times, and the claims that
 * every token of ours has.
 *
 * @param token - compact JWS
 * @param keys - the issuer's
 * @param rules - issuer and audience
 * @param nowMs - since 1970
 * @throws Fault `unauthenticated`; `unavailable` where the keys cannot be had
 */
export const verifyToken = async (
  token: string,
  keys: KeySource,
  rules: TokenRules,
  nowMs: number,
): Promise<AccessClaims> => {
  const fault = faultOfForm(token);
  if (fault !== undefined) throw invalidToken(fault);
  try {
    const { payload } = await jwtVerify(token, keys.find, {
      // The algorithm is ours to say, never the token's (RFC 8725 §3.1).
      algorithms: ['EdDSA', 'Ed25519'],
      typ: 'at+jwt',
      issuer: rules.issuer,
      audience: rules.audience,
      requiredClaims: ['sub', 'sid', 'jti', 'client_id', 'exp', 'iat', 'iss', 'aud'],
      clockTolerance: toleranceS,
      currentDate: new Date(nowMs),
    });
    return claimsOf(payload, nowMs / 1000);
  } catch (error) {
    if (error instanceof errors.JOSEError) throw invalidToken(error.code, error);
    throw error;
  }
};
