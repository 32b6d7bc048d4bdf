import { Fault } from '@causeway/contracts';
import { cookieNames, cookieOf, createIsSameOrigin } from '@causeway/service';
import type { AccessClaims, Call, Identity } from '@causeway/service';

import { authenticationOf } from '../sessions/authentication.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { PeekSession } from '../sessions/peek-session.ts';
import type { createRefresh } from '../sessions/refresh.ts';

/** Somebody who is signed in, by the cookies of their browser. */
export interface KnownVisitor {
  readonly claims: Pick<AccessClaims, 'sub' | 'sid' | 'roles' | 'acr' | 'authTime' | 'accountVersion'>;
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
  readonly peekSession: PeekSession;
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
 * Makes what knows the visitor of a page. A session outlives the five minutes of an access token without a word: whoever comes from a page
 * of ours, or by themselves, with a live refresh token gets the next pair. Where another site may have led them here the refresh token says
 * who they are and stays what it is: no page but ours has a token exchanged, as often as it likes and into answers that nobody waits for.
 */
export const createWhoIsIt = (dependencies: WhoIsItDependencies): WhoIsIt => {
  const { publicUrl, identity, refresh, peekSession, cookies } = dependencies;
  const names = cookieNames(publicUrl);
  const isSameOrigin = createIsSameOrigin(publicUrl);

  const peek = async (token: string): Promise<KnownVisitor | undefined> => {
    const found = await peekSession(token);
    if (found === undefined) return undefined;
    const { session, account } = found;
    const { acr, authTime } = authenticationOf(session);
    const { accountVersion = 1 } = session;
    const ids = { sub: account._id, sid: session._id, roles: account.roles, accountVersion };
    return { claims: { ...ids, acr, authTime: Math.floor(authTime.getTime() / 1000) }, headers: {} };
  };

  return async ({ headers, cause }) => {
    const access = cookieOf(headers.cookie, names.access);
    const known = await unlessOver(() => identity.authenticate(access === undefined ? undefined : `Bearer ${access}`));
    if (known !== undefined) return { claims: known, headers: {} };
    const token = cookieOf(headers.cookie, names.refresh);
    if (token === undefined) return undefined;
    if (!isSameOrigin({ headers })) return peek(token);
    const refreshed = await unlessOver(() => refresh(cause, token));
    if (refreshed === undefined) return undefined;
    const { tokens } = refreshed;
    const claims = await unlessOver(() => identity.authenticate(`Bearer ${tokens.accessToken}`));
    return claims === undefined ? undefined : { claims, headers: { 'Set-Cookie': cookies.cookiesOf(tokens) } };
  };
};
