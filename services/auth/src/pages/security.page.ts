import { definePage, html } from '@causeway/service';
import type { Html, Page, Route } from '@causeway/service';
import { z } from 'zod';

import type { AccountQueries } from '../accounts/account.model.ts';
import type { FactorDocument, FactorQueries } from '../factors/factor.model.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { EndSession } from '../sessions/end-session.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, memberLayout, memberProblemPage } from './layout.ts';
import type { Member, Members } from './members.ts';
import { passkeyButton } from './passkey-button.ts';
import { noticeHtml, noticeQuery, withNotice } from './notices.ts';
import { timeHtml } from './time.ts';

/** What {@link securityPages} are given. */
export interface SecurityPagesDependencies {
  /** Whether mails end in a mailbox here, which administrators may look into. */
  readonly hasMailbox: boolean;
  readonly members: Members;
  readonly accounts: Pick<AccountQueries, 'credentialsOf'>;
  readonly factorQueries: Pick<FactorQueries, 'activeOf'>;
  readonly endSession: EndSession;
  readonly cookies: Pick<CookieDelivery, 'cleared'>;
}

const path = '/account/security';
const form = z.object({ csrf: z.string().default('') });

interface Shown {
  readonly member: Member;
  readonly factors: readonly FactorDocument[];
  readonly hasPassword: boolean;
  readonly hasMailbox: boolean;
  readonly done?: string | undefined;
  readonly failure?: FormFailure;
}

const emailPanel = ({ account, csrf }: Member): Html => html`
  <section class="panel" aria-labelledby="email">
    <h2 id="email">E-mail address</h2>
    <p>
      You are signed in as <strong>${account.email}</strong>
      ${account.emailVerified ? html`<span class="tag good">Verified</span>` : html`<span class="tag">Not verified</span>`}
    </p>
    ${
      !account.emailVerified &&
      html`<p class="hint">Somebody who forgets their password needs an address that is theirs.</p>
        <form class="deeds" method="post" action="/account/verify">
          <input type="hidden" name="email" value="${account.email}" /> ${csrfField(csrf)}
          <button class="quiet" type="submit">Send me a link to verify it</button>
        </form>`
    }
    <p class="deeds">
      <a class="button quiet" href="/account/email">Change it<span class="unseen"> to another address</span></a>
    </p>
  </section>
`;

const passwordPanel = (hasPassword: boolean): Html => html`
  <section class="panel" aria-labelledby="password">
    <h2 id="password">Password</h2>
    <p>
      ${hasPassword ? 'A new one signs you out everywhere else.' : 'You have none: a mailed link signs you in, or a passkey.'}
    </p>
    <p class="deeds"><a class="button quiet" href="/account/password">${hasPassword ? 'Change it' : 'Set one'}</a></p>
  </section>
`;

const remainingIn = ({ codes = [] }: FactorDocument): string =>
  `${codes.filter(({ usedAt }) => usedAt === undefined).length} of ${codes.length} left`;

const factorRow = (factor: FactorDocument): Html => html`
  <li>
    <div>
      <p>
        <strong>${factor.name}</strong>
        ${factor.suspectedAt !== undefined && html`<span class="tag">Maybe copied: remove it</span>`}
      </p>
      <p class="when">
        Added
        ${timeHtml(factor.createdAt)}${factor.lastUsedAt !== undefined && html`, last used ${timeHtml(factor.lastUsedAt)}`}
      </p>
    </div>
    <a class="button quiet" href="/account/factors/${factor._id}">Change<span class="unseen"> ${factor.name}</span></a>
  </li>
`;

const codesRow = (factor: FactorDocument): Html => html`
  <li>
    <div>
      <p><strong>${factor.name}</strong> <span class="tag">${remainingIn(factor)}</span></p>
      <p class="when">Each stands in once for a second factor that you have lost.</p>
    </div>
    <a class="button quiet" href="/account/recovery-codes">Make new ones</a>
  </li>
`;

const factorsPanel = ({ factors, hasPassword }: Pick<Shown, 'factors' | 'hasPassword'>): Html => {
  const hasTotp = factors.some(({ kind }) => kind === 'totp');
  return html`
    <section class="panel" aria-labelledby="factors">
      <h2 id="factors">Second factor</h2>
      ${
        factors.length === 0
          ? html`<p>
              Whoever ${hasPassword ? 'finds out your password' : 'reads your mail'} is in. A second factor keeps them
              out.
            </p>`
          : html`<ul class="rows">
              ${factors.map((factor) => (factor.kind === 'recovery-codes' ? codesRow(factor) : factorRow(factor)))}
            </ul>`
      }
      ${!hasTotp && html`<p class="deeds"><a class="button" href="/account/authenticator">Add an authenticator app</a></p>`}
      ${passkeyButton({ deed: 'register', label: 'Add a passkey', next: '/account/security' })}
    </section>
  `;
};

const mailboxPanel = html`
  <section class="panel" aria-labelledby="administration">
    <h2 id="administration">Administration</h2>
    <p class="deeds"><a class="button quiet" href="/mailbox">Mailbox</a></p>
  </section>
`;

const page = ({ member, factors, hasPassword, hasMailbox, done, failure }: Shown): Page => ({
  title: 'Security',
  body: html`${noticeHtml(done)} ${alertHtml(failure?.summary)} ${emailPanel(member)} ${passwordPanel(hasPassword)}
    ${factorsPanel({ factors, hasPassword })} ${hasMailbox && member.claims.roles.includes('admin') && mailboxPanel}
    <form method="post" action="/account/sign-out">
      ${csrfField(member.csrf)}
      <button class="quiet" type="submit">Sign out</button>
    </form>`,
});

/** `/account`, `/account/security`, and the way out */
export function securityPages(dependencies: SecurityPagesDependencies): Route[] {
  const { hasMailbox, members, accounts, factorQueries, endSession, cookies } = dependencies;
  const common = { access: 'anonymous', layout: memberLayout(path), problemPage: memberProblemPage } as const;
  const pageOf = async (member: Member, shown: Pick<Shown, 'done' | 'failure'>): Promise<Page> => {
    const { sub } = member.claims;
    const [factors, account] = await Promise.all([factorQueries.activeOf(sub), accounts.credentialsOf(sub)]);
    return page({ member, hasMailbox, factors, hasPassword: account?.passwordHash !== undefined, ...shown });
  };

  return [
    definePage({
      ...common,
      method: 'get',
      path: '/account',
      operationId: 'accountPage',
      summary: 'Leads to the page of the account',
      handle: () => ({ seeOther: path }),
    }),
    definePage({
      ...common,
      method: 'get',
      path,
      operationId: 'securityPage',
      summary: 'How the account of whoever is signed in is kept safe',
      query: noticeQuery,
      handle: (call) => members.show(call, path, async (member) => ({ page: await pageOf(member, call.query) })),
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
          at: path,
          csrf: call.body.csrf,
          page: (member, failure) => pageOf(member, { failure }),
          async work({ claims: { sid: sessionId, sub: accountId }, cause }) {
            await endSession(cause, { sessionId, accountId, reason: 'signed-out' });
            const headers = { 'Set-Cookie': cookies.cleared(call) };
            return { seeOther: withNotice('/account/sign-in', 'signed-out'), headers };
          },
        }),
    }),
  ];
}
