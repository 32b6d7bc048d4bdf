import { faults } from '@causeway/contracts';

/** What our cookies are called, and whether they are for secure connections alone. */
export interface CookieNames {
  /** The access token. */
  readonly access: string;
  /** The refresh token: for auth alone. */
  readonly refresh: string;
  /** That somebody has signed in here before. */
  readonly device: string;
  /** Tells one visitor from another before anybody has signed in: what the token of a form is bound to. */
  readonly visitor: string;
  readonly secure: boolean;
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a browser may be given cookies at this address: over `https:`, or on this very machine.
 *
 * @param publicUrl - where clients reach us
 */
export const mayHaveCookies = (publicUrl: string): boolean => {
  const { protocol, hostname } = new URL(publicUrl);
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname));
};

/**
 * The names of our cookies. `__Host-` makes browsers refuse those that anybody else has set for us: a page of a sibling domain, or a
 * connection without TLS (RFC 6265bis, "The `__Host-` Prefix"). On a machine of one's own, over plain HTTP, not every browser takes it.
 *
 * @param publicUrl - where clients reach us
 */
export const cookieNames = (publicUrl: string): CookieNames => {
  const secure = new URL(publicUrl).protocol === 'https:';
  const named = (name: string): string => `${secure ? '__Host-' : ''}causeway-${name}`;
  return {
    access: named('access'),
    refresh: named('refresh'),
    device: named('device'),
    visitor: named('visitor'),
    secure,
  };
};

/**
 * A cookie that came with a request.
 *
 * @param header - `Cookie`, as it was sent: the server's limit for headers bounds it
 * @param name - exact
 * @returns its value; undefined where there is none
 * @throws Fault `invalid-request` where it came twice: only one of them can be ours
 */
export const cookieOf = (header: string | undefined, name: string): string | undefined => {
  // Most requests have none, or none of ours.
  if (!header?.includes(name)) return undefined;
  const start = `${name}=`;
  const found = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start));
  if (found.length > 1) throw faults.invalidRequest({ detail: `The cookie ${name} came more than once.` });
  const value = found[0]?.slice(start.length);
  return value === '' ? undefined : value;
};

/** A cookie to be set. */
export interface CookieToSet {
  readonly name: string;
  /** Letters, digits, `-`, `_` and `.` alone. */
  readonly value: string;
  /** 0 takes it away. */
  readonly maxAgeS: number;
  readonly secure: boolean;
}

/** RFC 6265 §4.1.1 allows more; ours need no more, and nothing that could end the value. */
const valueForm = /^[\w.-]*$/;

/**
 * The value of a `Set-Cookie` header: no script reads the cookie, and no form or frame of another site sends it.
 *
 * @param cookie - name and value
 */
export const setCookie = ({ name, value, maxAgeS, secure }: CookieToSet): string => {
  if (!valueForm.test(value)) throw new Error(`a value that cannot stand in the cookie ${name}`);
  return `${name}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
};
