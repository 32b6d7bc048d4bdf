import { definePage, html } from '@causeway/service';
import type { Page, Route } from '@causeway/service';
import { z } from 'zod';

import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { EndSession } from '../sessions/end-session.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, layout, problemPage } from './layout.ts';
import type { Member, Members } from './members.ts';
import { noticeHtml, noticeQuery, withNotice } from './notices.ts';

/** What {@link securityPages} are given. */
export interface SecurityPagesDependencies {
  readonly members: Members;
  readonly endSession: EndSession;
  readonly cookies: Pick<CookieDelivery, 'cleared'>;
}

const form = z.object({ csrf: z.string().default('') });

interface Shown {
  readonly done?: string | undefined;
  readonly failure?: FormFailure;
}

const page = ({ account, csrf }: Member, { done, failure }: Shown): Page => ({
  title: 'Your account',
  body: html`${noticeHtml(done)} ${alertHtml(failure?.summary)}
    <p>You are signed in as <strong>${account.email}</strong>.</p>
    <form method="post" action="/account/sign-out">
      ${csrfField(csrf)}
      <button type="submit">Sign out</button>
    </form>`,
});

/** `/account`, `/account/security`, and the way out */
export function securityPages({ members, endSession, cookies }: SecurityPagesDependencies): Route[] {
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
      query: noticeQuery,
      handle: (call) => members.show(call, '/account/security', (member) => ({ page: page(member, call.query) })),
    }),
    definePage({
      ...common,
      method: 'post',
      path: '/account/sign-out',
      operationId: 'signOutByForm',
      summary: 'Signs out',
      form,
      handle: (call) =>
        members.act(call, {
          at: '/account/security',
          csrf: call.body.csrf,
          page: (member, failure) => page(member, { failure }),
          async work({ claims: { sid: sessionId, sub: accountId }, cause }) {
            await endSession(cause, { sessionId, accountId, reason: 'signed-out' });
            const headers = { 'Set-Cookie': cookies.cleared(call) };
            return { seeOther: withNotice('/account/sign-in', 'signed-out'), headers };
          },
        }),
    }),
  ];
}
