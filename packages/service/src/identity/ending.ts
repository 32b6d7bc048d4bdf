/** The end of access tokens before they expire. */
export type Ending = SessionEnding | AccountEnding;

/** A session is over: none of its tokens is taken any more. */
export interface SessionEnding {
  readonly sid: string;
  /** Since 1970: when the last of its tokens has expired everywhere. */
  readonly untilMs: number;
}

/** Something of an account has changed for the worse for who holds its tokens: those of an earlier version are not taken any more. */
export interface AccountEnding {
  readonly sub: string;
  /** The first version whose tokens are taken. */
  readonly below: number;
  /** Since 1970: when the last of the tokens that are refused has expired everywhere. */
  readonly untilMs: number;
}

/** `below`, where the account is gone: no token of it is taken any more. */
export const everyVersion = Number.MAX_SAFE_INTEGER;

/** What decides whether a token has ended: whose it is, and of which session. */
export interface TokenFacts {
  readonly sid: string;
  readonly sub: string;
  /** The account's, as of when the token was made; 0 where the token does not say. */
  readonly accountVersion?: number | undefined;
}
