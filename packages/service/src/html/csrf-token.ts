import { createHmac, timingSafeEqual } from 'node:crypto';

/** What {@link createCsrfTokens} is given. */
export interface CsrfTokenOptions {
  /** Of this use alone. */
  readonly secret: Buffer | Uint8Array;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How long a page may stay open before its form is sent. */
  readonly lifetimeMs?: number;
}

/** Makes and checks what a form of ours carries and a stranger's page cannot know. */
export interface CsrfTokens {
  /**
   * @param visitor - what tells one visitor from another and only their cookie holds: a session's id, or a random one before it
   */
  issue(visitor: string): string;
  /**
   * @param token - as the form brought it
   * @param visitor - as the cookie brought it
   * @returns whether the token was issued for this visitor, within its lifetime
   */
  check(token: unknown, visitor: string | undefined): boolean;
}

const hourMs = 3_600_000;

/** Seconds since 1970 in base 36, and a MAC in base64url. */
const form = /^([\da-z]{1,8})\.([\w-]{43})$/;

/**
 * Tokens against forms of other origins: signed double submit (OWASP, "Cross-Site Request Forgery Prevention"). Nothing is stored, and each
 * replica takes those of the others.
 *
 * @param options - secret, clock, lifetime
 */
export const createCsrfTokens = ({ secret, now = Date.now, lifetimeMs = hourMs }: CsrfTokenOptions): CsrfTokens => {
  // The length goes before the visitor: no two pairs are the same text.
  const macOf = (until: string, visitor: string): Buffer =>
    createHmac('sha256', secret).update(`${until}.${visitor.length}.${visitor}`).digest();
  return {
    issue: (visitor) => {
      const until = Math.floor((now() + lifetimeMs) / 1000).toString(36);
      return `${until}.${macOf(until, visitor).toString('base64url')}`;
    },
    check: (token, visitor) => {
      const [, until = '', mac = ''] = (typeof token === 'string' ? form.exec(token) : undefined) ?? [];
      if (visitor === undefined || visitor === '' || until === '') return false;
      const isOurs = timingSafeEqual(Buffer.from(mac, 'base64url'), macOf(until, visitor));
      return isOurs && Number.parseInt(until, 36) * 1000 > now();
    },
  };
};
