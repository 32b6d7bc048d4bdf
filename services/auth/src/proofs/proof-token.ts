import { createHmac, timingSafeEqual } from 'node:crypto';

import { isId } from '@causeway/contracts';

/** What a link's token is made from. */
export interface ProofTokenSource {
  readonly proofId: string;
  readonly kind: string;
  readonly emailKey: string;
  /** The proof's own random bytes. */
  readonly seed: string;
}

/**
 * The tokens in links: opaque, and derived, so that they are stored nowhere and stand in no event.
 *
 * A token is `cwp_<proof>_<MAC>`, its MAC (HMAC-SHA-256, 256 bits) made under the server's secret and over the proof's seed, its kind and its
 * address: neither a copy of the database nor the secret alone makes a token, and none opens what another kind opens.
 */
export interface ProofTokens {
  issue(source: ProofTokenSource): string;
  /** Whether the token is the one that {@link ProofTokens.issue} gives; in constant time. */
  isGenuine(token: string, source: ProofTokenSource): boolean;
}

const form = /^cwp_([0-9A-Z]{26})_[A-Za-z0-9_-]{43}$/;

/**
 * Which proof a token claims to be of. Says nothing about whether it is genuine.
 *
 * @returns undefined where it is no token of ours
 */
export function readProofToken(token: string): string | undefined {
  const proofId = `prf_${form.exec(token)?.[1] ?? ''}`;
  return isId('prf', proofId) ? proofId : undefined;
}

/**
 * @param secret - 32 bytes, the same in every replica
 */
export function createProofTokens(secret: Uint8Array): ProofTokens {
  const issue = ({ proofId, kind, emailKey, seed }: ProofTokenSource): string => {
    const mac = createHmac('sha256', secret)
      .update(JSON.stringify([seed, proofId, kind, emailKey]))
      .digest('base64url');
    return `cwp_${proofId.slice('prf_'.length)}_${mac}`;
  };
  return {
    issue,
    isGenuine: (token, source) => {
      const [presented, expected] = [Buffer.from(token), Buffer.from(issue(source))];
      return presented.length === expected.length && timingSafeEqual(presented, expected);
    },
  };
}
