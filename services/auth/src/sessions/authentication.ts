import type { AssuranceLevel, SessionDocument } from './session.model.ts';

/** How somebody has proved who they are. */
export interface Authentication {
  /**
   * The methods of RFC 8176: `pwd`, `otp`, `swk` and `hwk` with `user` for a passkey, `mfa` where there were two of different kinds; and
   * ours, `link` for one that was mailed and `recovery` for a recovery code.
   */
  readonly amr: readonly string[];
  readonly acr: AssuranceLevel;
  /** The last time. */
  readonly authTime: Date;
}

/** Two proofs are two; a passkey that has verified its user is what they have and what they know or are. */
export const assuranceOf = (amr: readonly string[]): AssuranceLevel => {
  const isPasskey = amr.includes('swk') || amr.includes('hwk');
  return amr.includes('mfa') || (isPasskey && amr.includes('user')) ? 'aal2' : 'aal1';
};

/** Methods that stand for nobody without another. */
const seconds: ReadonlySet<string> = new Set(['otp', 'recovery', 'mfa']);

/** Methods that stand for somebody by themselves: two of them are not two kinds of proof. */
const firsts = ['pwd', 'link'];

/**
 * What a session has proved once its owner has given a further proof: a password or a mailed link stands for itself, and anything else beside
 * what the session was begun with.
 *
 * @param before - what it had proved
 * @param proof - the methods of the new proof
 */
export const provenOnceMore = (before: readonly string[], proof: readonly string[]): readonly string[] => {
  if (proof.some((method) => firsts.includes(method))) return proof;
  const first = before.filter((method) => !seconds.has(method) && !proof.includes(method));
  return first.length === 0 ? proof : [...first, ...proof, 'mfa'];
};

/** How the owner of a session has proved who they are; sessions of an earlier release were begun with a password. */
export const authenticationOf = ({
  amr = ['pwd'],
  acr = 'aal1',
  createdAt,
  authTime = createdAt,
}: Pick<SessionDocument, 'amr' | 'acr' | 'authTime' | 'createdAt'>): Authentication => ({ amr, acr, authTime });
