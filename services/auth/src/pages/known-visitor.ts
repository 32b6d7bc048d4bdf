import { Fault } from '@causeway/contracts';
import { cookieNames, cookieOf } from '@causeway/service';
import type { AccessClaims, Call, Identity } from '@causeway/service';

import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { createRefresh } from '../sessions/refresh.ts';

/** Somebody who is signed in, by the cookies of their browser. */
export interface KnownVisitor {
  readonly claims: Pick<AccessClaims, 'sub' | 'sid'>;
  /** `Set-Cookie`, where the access token had expired and the refresh token has been exchanged. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** Knows who looks at a page; undefined where nobody is signed in. */
export type WhoIsIt = (call: Pick<Call, 'headers' | 'cause'>) => Promise<KnownVisitor | undefined>;

/** What {@link createWhoIsIt} is given. */
export interface WhoIsItDependencies {
  readonly publicUrl: string;
  readonly identity: Pick<Identity, 'authenticate'>;
  readonly refresh: ReturnType<typeof createRefresh>;
  readonly cookies: Pick<CookieDelivery, 'cookiesOf'>;
}

/** What is over, or was never good, is as good as nothing: a page asks to sign in. */
const unlessOver = async <Value>(work: () => Promise<Value> | Value): Promise<Value | undefined> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Fault && error.status === 401) return undefined;
    throw error;
  }
};

/**
 * Makes what knows the visitor of a page that only shows something. A session outlives the five minutes of an access token without a
 * word: whoever comes with a live refresh token gets the next pair. That may follow a link of another site: nothing but that is done.
 */
export const createWhoIsIt = ({ publicUrl, identity, refresh, cookies }: WhoIsItDependencies): WhoIsIt => {
  const names = cookieNames(publicUrl);
  return async ({ headers: { cookie }, cause }) => {
    const access = cookieOf(cookie, names.access);
    const known = await unlessOver(() => identity.authenticate(access === undefined ? undefined : `Bearer ${access}`));
    if (known !== undefined) return { claims: known, headers: {} };
    const token = cookieOf(cookie, names.refresh);
    const refreshed = token === undefined ? undefined : await unlessOver(() => refresh(cause, token));
    if (refreshed === undefined) return undefined;
    const { tokens } = refreshed;
    const claims = await unlessOver(() => identity.authenticate(`Bearer ${tokens.accessToken}`));
    return claims === undefined ? undefined : { claims, headers: { 'Set-Cookie': cookies.cookiesOf(tokens) } };
  };
};
