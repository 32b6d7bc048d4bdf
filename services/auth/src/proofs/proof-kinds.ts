import type { LinkMail } from '../mail/mail-names.ts';

/** The name of a kind of link: what it opens. */
export type ProofKind = 'verify-email' | 'sign-in-link' | 'reset-password';

/** A kind of link. */
export interface ProofKindDeclaration {
  /** The mail that brings it. */
  readonly mail: LinkMail;
  /** The page that it leads to: `/account/<page>/<token>`. */
  readonly page: string;
  /** Whether there is no use for it once the address has been verified. */
  readonly verifiesOnly: boolean;
}

/** Every kind of link. */
export const proofKinds: Readonly<Record<ProofKind, ProofKindDeclaration>> = {
  'verify-email': { mail: 'verify-email', page: 'verify', verifiesOnly: true },
  'sign-in-link': { mail: 'sign-in-link', page: 'link', verifiesOnly: false },
  'reset-password': { mail: 'reset-password', page: 'reset', verifiesOnly: false },
};

/** Links that open an account, or change what opens it: none outlives a change of the password. */
export const linksOfCredentials: readonly ProofKind[] = ['sign-in-link', 'reset-password'];
