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

/** How the owner of a session has proved who they are; sessions of an earlier release were begun with a password. */
export const authenticationOf = ({
  amr = ['pwd'],
  acr = 'aal1',
  createdAt,
  authTime = createdAt,
}: Pick<SessionDocument, 'amr' | 'acr' | 'authTime' | 'createdAt'>): Authentication => ({ amr, acr, authTime });
