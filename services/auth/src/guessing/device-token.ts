import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';

/** What {@link createDeviceTokens} is given. */
export interface DeviceTokenOptions {
  /** 32 bytes, the same in every replica. */
  readonly secret: Uint8Array;
  readonly now: () => Date;
}

/**
 * Tokens that say "this account has been signed in to from here before" (OWASP, "Device Cookies"): who has one is not locked out with those
 * who guess at the account from elsewhere. It opens nothing, and names nobody.
 *
 * A token is `cwd_<nonce>_<day>_<MAC>`: the day (since 1970) it was issued on, and an HMAC-SHA-256 over it and the `key` of the account's
 * e-mail address, which is all that is known of an account before a guess at it is looked at.
 */
export interface DeviceTokens {
  /** Makes one, for whoever has just signed in. */
  issue(emailKey: string): string;
  /** Whether the token was issued for the account with this address, no longer ago than browsers keep a cookie. */
  isKnown(token: string | undefined, emailKey: string): boolean;
}

const dayMs = 86_400_000;

/** Browsers keep a cookie no longer (RFC 6265bis, "The Max-Age Attribute"). */
export const deviceTokenDays = 400;

const form = /^cwd_([\w-]{22})_([1-9]\d{3,5})_([\w-]{43})$/;

/**
 * @param options - secret and clock
 */
export function createDeviceTokens({ secret, now }: DeviceTokenOptions): DeviceTokens {
  const key = createSecretKey(secret);
  const today = (): number => Math.floor(now().getTime() / dayMs);
  const macOf = (emailKey: string, nonce: string, day: string): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([emailKey, nonce, day]))
      .digest();
  return {
    issue: (emailKey) => {
      const nonce = randomBytes(16).toString('base64url');
      const day = String(today());
      return `cwd_${nonce}_${day}_${macOf(emailKey, nonce, day).toString('base64url')}`;
    },
    isKnown: (token, emailKey) => {
      const [, nonce = '', day = '', mac = ''] = (token === undefined ? undefined : form.exec(token)) ?? [];
      if (nonce === '') return false;
      const age = today() - Number(day);
      const isOurs = timingSafeEqual(Buffer.from(mac, 'base64url'), macOf(emailKey, nonce, day));
      return isOurs && age >= 0 && age <= deviceTokenDays;
    },
  };
}
