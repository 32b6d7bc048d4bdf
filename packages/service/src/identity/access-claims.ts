/** What a verified access token says (RFC 9068 §2.2, and ours: `sid`, `roles`, `org`). */
export interface AccessClaims {
  /** The account. */
  readonly sub: string;
  /** The session. */
  readonly sid: string;
  /** The token. */
  readonly jti: string;
  readonly clientId: string;
  readonly roles: readonly string[];
  /** Separated by spaces. */
  readonly scope?: string;
  /** The organisation that the caller acts in. */
  readonly org?: string;
  /** Seconds since 1970. */
  readonly iat: number;
  /** Seconds since 1970. */
  readonly exp: number;
}
