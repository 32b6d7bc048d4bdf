import { html } from '@causeway/service';
import type { Html, Route } from '@causeway/service';

import type { DeviceTokens } from '../guessing/device-token.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { RedeemLink } from '../sessions/redeem-link.ts';
import { answerMfaRequired, answerSignedIn, deviceOf } from '../sessions/signed-in-answer.ts';
import type { EnteredBody } from '../sessions/signed-in-answer.ts';
import { linkPages } from './link.page.ts';
import type { LinkPagesDependencies, OpenedLink } from './link.page.ts';
import { linkRequestPages } from './link-request.page.ts';
import type { LinkRequestDependencies } from './link-request.page.ts';
import { secondFactorPage } from './second-factor.page.ts';

/** What {@link signInLinkPages} are given. */
export interface SignInLinkPagesDependencies extends LinkPagesDependencies, LinkRequestDependencies {
  readonly redeemLink: RedeemLink;
  readonly cookies: CookieDelivery;
  readonly deviceTokens: DeviceTokens;
}

const body = ({ proof, member }: OpenedLink): Html => html`
  <p>As <strong>${proof.email}</strong>, in this browser.</p>
  ${
    member !== undefined &&
    member.claims.sub !== proof.accountId &&
    html`<p class="hint">You are signed in as ${member.account.email}: that session ends.</p>`
  }
`;

/** `/account/link/{token}`, and `/account/link`, to have the link mailed */
export const signInLinkPages = (dependencies: SignInLinkPagesDependencies): Route[] => {
  const { redeemLink, cookies, deviceTokens, ...given } = dependencies;
  return [
    ...linkRequestPages(
      { ...given, cookies },
      {
        ...{ kind: 'sign-in-link', name: 'link', operationId: 'sendSignInLink' },
        title: 'Sign in by mail',
        explanation: 'The link in the mail signs you in without your password.',
      },
    ),
    ...linkPages(given, {
      ...{ kinds: ['sign-in-link'], name: 'link', operationId: 'redeemSignInLink' },
      title: 'Sign in',
      ...{ body, button: 'Sign in' },
      another: html`<p><a href="/account/link">Have another link mailed</a></p>`,
      words: { 'invalid-credentials': 'The account has changed meanwhile. Have another link mailed.' },
      async work(call, { token, csrf }) {
        const answer = await cookies.deliver<EnteredBody>(call, 'cookies', async () => {
          const entered = await redeemLink(call.cause, { token, device: deviceOf(call) });
          return entered.status === 'signed-in' ? answerSignedIn(entered, deviceTokens) : answerMfaRequired(entered);
        });
        if ('mfaToken' in answer.body) {
          const { mfaToken: ticket, methods } = answer.body;
          return { page: secondFactorPage({ csrf, next: '', ticket, methods }) };
        }
        return { seeOther: '/account/security', headers: answer.headers };
      },
    }),
  ];
};
