import { definePage, html, validateBody } from '@causeway/service';
import type { Page, Route } from '@causeway/service';
import { z } from 'zod';

import type { AccountQueries } from '../accounts/account.model.ts';
import type { ChangePassword } from '../passwords/change-password.ts';
import { newPassword, typedPassword } from '../passwords/password.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, fieldHtml, memberLayout, memberProblemPage, newPasswordHtml } from './layout.ts';
import type { Member, Members } from './members.ts';
import { withNotice } from './notices.ts';

/** What {@link passwordPages} are given. */
export interface PasswordPagesDependencies {
  readonly members: Members;
  readonly accounts: Pick<AccountQueries, 'credentialsOf'>;
  readonly changePassword: ChangePassword;
  readonly cookies: Pick<CookieDelivery, 'cookiesOf' | 'deviceCookieOf'>;
}

const path = '/account/password';
const text = z.string().default('');
const form = z.object({ currentPassword: text, newPassword: text, csrf: text });
const fields = z.object({ currentPassword: typedPassword.min(1, 'This is required.').optional(), newPassword });

const page = ({ account, csrf }: Member, hasPassword: boolean, failure?: FormFailure): Page => ({
  title: hasPassword ? 'Change your password' : 'Set a password',
  body: html`${alertHtml(failure?.summary)}
    <section class="panel" aria-label="Password">
      <p>You are signed out everywhere else, and stay signed in here.</p>
      <form method="post" action="${path}">
        ${
          hasPassword &&
          fieldHtml({
            ...{ name: 'currentPassword', label: 'Current password', type: 'password', required: true },
            ...{ autocomplete: 'current-password', wrong: failure?.fields.currentPassword },
          })
        }
        ${newPasswordHtml({ name: 'newPassword', email: account.email, wrong: failure?.fields.newPassword })}
        ${csrfField(csrf)}
        <div class="deeds">
          <button type="submit">Set the new password</button>
          <a class="button quiet" href="/account/security">Leave it as it is</a>
        </div>
      </form>
      ${hasPassword && html`<p class="more">Forgotten it? <a href="/account/reset">Have a link mailed</a></p>`}
    </section>`,
});

/** `/account/password` */
export function passwordPages({ members, accounts, changePassword, cookies }: PasswordPagesDependencies): Route[] {
  const layout = memberLayout('/account/security');
  const common = { path, access: 'anonymous', layout, problemPage: memberProblemPage } as const;
  const hasPassword = async ({ claims }: Member): Promise<boolean> =>
    (await accounts.credentialsOf(claims.sub))?.passwordHash !== undefined;

  return [
    definePage({
      ...common,
      method: 'get',
      operationId: 'passwordPage',
      summary: 'The form to change a password with',
      handle: (call) => members.show(call, path, async (member) => ({ page: page(member, await hasPassword(member)) })),
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: 'changePasswordByForm',
      summary: 'Changes a password',
      form,
      handle: (call) =>
        members.act(call, {
          ...{ at: path, csrf: call.body.csrf },
          words: { 'invalid-credentials': 'The current password is not right.' },
          page: async (member, failure) => page(member, await hasPassword(member), failure),
          async work(member) {
            const { csrf: _, currentPassword, ...rest } = call.body;
            const given = (await hasPassword(member)) ? { ...rest, currentPassword } : rest;
            const typed = validateBody(fields, given) as z.output<typeof fields>;
            const { clientIp: ip, signal } = call;
            const command = { caller: member.claims, ...typed, ip, signal };
            const { tokens, deviceToken } = await changePassword(member.cause, command);
            const known = deviceToken === undefined ? [] : [cookies.deviceCookieOf(deviceToken)];
            const headers = { 'Set-Cookie': [...cookies.cookiesOf(tokens), ...known] };
            return { seeOther: withNotice('/account/security', 'password-changed'), headers };
          },
        }),
    }),
  ];
}
