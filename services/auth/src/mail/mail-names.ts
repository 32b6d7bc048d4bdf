/**
 * Every mail that this service sends, and what its template may name beside `site` and `email`, which all of them may. A new one is a
 * row here and a folder of `templates/mail`.
 */
export const mailNames = {
  /** A refresh token came back that had been exchanged long ago: somebody has a copy. */
  'refresh-reused': ['endedAt'],
  /** An administrator has disabled the account. */
  'account-disabled': ['disabledAt'],
  /** An administrator has enabled it again. */
  'account-enabled': ['enabledAt'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The name of a mail. */
export type MailName = keyof typeof mailNames;

/** What a mail's template may name, by its names. */
export type MailParams<Name extends MailName> = Readonly<Record<(typeof mailNames)[Name][number], string>>;
