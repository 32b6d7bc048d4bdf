import { randomBytes } from 'node:crypto';

import { cookieNames, cookieOf, createCsrfTokens, setCookie } from '@causeway/service';
import type { Call } from '@causeway/service';

/** A browser that looks at a form, before or after anybody has signed in with it. */
export interface Visitor {
  /** For a field of the form that is hidden. */
  readonly csrf: string;
  /** `Set-Cookie`, where the browser is new. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Tells one browser from another, so that no form of another site is taken for one of ours. */
export interface Visitors {
  of(call: Pick<Call, 'headers'>): Visitor;
  /** Whether a form was made for this browser, not long ago. */
  isOwn(call: Pick<Call, 'headers'>, csrf: string): boolean;
}

/** A browser that comes back later is a new one: nothing is known of it. */
const maxAgeS = 86_400;

/** @param options - where clients reach us, and a secret of this use alone */
export function createVisitors({
  publicUrl,
  secret,
}: {
  readonly publicUrl: string;
  readonly secret: Buffer;
}): Visitors {
  const { visitor: name, secure } = cookieNames(publicUrl);
  const tokens = createCsrfTokens({ secret });
  return {
    of({ headers }) {
      const known = cookieOf(headers.cookie, name);
      const id = known ?? randomBytes(16).toString('base64url');
      const cookie = known === undefined ? { 'Set-Cookie': setCookie({ name, value: id, maxAgeS, secure }) } : {};
      return { csrf: tokens.issue(id), headers: cookie };
    },
    isOwn: ({ headers }, csrf) => tokens.check(csrf, cookieOf(headers.cookie, name)),
  };
}
