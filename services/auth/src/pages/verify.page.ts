import { html, validateBody } from '@causeway/service';
import type { Html, Route } from '@causeway/service';
import { z } from 'zod';

import type { VerifyEmail } from '../accounts/verify-email.ts';
import { typedPassword } from '../passwords/password.ts';
import { fieldHtml } from './layout.ts';
import { linkPages } from './link.page.ts';
import type { LinkPagesDependencies, OpenedLink } from './link.page.ts';
import { linkRequestPages } from './link-request.page.ts';
import type { LinkRequestDependencies } from './link-request.page.ts';
import { withNotice } from './notices.ts';

/** What {@link verifyPages} are given. */
export interface VerifyPagesDependencies extends LinkPagesDependencies, LinkRequestDependencies {
  readonly verifyEmail: VerifyEmail;
}

const fields = z.object({ password: typedPassword.min(1, 'This is required.') });

const isOwn = ({ proof, member }: OpenedLink): boolean => member?.claims.sub === proof.accountId;

/** The link says who reads the mail, and not who has made the account: that takes its session or its password. */
const body = (opened: OpenedLink): Html => html`
  <p>Is <strong>${opened.proof.email}</strong> your address, and did you sign up with it?</p>
  ${
    !isOwn(opened) &&
    fieldHtml({
      ...{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', required: true },
      hint: 'The one that you chose when you signed up. If you did not, close this page: nothing happens.',
      wrong: opened.failure?.fields.password,
    })
  }
`;

/** `/account/verify/{token}`, and `/account/verify`, to have the link mailed once more */
export const verifyPages = ({ verifyEmail, ...given }: VerifyPagesDependencies): Route[] => [
  ...linkRequestPages(given, {
    ...{ kind: 'verify-email', name: 'verify', operationId: 'sendVerification' },
    title: 'Verify your address',
    explanation: 'The link in the mail says that the address is yours.',
  }),
  ...linkPages(given, {
    ...{ kind: 'verify-email', name: 'verify', operationId: 'verifyEmail' },
    title: 'Verify your address',
    ...{ body, button: 'Yes, verify it' },
    another: html`<p><a href="/account/verify">Have another link mailed</a></p>`,
    words: { 'invalid-credentials': 'The password is not right.' },
    async work({ cause, clientIp: ip, signal }, used) {
      const { token, member, password } = used;
      const typed = isOwn(used) ? {} : (validateBody(fields, { password }) as z.output<typeof fields>);
      await verifyEmail(cause, { token, callerId: member?.claims.sub, ip, signal, ...typed });
      return { seeOther: withNotice(isOwn(used) ? '/account/security' : '/account/sign-in', 'email-verified') };
    },
  }),
];
