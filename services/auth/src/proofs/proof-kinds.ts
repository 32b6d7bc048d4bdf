import type { LinkMail } from '../mail/mail-names.ts';

/** The name of a kind of link: what it opens. */
export type ProofKind =
  | ('verify-email' | 'sign-up' | 'sign-in-link' | 'reset-password')
  | ('change-email' | 'undo-email' | 'undo-factor' | 'unlock');

/** A kind of link. */
export interface ProofKindDeclaration {
  /** The mail that brings it. */
  readonly mail: LinkMail;
  /** In its place, where the account has a second factor and the link does less for it. */
  readonly mailWithSecondFactor?: LinkMail;
  /** The page that it leads to: `/account/<page>/<token>`. */
  readonly page: string;
  /** `address`: to whoever has the address, which is looked up when it is mailed. `account`: to the address, about an account that is known. */
  readonly about: 'address' | 'account';
  /** Which open links of the kind a newer one takes the place of; `none`: each is for something of its own. */
  readonly replaces: 'of-address' | 'of-account' | 'none';
  /** Whether there is no use for it once the address has been verified. */
  readonly verifiesOnly: boolean;
}

const ofAddress = { about: 'address', replaces: 'of-address', verifiesOnly: false } as const;

/** Every kind of link. */
export const proofKinds: Readonly<Record<ProofKind, ProofKindDeclaration>> = {
  'verify-email': { ...ofAddress, mail: 'verify-email', page: 'verify', verifiesOnly: true },
  // One does not replace another: whoever signs up with somebody's address would void the link that its owner has.
  'sign-up': { ...ofAddress, mail: 'sign-up', page: 'verify', replaces: 'none' },
  'sign-in-link': { ...ofAddress, mail: 'sign-in-link', page: 'link' },
  'reset-password': { ...ofAddress, mail: 'reset-password', page: 'reset' },
  // To the new address.
  'change-email': {
    ...{ about: 'account', replaces: 'of-account', verifiesOnly: false },
    ...{ mail: 'change-email', page: 'email' },
  },
  // To the one of before; each change has its own.
  'undo-email': {
    ...{ about: 'account', replaces: 'none', verifiesOnly: false },
    ...{ mail: 'email-changed', page: 'undo' },
  },
  // To the address at that time; each second factor that is added has its own.
  'undo-factor': {
    ...{ about: 'account', replaces: 'none', verifiesOnly: false },
    ...{ mail: 'factor-added', page: 'take-back' },
  },
  unlock: {
    ...{ ...ofAddress, mail: 'account-locked', page: 'unlock' },
    mailWithSecondFactor: 'account-locked-second-factor',
  },
};

/** Links for whoever believes to have an account: where the settings have it told, they are written to that there is none. */
export const linksOfBelievers: readonly ProofKind[] = ['sign-in-link', 'reset-password'];

/** Links that open an account, or change what opens it: none outlives a change of the password. */
export const linksOfCredentials: readonly ProofKind[] = ['sign-in-link', 'reset-password', 'change-email'];

/** All but those by which an owner takes back what was done to their account: whoever has done it must not take these away. */
export const everyLinkButUndo: readonly ProofKind[] = [...linksOfCredentials, 'verify-email'];
