import type { Passkey } from '../factor.model.ts';

/**
 * Whether an authenticator has counted backwards, or stood still: then somebody else has used a copy of it, or uses one now (WebAuthn Level 3
 * §6.1.1). Passkeys that are synchronised do not count, and say 0 each time.
 *
 * @param kept - as of its last use
 * @param told - with this one
 */
export const isCopied = ({ counter: kept }: Pick<Passkey, 'counter'>, told: number): boolean =>
  (kept > 0 || told > 0) && told <= kept;
