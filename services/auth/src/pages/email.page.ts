import { definePage, html, validateBody } from '@causeway/service';
import type { Html, Page, RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import type { ConfirmEmailChange } from '../accounts/email/confirm-email-change.ts';
import { emailAddress } from '../accounts/email-address.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
import { knownByLink } from '../guessing/guess.ts';
import { typedPassword } from '../passwords/password.ts';
import type { AskForLink } from '../proofs/ask-for-link.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, fieldHtml, memberLayout, memberProblemPage } from './layout.ts';
import { linkPages } from './link.page.ts';
import type { LinkPagesDependencies, OpenedLink } from './link.page.ts';
import type { Member, Members } from './members.ts';
import { noticeHtml, noticeQuery, withNotice } from './notices.ts';

/** What {@link emailPages} are given. */
export interface EmailPagesDependencies extends LinkPagesDependencies {
  readonly members: Members;
  readonly askForLink: AskForLink;
  readonly confirmEmailChange: ConfirmEmailChange;
  readonly deviceTokens: Pick<DeviceTokens, 'issue'>;
  readonly cookies: Pick<CookieDelivery, 'cookiesOf' | 'deviceCookieOf'>;
  /** For having the link mailed. */
  readonly recent: RecentAuthentication;
}

const path = '/account/email';
const text = z.string().default('');
const form = z.object({ email: text, csrf: text });
const addressFields = z.object({ email: emailAddress });
const passwordFields = z.object({ password: typedPassword.min(1, 'This is required.') });

interface Shown {
  readonly done?: string | undefined;
  readonly typed?: string;
  readonly failure?: FormFailure;
}

const page = ({ account, csrf }: Member, { done, typed, failure }: Shown): Page => ({
  title: 'Change your address',
  body: html`${noticeHtml(done)} ${alertHtml(failure?.summary)}
    <section class="panel" aria-label="E-mail address">
      <p>
        It is <strong>${account.email}</strong> now. The new one gets a link that confirms it; until then nothing
        changes.
      </p>
      <form method="post" action="${path}">
        ${fieldHtml({
          ...{ name: 'email', label: 'New e-mail address', type: 'email', autocomplete: 'email', required: true },
          ...{ value: typed, wrong: failure?.fields.email },
        })}
        ${csrfField(csrf)}
        <div class="deeds">
          <button type="submit">Send the link</button>
          <a class="button quiet" href="/account/security">Leave it as it is</a>
        </div>
      </form>
    </section>`,
});

const isOwn = ({ proof, member }: OpenedLink): boolean => member?.claims.sub === proof.accountId;

/** The link says who reads the mail, and not whose the account is: that takes its session or its password. */
const confirmation = (opened: OpenedLink): Html => html`
  <p>
    You sign in as <strong>${opened.proof.email}</strong> from then on, and are signed out everywhere else. The address
    of before is told, and may undo it.
  </p>
  ${
    !isOwn(opened) &&
    fieldHtml({
      ...{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', required: true },
      hint: 'The one of your account. If you have none here, close this page: nothing happens.',
      wrong: opened.failure?.fields.password,
    })
  }
`;

/** `/account/email`, to have a link mailed to another address, and `/account/email/{token}`, where it becomes that of the account */
export const emailPages = (dependencies: EmailPagesDependencies): Route[] => {
  const { members, askForLink, confirmEmailChange, deviceTokens, cookies, recent, ...given } = dependencies;
  const layout = memberLayout('/account/security');
  const common = { path, access: 'anonymous', layout, problemPage: memberProblemPage } as const;
  return [
    definePage({
      ...common,
      method: 'get',
      operationId: 'emailPage',
      summary: 'The form to change an address with',
      query: noticeQuery,
      handle: (call) => members.show(call, path, (member) => ({ page: page(member, call.query) }), recent),
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: 'requestEmailChangeByForm',
      summary: 'Has a link mailed to a new address',
      form,
      handle: (call) =>
        members.act(call, {
          ...{ at: path, csrf: call.body.csrf, recent },
          page: (member, failure) => page(member, { typed: call.body.email, failure }),
          async work({ cause, claims: { sub: accountId } }) {
            const { email } = validateBody(addressFields, { email: call.body.email }) as z.output<typeof addressFields>;
            await askForLink(cause, { kind: 'change-email', email, accountId, ip: call.clientIp });
            return { seeOther: withNotice(path, 'link-sent') };
          },
        }),
    }),
    ...linkPages(
      { ...given, members },
      {
        ...{ kinds: ['change-email'], name: 'email', operationId: 'confirmEmailChange' },
        title: 'Change your address',
        ...{ body: confirmation, button: 'Yes, change it' },
        another: html`<p><a href="${path}">Have another link mailed</a></p>`,
        words: {
          'invalid-credentials': 'The password is not right.',
          'email-taken': 'Another account has this address.',
        },
        async work({ cause, clientIp: ip, signal }, used) {
          const { token, member, password } = used;
          const own = isOwn(used);
          const typed = own ? {} : (validateBody(passwordFields, { password }) as z.output<typeof passwordFields>);
          const by = { callerId: member?.claims.sub, sessionId: member?.claims.sid, ip, signal };
          const { account, tokens } = await confirmEmailChange(cause, { token, ...typed, ...by });
          // In place of the one of before, which was for the address of before.
          const budget = knownByLink(member?.claims, account._id);
          const device = cookies.deviceCookieOf(deviceTokens.issue(account.emailKey, budget));
          const kept = tokens === undefined ? [] : cookies.cookiesOf(tokens);
          const next = own ? '/account/security' : '/account/sign-in';
          return { seeOther: withNotice(next, 'email-changed'), headers: { 'Set-Cookie': [...kept, device].flat() } };
        },
      },
    ),
  ];
};
