import { html, validateBody } from '@causeway/service';
import type { Call, Html, PageAnswer, Route } from '@causeway/service';
import { z } from 'zod';

import type { CompleteSignUp } from '../accounts/complete-sign-up.ts';
import type { VerifyEmail } from '../accounts/verify-email.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
import { typedPassword } from '../passwords/password.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { answerSignedIn, deviceOf } from '../sessions/signed-in-answer.ts';
import { fieldHtml } from './layout.ts';
import { linkPages } from './link.page.ts';
import type { LinkPagesDependencies, OpenedLink, UsedLink } from './link.page.ts';
import { linkRequestPages } from './link-request.page.ts';
import type { LinkRequestDependencies } from './link-request.page.ts';
import { withNotice } from './notices.ts';

/** What {@link verifyPages} are given. */
export interface VerifyPagesDependencies extends LinkPagesDependencies, LinkRequestDependencies {
  readonly verifyEmail: VerifyEmail;
  readonly completeSignUp: CompleteSignUp;
  readonly deviceTokens: DeviceTokens;
  readonly cookies: CookieDelivery;
}

const fields = z.object({ password: typedPassword.min(1, 'This is required.') });

const isSignUp = ({ proof }: OpenedLink): boolean => proof.kind === 'sign-up';

const isOwn = ({ proof, member }: OpenedLink): boolean => member !== undefined && member.claims.sub === proof.accountId;

/** The link says who reads the mail, and not who signed up: that takes the account's session or its password, where one was chosen. */
const takesPassword = (opened: OpenedLink): boolean =>
  isSignUp(opened) ? opened.proof.passwordHash !== undefined : !isOwn(opened);

const body = (opened: OpenedLink): Html => html`
  <p>Is <strong>${opened.proof.email}</strong> your address, and did you sign up with it?</p>
  ${
    takesPassword(opened) &&
    fieldHtml({
      ...{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', required: true },
      hint: 'The one that you chose when you signed up. If you did not, close this page: nothing happens.',
      wrong: opened.failure?.fields.password,
    })
  }
  ${
    isSignUp(opened) &&
    opened.member !== undefined &&
    html`<p class="hint">You are signed in as ${opened.member.account.email}: that session ends.</p>`
  }
`;

/** `/account/verify/{token}`, and `/account/verify`, to have the link mailed once more */
export const verifyPages = (dependencies: VerifyPagesDependencies): Route[] => {
  const { verifyEmail, completeSignUp, deviceTokens, cookies, ...given } = dependencies;

  const signUp = async (call: Call, token: string, password: string | undefined): Promise<PageAnswer> => {
    const command = { token, password, device: deviceOf(call), signal: call.signal };
    const { headers } = await cookies.deliver(call, 'cookies', async () =>
      answerSignedIn(await completeSignUp(call.cause, command), deviceTokens),
    );
    return { seeOther: '/account/security', headers };
  };

  const work = async (call: Call, used: UsedLink): Promise<PageAnswer> => {
    const { token, member, password: typed } = used;
    const { password } = takesPassword(used)
      ? (validateBody(fields, { password: typed }) as z.output<typeof fields>)
      : { password: undefined };
    if (isSignUp(used)) return signUp(call, token, password);
    const { cause, clientIp: ip, signal } = call;
    await verifyEmail(cause, { token, callerId: member?.claims.sub, ip, signal, password });
    const headers = { 'Set-Cookie': cookies.deviceCookieOf(deviceTokens.issue(used.proof.emailKey)) };
    return { seeOther: withNotice(isOwn(used) ? '/account/security' : '/account/sign-in', 'email-verified'), headers };
  };

  return [
    ...linkRequestPages(given, {
      ...{ kind: 'verify-email', name: 'verify', operationId: 'sendVerification' },
      title: 'Verify your address',
      explanation: 'The link in the mail says that the address is yours.',
    }),
    ...linkPages(given, {
      ...{ kinds: ['verify-email', 'sign-up'], name: 'verify', operationId: 'verifyEmail' },
      title: 'Verify your address',
      ...{ body, button: 'Yes, go on' },
      another: html`<p>
        <a href="/account/verify">Have another link mailed</a>, or <a href="/account/sign-up">sign up</a> once more
      </p>`,
      words: { 'invalid-credentials': 'The password is not right.' },
      work,
    }),
  ];
};
