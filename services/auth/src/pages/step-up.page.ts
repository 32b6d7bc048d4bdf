import { definePage, html, localPath, validateBody } from '@causeway/service';
import type { Page, Route } from '@causeway/service';
import { z } from 'zod';

import { typedCode } from '../factors/enrol-totp.route.ts';
import type { FactorQueries } from '../factors/factor.model.ts';
import { typedPassword } from '../passwords/password.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { createStepUp, StepUpProof } from '../sessions/step-up.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, fieldHtml, layout, problemPage } from './layout.ts';
import type { Member, Members } from './members.ts';
import { afterSignIn, nextField, nextQuery, withNext } from './next.ts';
import { passkeyButton } from './passkey-button.ts';
import { proofOf } from './second-factor.page.ts';

/** What {@link stepUpPages} are given. */
export interface StepUpPagesDependencies {
  readonly publicUrl: string;
  readonly members: Members;
  readonly factorQueries: Pick<FactorQueries, 'activeOf'>;
  readonly stepUp: ReturnType<typeof createStepUp>;
  readonly cookies: Pick<CookieDelivery, 'cookiesOf'>;
}

const path = '/account/step-up';
const text = z.string().default('');
const form = z.object({ password: text, code: text, csrf: text, next: text });
const passwordFields = z.object({ password: typedPassword.min(1, 'This is required.') });
const codeFields = z.object({ code: typedCode });

interface Shown {
  readonly member: Member;
  readonly next: string;
  /** Kinds of factors that there are. */
  readonly kinds: readonly string[];
  readonly failure?: FormFailure | undefined;
}

const codeHint = (kinds: readonly string[]): string =>
  kinds.includes('totp')
    ? 'The six digits that your authenticator app shows, or one of your recovery codes.'
    : 'One of your recovery codes.';

const page = ({ member: { account, csrf }, next, kinds, failure }: Shown): Page => ({
  title: 'Is it you?',
  body: html`${alertHtml(failure?.summary)}
    <p>
      What you are about to do could harm <strong>${account.email}</strong> in the wrong hands, so prove once more that
      it is you.
    </p>
    <form method="post" action="${path}">
      ${
        account.hasSecondFactor
          ? fieldHtml({
              ...{ name: 'code', label: 'Code', type: 'text', autocomplete: 'one-time-code', required: true },
              hint: codeHint(kinds),
              wrong: failure?.fields.code,
            })
          : fieldHtml({
              ...{ name: 'password', label: 'Password', type: 'password', required: true },
              ...{ autocomplete: 'current-password', wrong: failure?.fields.password },
            })
      }
      ${csrfField(csrf)} ${nextField(next)}
      <button type="submit">Go on</button>
    </form>
    ${
      kinds.includes('passkey') &&
      passkeyButton({ deed: 'step-up', label: 'Use a passkey', next: next === '' ? '/account/security' : next })
    }
    <p class="more"><a href="${withNext('/account/sign-in', next)}">Sign in anew instead</a></p>`,
});

const proofIn = ({ account }: Member, { password, code }: z.output<typeof form>): StepUpProof => {
  if (account.hasSecondFactor) return proofOf((validateBody(codeFields, { code }) as z.output<typeof codeFields>).code);
  return { kind: 'password', ...(validateBody(passwordFields, { password }) as z.output<typeof passwordFields>) };
};

/** `/account/step-up`: whoever is signed in proves once more who they are, and goes on to where they were going */
export function stepUpPages(dependencies: StepUpPagesDependencies): Route[] {
  const { publicUrl, members, factorQueries, stepUp, cookies } = dependencies;
  const common = { path, access: 'anonymous', layout, problemPage } as const;
  const localNext = (next: string | undefined): string => localPath(next, publicUrl) ?? '';
  const pageOf = async (member: Member, next: string, failure?: FormFailure): Promise<Page> => {
    const kinds = (await factorQueries.activeOf(member.claims.sub)).map(({ kind }) => kind);
    return page({ member, next, kinds, failure });
  };
  return [
    definePage({
      ...common,
      method: 'get',
      operationId: 'stepUpPage',
      summary: 'Asks whoever is signed in to prove once more who they are',
      query: nextQuery,
      handle: (call) => {
        const next = localNext(call.query.next);
        return members.show(call, withNext(path, next), async (member) => ({ page: await pageOf(member, next) }));
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
          page: (member, failure) => pageOf(member, next, failure),
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
  ];
}
