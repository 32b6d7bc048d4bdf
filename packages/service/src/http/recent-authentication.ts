import { defineFault, type Fault } from '@causeway/contracts';

import type { AccessClaims } from '../identity/access-claims.ts';

/** How lately and how surely somebody must have proved who they are, for a call that could do them harm. */
export interface RecentAuthentication {
  /** Since they last did, whatever they refreshed meanwhile. */
  readonly maxAgeMs: number;
  /** `aal2`: with two factors, or a passkey that knows its owner. `enrolled`: so, where they have set up a second factor. */
  readonly acr?: 'aal2' | 'enrolled';
}

/** The caller is signed in, but not lately, or not surely, enough. */
export const insufficientAuthentication = defineFault({
  code: 'insufficient-authentication',
  category: 'unauthenticated',
  title: 'Prove once more that it is you',
  description:
    'This call asks for a recent authentication, or for one with a second factor: `WWW-Authenticate` says which, by `max_age` and `acr_values` (RFC 9470). Authenticate once more, by `POST /v1/auth/step-up`, and try again with the new token; refreshing the old one does not help.',
});

/** Clocks of services may differ by so much. */
const clockSkewMs = 5_000;

const challenge = (maxAgeMs: number, surely: boolean): string =>
  [
    'Bearer error="insufficient_user_authentication"',
    `error_description="${surely ? 'A second factor' : 'A more recent authentication'} is required"`,
    `max_age="${Math.floor(maxAgeMs / 1000)}"`,
    ...(surely ? ['acr_values="aal2"'] : []),
  ].join(', ');

/**
 * Whether a caller has proved who they are lately and surely enough (RFC 9470).
 *
 * @param claims - of their token
 * @param rule - what the route asks for
 * @param facts - the time, in milliseconds since 1970, and whether a second factor is set up for the account
 * @returns the fault; undefined where it is enough
 */
export const faultOfAuthentication = (
  { acr, authTime }: Pick<AccessClaims, 'acr' | 'authTime'>,
  { maxAgeMs, acr: asked }: RecentAuthentication,
  { nowMs, hasSecondFactor }: { readonly nowMs: number; readonly hasSecondFactor: boolean },
): Fault | undefined => {
  const surely = asked === 'aal2' || (asked === 'enrolled' && hasSecondFactor);
  // A token of an earlier release does not say when, nor one whose issuer's clock is far ahead.
  const ageMs = authTime === undefined ? Number.POSITIVE_INFINITY : nowMs - authTime * 1000;
  const isRecent = ageMs <= maxAgeMs && ageMs >= -clockSkewMs;
  const isSure = !surely || acr === 'aal2';
  if (isRecent && isSure) return undefined;
  return insufficientAuthentication({
    detail: surely
      ? 'Authenticate once more, with your second factor (`POST /v1/auth/step-up`), and try again.'
      : 'Authenticate once more (`POST /v1/auth/step-up`), and try again.',
    headers: { 'WWW-Authenticate': challenge(maxAgeMs, surely) },
  });
};
