import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';

import type { KnownBy, KnownDevice } from './guess.ts';

/** What {@link createDeviceTokens} is given. */
export interface DeviceTokenOptions {
  /** 32 bytes, the same in every replica. */
  readonly secret: Uint8Array;
  readonly now: () => Date;
}

/** A device, as its token tells of it. */
export interface IssuedDevice extends KnownDevice {
  readonly issuedAt: Date;
}

/**
 * Tokens that say "this account has been signed in to from here before" (OWASP, "Device Cookies"): who has one is not locked out with those
 * who guess at the account from elsewhere. It opens nothing, and names nobody.
 *
 * A token is `cwd_<nonce>_<time>_<proofs>_<MAC>`: when it was issued (milliseconds since 1970), how many proofs were given beside the mail, and
 * an HMAC-SHA-256 over them and the `key` of the account's e-mail address, which is all that is known of an account before a guess at it is
 * looked at. Those that were issued before they said of proofs have none, nor does their MAC: somebody was signed in from there.
 */
export interface DeviceTokens {
  /** Makes one, for a device that is known by what was just shown there. */
  issue(emailKey: string, by: KnownBy): string;
  /** The device that the token was issued to for the account with this address; undefined where it was not, or longer ago than browsers keep a cookie. */
  read(token: string | undefined, emailKey: string): IssuedDevice | undefined;
}

const dayMs = 86_400_000;

/** Browsers keep a cookie no longer (RFC 6265bis, "The Max-Age Attribute"). */
export const deviceTokenDays = 400;

/** By how many proofs. */
const proofsOf: Readonly<Record<KnownBy, string>> = { mailed: '0', known: '1', proven: '2' };
const knownBy = Object.keys(proofsOf) as KnownBy[];

const form = /^cwd_([\w-]{22})_([1-9]\d{12})(?:_([012]))?_([\w-]{43})$/;

/**
 * @param options - secret and clock
 */
export function createDeviceTokens({ secret, now }: DeviceTokenOptions): DeviceTokens {
  const key = createSecretKey(secret);
  const macOf = (emailKey: string, ...said: readonly string[]): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([emailKey, ...said]))
      .digest();
  return {
    issue: (emailKey, by) => {
      const said = [randomBytes(16).toString('base64url'), String(now().getTime()), proofsOf[by]] as const;
      return `cwd_${said.join('_')}_${macOf(emailKey, ...said).toString('base64url')}`;
    },
    read: (token, emailKey) => {
      const [, name = '', time = '', proofs, mac = ''] = (token === undefined ? undefined : form.exec(token)) ?? [];
      if (name === '') return undefined;
      const said = proofs === undefined ? [name, time] : [name, time, proofs];
      const ageMs = now().getTime() - Number(time);
      const isOurs = timingSafeEqual(Buffer.from(mac, 'base64url'), macOf(emailKey, ...said));
      // Clocks of replicas differ a little.
      const budget = knownBy[Number(proofs ?? proofsOf.known)];
      if (!isOurs || budget === undefined || ageMs < -dayMs || ageMs > deviceTokenDays * dayMs) return undefined;
      return { name, budget, issuedAt: new Date(Number(time)) };
    },
  };
}
