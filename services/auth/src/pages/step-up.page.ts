import { definePage, html, localPath, validateBody } from '@causeway/service';
import type { Html, Page, Route } from '@causeway/service';
import { z } from 'zod';

import type { AccountQueries } from '../accounts/account.model.ts';
import { parseEmailAddress } from '../accounts/email-address.ts';
import { typedCode } from '../factors/enrol-totp.route.ts';
import type { FactorQueries } from '../factors/factor.model.ts';
import { secondMethodsOf } from '../factors/second-methods.ts';
import { typedPassword } from '../passwords/password.ts';
import type { AskForLink } from '../proofs/ask-for-link.ts';
import { firstMethodsOf } from '../sessions/ask-for-proof.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { createStepUp, StepUpProof } from '../sessions/step-up.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, fieldHtml, layout, problemPage } from './layout.ts';
import type { Member, Members } from './members.ts';
import { afterSignIn, nextField, nextQuery, withNext } from './next.ts';
import { noticeHtml, noticeQuery, withNotice } from './notices.ts';
import { passkeyButton } from './passkey-button.ts';
import { codeHint, onlyPasskey, proofOf } from './second-factor.page.ts';

/** What {@link stepUpPages} are given. */
export interface StepUpPagesDependencies {
  readonly publicUrl: string;
  readonly members: Members;
  readonly accounts: Pick<AccountQueries, 'credentialsOf'>;
  readonly factorQueries: Pick<FactorQueries, 'activeOf'>;
  readonly stepUp: ReturnType<typeof createStepUp>;
  readonly askForLink: AskForLink;
  readonly cookies: Pick<CookieDelivery, 'cookiesOf' | 'deviceTokenOf'>;
}

const path = '/account/step-up';
const text = z.string().default('');
const form = z.object({ password: text, code: text, csrf: text, next: text });
const linkForm = z.object({ csrf: text, next: text });
const passwordFields = z.object({ password: typedPassword.min(1, 'This is required.') });
const codeFields = z.object({ code: typedCode });

interface Shown {
  readonly member: Member;
  readonly next: string;
  /** What the account has. */
  readonly methods: readonly string[];
  readonly done?: string | undefined;
  readonly failure?: FormFailure | undefined;
}

const linkPath = `${path}/link` as const;

const typedProof = ({ methods, failure }: Shown): Html | undefined => {
  const hint = codeHint(methods);
  if (hint !== undefined)
    return fieldHtml({
      ...{ name: 'code', label: 'Code', type: 'text', autocomplete: 'one-time-code', required: true },
      ...{ hint, wrong: failure?.fields.code },
    });
  if (!methods.includes('password')) return undefined;
  return fieldHtml({
    ...{ name: 'password', label: 'Password', type: 'password', required: true },
    ...{ autocomplete: 'current-password', wrong: failure?.fields.password },
  });
};

const mailedLink = ({ member: { csrf }, next, methods }: Shown): Html => html`
  <p>
    ${
      methods.includes('password')
        ? 'Or have a link mailed to you'
        : 'You have no password, so have a link mailed to you'
    },
    and open it in this browser: it signs you in anew.
  </p>
  <form method="post" action="${linkPath}">
    ${csrfField(csrf)} ${nextField(next)}
    <button ${methods.includes('password') && html`class="quiet"`} type="submit">Send me a link</button>
  </form>
`;

const page = (shown: Shown): Page => {
  const {
    member: { account, csrf },
    next,
    methods,
    done,
    failure,
  } = shown;
  const typed = typedProof(shown);
  return {
    title: 'Is it you?',
    body: html`${noticeHtml(done)} ${alertHtml(failure?.summary)}
      <p>
        What you are about to do could harm <strong>${account.email}</strong> in the wrong hands, so prove once more
        that it is you.
      </p>
      ${
        typed !== undefined &&
        html`<form method="post" action="${path}">
          ${typed} ${csrfField(csrf)} ${nextField(next)}
          <button type="submit">Go on</button>
        </form>`
      }
      ${typed === undefined && methods.includes('passkey') && onlyPasskey}
      ${
        methods.includes('passkey') &&
        passkeyButton({ deed: 'step-up', label: 'Use a passkey', next: next === '' ? '/account/security' : next })
      }
      ${methods.includes('link') && mailedLink(shown)}
      <p class="more"><a href="${withNext('/account/sign-in', next)}">Sign in anew instead</a></p>`,
  };
};

