/** Where a guess is made. All paths to an account are counted together. */
export type GuessPath = 'password' | 'totp' | 'recovery-code';

/** A guess, before anything of it is looked at. */
export interface Guess {
  /** The `key` of the e-mail address, whether or not there is such an account. */
  readonly emailKey: string;
  readonly path: GuessPath;
  /** The caller's address. */
  readonly ip?: string | undefined;
  /** Names the device, where it has shown that the account was signed in from it before. */
  readonly device?: string | undefined;
}
