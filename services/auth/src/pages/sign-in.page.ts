import { definePage, html, localPath, validateBody } from '@causeway/service';
import type { Call, Page, PageAnswer, Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
import { typedPassword } from '../passwords/password.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { createSignIn } from '../sessions/sign-in.ts';
import { answerMfaRequired, answerSignedIn, deviceOf } from '../sessions/signed-in-answer.ts';
import type { EnteredBody } from '../sessions/signed-in-answer.ts';
import { failureOf, formExpired } from './form-failure.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, fieldHtml, layout, problemPage } from './layout.ts';
import { afterSignIn, nextField, nextQuery, withNext } from './next.ts';
import { noticeHtml, noticeQuery } from './notices.ts';
import { passkeyButton } from './passkey-button.ts';
import { secondFactorPage } from './second-factor.page.ts';
import type { Visitors } from './visitors.ts';

/** What {@link signInPages} are given. */
export interface SignInPagesDependencies {
  readonly publicUrl: string;
  readonly visitors: Visitors;
  readonly signIn: ReturnType<typeof createSignIn>;
  readonly cookies: CookieDelivery;
  readonly deviceTokens: DeviceTokens;
}

const path = '/account/sign-in';
const text = z.string().default('');
const form = z.object({ email: text, password: text, csrf: text, next: text });
const fields = z.object({ email: emailAddress, password: typedPassword.min(1, 'This is required.') });

interface Shown {
  readonly csrf: string;
  readonly next: string;
  readonly email?: string;
  readonly done?: string | undefined;
  readonly failure?: FormFailure;
}

const page = ({ csrf, next, email, done, failure }: Shown): Page => ({
  title: 'Sign in',
  body: html`${noticeHtml(done)} ${alertHtml(failure?.summary)}
    <form method="post" action="${path}">
      ${fieldHtml({
        ...{ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', required: true },
        ...{ value: email, wrong: failure?.fields.email },
      })}
      ${fieldHtml({
        ...{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', required: true },
        wrong: failure?.fields.password,
      })}
      <input type="hidden" name="csrf" value="${csrf}" />
      ${nextField(next)}
      <button type="submit">Sign in</button>
    </form>
    ${passkeyButton({ deed: 'sign-in', label: 'Sign in with a passkey', next: next === '' ? '/account/security' : next })}
    <p class="more">
      <a href="/account/reset">Forgotten your password?</a> · <a href="/account/link">Sign in by mail</a>
    </p>
    <p class="more">No account yet? <a href="${withNext('/account/sign-up', next)}">Sign up</a></p>`,
});

type AskedForMore = ReturnType<typeof answerMfaRequired>['body'];

/** `/account/sign-in` */
export function signInPages(dependencies: SignInPagesDependencies): Route[] {
  const { publicUrl, visitors, signIn, cookies, deviceTokens } = dependencies;
  const common = { path, access: 'anonymous', layout, problemPage } as const;

  const refuse = (call: Call, typed: z.output<typeof form>, failure: FormFailure): PageAnswer => {
    const { csrf, headers } = visitors.of(call);
    const shown = { csrf, next: typed.next, email: typed.email, failure };
    return { page: page(shown), status: failure.status, headers: { ...failure.headers, ...headers } };
  };

  /** Nothing is begun yet: the ticket is in the page alone, and loading it anew asks for the password again. */
  const askForMore = (call: Call, next: string, { mfaToken: ticket, methods }: AskedForMore): PageAnswer => {
    const { csrf, headers } = visitors.of(call);
    return { page: secondFactorPage({ csrf, next, ticket, methods }), headers };
  };

  return [
    definePage({
      ...common,
      method: 'get',
      operationId: 'signInPage',
      summary: 'The form to sign in with',
      query: nextQuery.extend(noticeQuery.shape),
      handle: (call) => {
        const { csrf, headers } = visitors.of(call);
        const { next, done } = call.query;
        return { page: page({ csrf, next: localPath(next, publicUrl) ?? '', done }), headers };
      },
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: 'signInByForm',
      summary: 'Signs in',
      form,
      async handle(call) {
        const typed = call.body;
        if (!visitors.isOwn(call, typed.csrf)) return refuse(call, typed, formExpired);
        try {
          const given = { email: typed.email, password: typed.password };
          const { email, password } = validateBody(fields, given) as z.output<typeof fields>;
          const deviceToken = cookies.deviceTokenOf(call);
          const command = { email, password, device: deviceOf(call), deviceToken, signal: call.signal };
          const { headers, body } = await cookies.deliver<EnteredBody>(call, 'cookies', async () => {
            const entered = await signIn(call.cause, command);
            return entered.status === 'signed-in' ? answerSignedIn(entered, deviceTokens) : answerMfaRequired(entered);
          });
          if ('mfaToken' in body) return askForMore(call, typed.next, body);
          return { seeOther: afterSignIn(typed.next, publicUrl), headers };
        } catch (error) {
          return refuse(call, typed, failureOf(error));
        }
      },
    }),
  ];
}
