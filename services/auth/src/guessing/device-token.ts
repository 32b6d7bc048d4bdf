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
 * A token is `cwd_<nonce>_<time>_<MAC>`: when it was issued (milliseconds since 1970), and an HMAC-SHA-256 over it and the `key` of the account's
 * e-mail address, which is all that is known of an account before a guess at it is looked at.
 */
export interface DeviceTokens {
  /** Makes one, for whoever has just signed in. */
  issue(emailKey: string): string;
  /** When the token was issued for the account with this address; undefined where it was not, or longer ago than browsers keep a cookie. */
  issuedAt(token: string | undefined, emailKey: string): Date | undefined;
}

const dayMs = 86_400_000;

/** Browsers keep a cookie no longer (RFC 6265bis, "The Max-Age Attribute"). */
export const deviceTokenDays = 400;

const form = /^cwd_([\w-]{22})_([1-9]\d{12})_([\w-]{43})$/;

/**
 * @param options - secret and clock
 */
export function createDeviceTokens({ secret, now }: DeviceTokenOptions): DeviceTokens {
  const key = createSecretKey(secret);
  const macOf = (emailKey: string, nonce: string, time: string): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([emailKey, nonce, time]))
      .digest();
  return {
    issue: (emailKey) => {
      const nonce = randomBytes(16).toString('base64url');
      const time = String(now().getTime());
      return `cwd_${nonce}_${time}_${macOf(emailKey, nonce, time).toString('base64url')}`;
    },
    issuedAt: (token, emailKey) => {
      const [, nonce = '', time = '', mac = ''] = (token === undefined ? undefined : form.exec(token)) ?? [];
      if (nonce === '') return undefined;
      const ageMs = now().getTime() - Number(time);
      const isOurs = timingSafeEqual(Buffer.from(mac, 'base64url'), macOf(emailKey, nonce, time));
      // Clocks of replicas differ a little.
      return isOurs && ageMs >= -dayMs && ageMs <= deviceTokenDays * dayMs ? new Date(Number(time)) : undefined;
    },
  };
}
