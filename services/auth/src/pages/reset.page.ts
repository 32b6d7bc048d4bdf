import { html, validateBody } from '@causeway/service';
import type { Html, Route } from '@causeway/service';
import { z } from 'zod';

import type { KnownDevices } from '../guessing/known-devices.ts';
import { newPassword } from '../passwords/password.ts';
import type { createResetPassword } from '../passwords/reset-password.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { newPasswordHtml } from './layout.ts';
import { linkPages } from './link.page.ts';
import type { LinkPagesDependencies, OpenedLink } from './link.page.ts';
import { linkRequestPages } from './link-request.page.ts';
import type { LinkRequestDependencies } from './link-request.page.ts';
import { withNotice } from './notices.ts';

/** What {@link resetPages} are given. */
export interface ResetPagesDependencies extends LinkPagesDependencies, LinkRequestDependencies {
  readonly resetPassword: ReturnType<typeof createResetPassword>;
  readonly knownDevices: Pick<KnownDevices, 'tokenByMail'>;
  readonly cookies: Pick<CookieDelivery, 'deviceCookieOf' | 'deviceTokenOf'>;
}

const fields = z.object({ password: newPassword });

const body = ({ proof, failure }: OpenedLink): Html => html`
  <p>For <strong>${proof.email}</strong>. You are signed out everywhere, and sign in with it from then on.</p>
  ${newPasswordHtml({ name: 'password', email: proof.email, wrong: failure?.fields.password })}
`;

/** `/account/reset/{token}`, and `/account/reset`, to have the link mailed */
export const resetPages = ({ resetPassword, knownDevices, cookies, ...given }: ResetPagesDependencies): Route[] => [
  ...linkRequestPages(
    { ...given, cookies },
    {
      ...{ kind: 'reset-password', name: 'reset', operationId: 'sendReset' },
      title: 'Forgotten your password?',
      explanation: 'By the link in the mail you choose another.',
    },
  ),
  ...linkPages(given, {
    ...{ kinds: ['reset-password'], name: 'reset', operationId: 'resetPassword' },
    title: 'Choose a new password',
    ...{ body, button: 'Set the new password' },
    another: html`<p><a href="/account/reset">Have another link mailed</a></p>`,
    async work(call, { token, password: typed }) {
      const { password } = validateBody(fields, { password: typed }) as z.output<typeof fields>;
      const { emailKey } = await resetPassword(call.cause, { token, password, signal: call.signal });
      const deviceToken = await knownDevices.tokenByMail(cookies.deviceTokenOf(call), emailKey);
      // For the sign-in that follows: whoever reads the mail is not locked out with those who guess.
      const headers = { 'Set-Cookie': cookies.deviceCookieOf(deviceToken) };
      return { seeOther: withNotice('/account/sign-in', 'password-reset'), headers };
    },
  }),
];