const proofIn = ({ account }: Member, { password, code }: z.output<typeof form>): StepUpProof => {
  if (account.hasSecondFactor) return proofOf((validateBody(codeFields, { code }) as z.output<typeof codeFields>).code);
  return { kind: 'password', ...(validateBody(passwordFields, { password }) as z.output<typeof passwordFields>) };
};

/** `/account/step-up`: whoever is signed in proves once more who they are, and goes on to where they were going */
export function stepUpPages(dependencies: StepUpPagesDependencies): Route[] {
  const { publicUrl, members, accounts, factorQueries, stepUp, askForLink, cookies } = dependencies;
  const common = { path, access: 'anonymous', layout, problemPage } as const;
  const localNext = (next: string | undefined): string => localPath(next, publicUrl) ?? '';
  const methodsOf = async ({ claims: { sub } }: Member): Promise<readonly string[]> => {
    const seconds = secondMethodsOf(await factorQueries.activeOf(sub));
    const account = seconds.length > 0 ? undefined : await accounts.credentialsOf(sub);
    return account === undefined ? seconds : firstMethodsOf(account);
  };
  const pageOf = async (member: Member, next: string, shown: Pick<Shown, 'done' | 'failure'> = {}): Promise<Page> =>
    page({ member, next, methods: await methodsOf(member), ...shown });
  return [
    definePage({
      ...common,
      method: 'get',
      operationId: 'stepUpPage',
      summary: 'Asks whoever is signed in to prove once more who they are',
      query: nextQuery.extend(noticeQuery.shape),
      handle: (call) => {
        const { next: given, done } = call.query;
        const next = localNext(given);
        return members.show(call, withNext(path, next), async (member) => ({
          page: await pageOf(member, next, { done }),
        }));
      },
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: 'stepUpByForm',
      summary: 'Takes a proof of whoever is signed in',
      form,
      handle: (call) => {
        const next = localNext(call.body.next);
        return members.act(call, {
          ...{ at: withNext(path, next), csrf: call.body.csrf },
          words: { 'invalid-credentials': 'The password is not right.' },
          page: (member, failure) => pageOf(member, next, { failure }),
          async work(member) {
            const { sub: accountId, sid: sessionId, acr } = member.claims;
            const { clientIp: ip, signal } = call;
            const command = { accountId, sessionId, acr, proof: proofIn(member, call.body), ip, signal };
            const { tokens } = await stepUp(member.cause, command);
            return { seeOther: afterSignIn(next, publicUrl), headers: { 'Set-Cookie': cookies.cookiesOf(tokens) } };
          },
        });
      },
    }),
    definePage({
      ...common,
      path: linkPath,
      method: 'get',
      operationId: 'stepUpLinkPage',
      summary: 'Leads to where a proof is asked for',
      handle: () => ({ seeOther: path }),
    }),
    definePage({
      ...common,
      path: linkPath,
      method: 'post',
      operationId: 'sendStepUpLinkByForm',
      summary: 'Has a link mailed to whoever is signed in, which signs them in anew',
      form: linkForm,
      handle: (call) => {
        const next = localNext(call.body.next);
        return members.act(call, {
          ...{ at: withNext(path, next), csrf: call.body.csrf },
          page: (member, failure) => pageOf(member, next, { failure }),
          async work({ account, cause }) {
            const email = parseEmailAddress(account.email);
            const asked = {
              kind: 'sign-in-link',
              ip: call.clientIp,
              deviceToken: cookies.deviceTokenOf(call),
            } as const;
            if (email !== undefined) await askForLink(cause, { ...asked, email });
            return { seeOther: withNext(withNotice(path, 'link-sent'), next) };
          },
        });
      },
    }),
  ];
}
