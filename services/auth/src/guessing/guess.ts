/** Where a guess is made. All paths to an account are counted together. */
export type GuessPath = 'password' | 'totp' | 'recovery-code';

/** A device whose guesses are counted apart from those of strangers, and from those of other devices. */
export interface KnownDevice {
  /** Names it among the account's. */
  readonly name: string;
  /** By how much was shown there. Whoever shows little makes as many devices known by it as they please, and none that are known by more. */
  readonly budget: KnownBy;
}

/**
 * By what an account knows a device: `mailed` where its owner's mail is read there, `known` where it was signed in to from there, and `proven`
 * where the second factor was shown for that.
 */
export type KnownBy = 'mailed' | 'known' | 'proven';

/** The device of a session, by its token: somebody has signed in from there. */
export const deviceOfToken = ({
  sid,
  acr,
}: {
  readonly sid: string;
  readonly acr?: string | undefined;
}): KnownDevice => ({
  name: sid,
  budget: acr === 'aal2' ? 'proven' : 'known',
});

/**
 * By what a device is known from which a link was used in a session of the account, or with its password.
 *
 * @param token - of whoever is signed in there, which may be somebody else
 */
export const knownByLink = (
  token: { readonly sub: string; readonly acr?: string | undefined } | undefined,
  accountId: string | undefined,
): KnownBy => (token?.sub === accountId && token?.acr === 'aal2' ? 'proven' : 'known');

/** A guess, before anything of it is looked at. */
export interface Guess {
  /** The `key` of the e-mail address, whether or not there is such an account. */
  readonly emailKey: string;
  readonly path: GuessPath;
  /** The caller's address. */
  readonly ip?: string | undefined;
  /** As what the caller is known, the best first: where one has no place left the next is tried, and at last strangers' places. */
  readonly devices?: readonly KnownDevice[] | undefined;
}
