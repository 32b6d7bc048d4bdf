/**
 * Every mail that this service sends, and what its template may name beside `site` and `email`, which all of them may. A new one is a
 * row here and a folder of `templates/mail`.
 */
export const mailNames = {
  /** Somebody has signed up with the address. */
  'verify-email': ['link', 'expiresAt'],
  /** Somebody wants to sign up with the address, which nobody has. */
  'sign-up': ['link', 'expiresAt'],
  /** The same, of an address that is an account's already. */
  'account-exists': ['signInPage', 'resetPage'],
  /** Somebody wants to sign in, or a new password, with an address that nobody has; where the settings have that told. */
  'no-account': ['signUpPage'],
  /** Somebody wants to sign in without a password. */
  'sign-in-link': ['link', 'expiresAt'],
  /** Somebody has forgotten their password. */
  'reset-password': ['link', 'expiresAt'],
  /** There is another password; `resetPage` is where to ask for a link, where it was not its owner who changed it. */
  'password-changed': ['changedAt', 'resetPage'],
  /** A link has shown whose the address is: what was set before is gone, since nobody knows who has set it. */
  'password-removed': ['removedAt', 'resetPage'],
  /** To an address that is to be an account's. */
  'change-email': ['link', 'expiresAt'],
  /** To the address of before, once it is: the link undoes it. */
  'email-changed': ['link', 'expiresAt'],
  /** To the new address, once it is. */
  'email-confirmed': ['changedAt'],
  /** To the address that a change had brought, once that is undone: there is no link in it. */
  'email-left': ['changedAt'],
  /** To the address of before, once it is the account's again. */
  'email-restored': ['changedAt'],
  /** A second factor was added; the link takes it back. */
  'factor-added': ['link', 'expiresAt', 'factor', 'addedAt', 'device', 'securityPage'],
  /** Its owner has removed one. */
  'factor-removed': ['factor', 'removedAt', 'device', 'securityPage', 'resetPage'],
  /** An administrator has removed all of them. */
  'factors-removed': ['removedAt', 'securityPage', 'resetPage'],
  /** The link of `factor-added` was used. */
  'factor-undone': ['undoneAt', 'securityPage'],
  /** A passkey counted backwards: somebody may have a copy. */
  'passkey-suspected': ['refusedAt', 'securityPage'],
  /** There are other recovery codes, without another factor. */
  'recovery-codes-renewed': ['renewedAt', 'device', 'codesPage', 'resetPage'],
  /** A refresh token came back that had been exchanged long ago: somebody has a copy. */
  'refresh-reused': ['endedAt'],
  /** The same has happened more often than is told one by one: the last of it for a while. */
  'more-changes': ['what', 'howOften', 'changedAt', 'activityPage', 'securityPage', 'resetPage'],
  /** Somebody has guessed too often. */
  'account-locked': ['link', 'expiresAt'],
  /** The same, where the account has a second factor: the link forgives nothing, but makes a device known. */
  'account-locked-second-factor': ['link', 'expiresAt'],
  /** An administrator has disabled the account. */
  'account-disabled': ['disabledAt'],
  /** An administrator has enabled it again. */
  'account-enabled': ['enabledAt'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The name of a mail. */
export type MailName = keyof typeof mailNames;

/** The name of a mail that brings a link. */
export type LinkMail = {
  [Name in MailName]: 'link' extends (typeof mailNames)[Name][number] ? Name : never;
}[MailName];

/** What a mail's template may name, by its names; but for a link, which is made when the mail is sent. */
export type MailParams<Name extends MailName> = Name extends MailName
  ? Readonly<Record<Exclude<(typeof mailNames)[Name][number], 'link'>, string>>
  : never;
