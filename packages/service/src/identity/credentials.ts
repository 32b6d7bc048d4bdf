import type { IncomingMessage } from 'node:http';
import { defineFault } from '@causeway/contracts';

import { cookieNames, cookieOf } from '../http/cookies.ts';
import { asksForWebSocket } from '../http/upgrade.ts';

/** A write that a page of another site may have made a browser send. */
export const crossSite = defineFault({
  code: 'cross-site',
  category: 'forbidden',
  title: 'This came from a page of another site',
  description:
    'A call that changes something and is signed in by a cookie is taken from pages of this origin alone: the browser says so in `Sec-Fetch-Site` or `Origin`. Clients that are no browser send an access token in the Authorization header.',
});

/** Who a request says that it is from. */
export interface Credentials {
  /**
   * The `Authorization` header; where there is none, the access token of the cookie in its place. For a WebSocket the header alone: any page
   * may make a browser open one, cookies and all, and could read what comes of it.
   *
   * @returns undefined where there is neither
   * @throws Fault `cross-site` where a cookie alone would sign in a write that may be another site's; `invalid-request` where the cookie
   *   came twice
   */
  authorizationOf(request: Pick<IncomingMessage, 'headers' | 'method'>): string | undefined;
}

/** RFC 9110 §9.2.1: what these do, a page of another site may make a browser do, and cannot read. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a browser says of pages of this origin, and of what a person typed into it themselves (Fetch Metadata, §2.3). */
const ownSites = new Set(['same-origin', 'none']);

/** Refuses whatever a page of another site may have made a browser send. */
export type DemandSameOrigin = (request: Pick<IncomingMessage, 'headers'>) => void;

/**
 * Makes what tells requests of our own pages from those that a page of another site may have made a browser send. Browsers say themselves
 * where a request comes from, and no script can say otherwise: `Sec-Fetch-Site`, or `Origin` in those that do not know it and over plain
 * HTTP. Where neither is said, it may be anybody's.
 *
 * @param publicUrl - whose origin is ours
 */
export const createIsSameOrigin = (publicUrl: string): ((request: Pick<IncomingMessage, 'headers'>) => boolean) => {
  const { origin: own } = new URL(publicUrl);
  return ({ headers: { 'sec-fetch-site': site, origin } }) =>
    typeof site === 'string' ? ownSites.has(site) : origin === own;
};

/**
 * Makes the check against writes of other sites (CSRF). A request that does not say where it is from is no browser's, and can send a token
 * instead.
 *
 * @param publicUrl - whose origin is ours
 * @returns throws fault `cross-site`
 */
export const createDemandSameOrigin = (publicUrl: string): DemandSameOrigin => {
  const isSameOrigin = createIsSameOrigin(publicUrl);
  return (request) => {
    if (isSameOrigin(request)) return;
    throw crossSite({ message: 'neither Sec-Fetch-Site nor Origin says that it is from a page of ours' });
  };
};

/**
 * Reads who a request is from: a token in the `Authorization` header wins, since no page can make a browser send one.
 *
 * @param publicUrl - where clients reach us: the cookie's name and our origin follow from it
 */
export const createCredentials = (publicUrl: string): Credentials => {
  const { access } = cookieNames(publicUrl);
  const demandSameOrigin = createDemandSameOrigin(publicUrl);
  return {
    authorizationOf: (request) => {
      const { authorization, cookie } = request.headers;
      if (authorization !== undefined || cookie === undefined || asksForWebSocket(request)) return authorization;
      const token = cookieOf(cookie, access);
      if (token === undefined) return undefined;
      if (!safeMethods.has(request.method ?? '')) demandSameOrigin(request);
      return `Bearer ${token}`;
    },
  };
};
