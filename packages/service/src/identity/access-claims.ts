/** What a verified access token says (RFC 9068 §2.2, and ours: `sid`, `roles`, `org`, `av`). */
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
  /** How surely the caller is who they say (RFC 9470 §4): `aal1`, or `aal2` where there were two factors (NIST SP 800-63B §2). */
  readonly acr?: string;
  /** How they proved it (RFC 8176). */
  readonly amr?: readonly string[];
  /** When they last did, in seconds since 1970: a refresh makes it no younger. */
  readonly authTime?: number;
  /** `av`: how often before this token the account has lost rights or changed its credentials. 0 in tokens of an earlier release. */
  readonly accountVersion: number;
  /** Seconds since 1970. */
  readonly iat: number;
  /** Seconds since 1970. */
  readonly exp: number;
}
