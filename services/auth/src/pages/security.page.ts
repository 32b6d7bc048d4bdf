import { createDemandSameOrigin, definePage, html } from '@causeway/service';
import type { Page, Route } from '@causeway/service';
import { z } from 'zod';

import type { AccountQueries } from '../accounts/account.model.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { EndSession } from '../sessions/end-session.ts';
import type { WhoIsIt } from './known-visitor.ts';
import { layout, problemPage } from './layout.ts';
import type { Visitors } from './visitors.ts';

/** What {@link securityPages} are given. */
export interface SecurityPagesDependencies {
  readonly publicUrl: string;
  readonly visitors: Visitors;
  readonly whoIsIt: WhoIsIt;
  readonly accounts: Pick<AccountQueries, 'byId'>;
  readonly endSession: EndSession;
  readonly cookies: Pick<CookieDelivery, 'cleared'>;
}

const form = z.object({ csrf: z.string().default('') });

const page = (email: string, csrf: string): Page => ({
  title: 'Your account',
  body: html`<p>You are signed in as <strong>${email}</strong>.</p>
    <form method="post" action="/account/sign-out">
      <input type="hidden" name="csrf" value="${csrf}" />
      <button type="submit">Sign out</button>
    </form>`,
});

/** `/account`, `/account/security`, and the way out */
export function securityPages(dependencies: SecurityPagesDependencies): Route[] {
  const { publicUrl, visitors, whoIsIt, accounts, endSession, cookies } = dependencies;
  const demandSameOrigin = createDemandSameOrigin(publicUrl);
  const common = { access: 'anonymous', layout, problemPage } as const;
  return [
    definePage({
      ...common,
      method: 'get',
      path: '/account',
      operationId: 'accountPage',
      summary: 'Leads to the page of the account',
      handle: () => ({ seeOther: '/account/security' }),
    }),
    definePage({
      ...common,
      method: 'get',
      path: '/account/security',
      operationId: 'securityPage',
      summary: 'The account of whoever is signed in',
      async handle(call) {
        const known = await whoIsIt(call);
        const account = known === undefined ? undefined : await accounts.byId(known.claims.sub);
        if (known === undefined || account === undefined)
          return {
            seeOther: '/account/sign-in?next=%2Faccount%2Fsecurity',
            headers: { 'Set-Cookie': cookies.cleared(call) },
          };
        const visitor = visitors.of(call);
        const setCookie = [...Object.values(visitor.headers), ...(known.headers['Set-Cookie'] ?? [])];
        return { page: page(account.email, visitor.csrf), headers: { 'Set-Cookie': setCookie } };
      },
    }),
    definePage({
      ...common,
      method: 'post',
      path: '/account/sign-out',
      operationId: 'signOutByForm',
      summary: 'Signs out',
      form,
      async handle(call) {
        demandSameOrigin(call.request);
        // A page that had been open for too long shows where things stand, and signs out from there.
        if (!visitors.isOwn(call, call.body.csrf)) return { seeOther: '/account/security' };
        const known = await whoIsIt(call);
        if (known !== undefined) {
          const { sid: sessionId, sub: accountId } = known.claims;
          await endSession(call.cause, { sessionId, accountId, reason: 'signed-out' });
        }
        return { seeOther: '/account/sign-in', headers: { 'Set-Cookie': cookies.cleared(call) } };
      },
    }),
  ];
}
