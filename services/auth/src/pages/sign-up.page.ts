import { definePage, html, localPath, validateBody } from '@causeway/service';
import type { Call, Page, PageAnswer, Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import { personName } from '../accounts/person-name.ts';
import type { SignUp } from '../accounts/sign-up.route.ts';
import { newPassword } from '../passwords/password.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { deviceOf } from '../sessions/signed-in-answer.ts';
import { failureOf, formExpired } from './form-failure.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, fieldHtml, layout, problemPage } from './layout.ts';
import { afterSignIn, nextField, nextQuery, withNext } from './next.ts';
import type { Visitors } from './visitors.ts';

/** What {@link signUpPages} are given. */
export interface SignUpPagesDependencies {
  readonly publicUrl: string;
  readonly visitors: Visitors;
  readonly signUp: SignUp;
  readonly cookies: CookieDelivery;
}

const path = '/account/sign-up';
const text = z.string().default('');
const form = z.object({ name: text, email: text, password: text, csrf: text, next: text });
const fields = z.object({ name: personName.optional(), email: emailAddress, password: newPassword });

interface Shown {
  readonly csrf: string;
  readonly next: string;
  readonly name?: string;
  readonly email?: string;
  readonly failure?: FormFailure;
}

const page = ({ csrf, next, name, email, failure }: Shown): Page => ({
  title: 'Sign up',
  body: html`${alertHtml(failure?.summary)}
    <form method="post" action="${path}">
      ${fieldHtml({
        ...{ name: 'name', label: 'Name (optional)', type: 'text', autocomplete: 'name', required: false },
        ...{ value: name, wrong: failure?.fields.name },
      })}
      ${fieldHtml({
        ...{ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', required: true },
        ...{ value: email, wrong: failure?.fields.email },
      })}
      ${fieldHtml({
        ...{ name: 'password', label: 'Password', type: 'password', autocomplete: 'new-password', required: true },
        hint: 'At least 10 characters. A few words that have nothing to do with each other are good.',
        wrong: failure?.fields.password,
      })}
      <input type="hidden" name="csrf" value="${csrf}" />
      ${nextField(next)}
      <button type="submit">Sign up</button>
    </form>
    <p class="more">You have an account? <a href="${withNext('/account/sign-in', next)}">Sign in</a></p>`,
});

/** `/account/sign-up` */
export function signUpPages({ publicUrl, visitors, signUp, cookies }: SignUpPagesDependencies): Route[] {
  const common = { path, access: 'anonymous', layout, problemPage } as const;

  const refuse = (call: Call, typed: z.output<typeof form>, failure: FormFailure): PageAnswer => {
    const { csrf, headers } = visitors.of(call);
    const { next, name, email } = typed;
    const shown = { csrf, next, name, email, failure };
    return { page: page(shown), status: failure.status, headers: { ...failure.headers, ...headers } };
  };

  return [
    definePage({
      ...common,
      method: 'get',
      operationId: 'signUpPage',
      summary: 'The form to sign up with',
      query: nextQuery,
      handle: (call) => {
        const { csrf, headers } = visitors.of(call);
        return { page: page({ csrf, next: localPath(call.query.next, publicUrl) ?? '' }), headers };
      },
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: 'signUpByForm',
      summary: 'Makes an account and signs in',
      form,
      async handle(call) {
        const typed = call.body;
        if (!visitors.isOwn(call, typed.csrf)) return refuse(call, typed, formExpired);
        try {
          const { name, email, password } = typed;
          const given = { ...(name.trim() === '' ? {} : { name }), email, password };
          const account = validateBody(fields, given) as z.output<typeof fields>;
          const command = { ...account, device: deviceOf(call), signal: call.signal };
          const { headers } = await cookies.deliver(
            call,
            'cookies',
            async () => (await signUp(call.cause, command)).answer,
          );
          return { seeOther: afterSignIn(typed.next, publicUrl), headers };
        } catch (error) {
          return refuse(call, typed, failureOf(error));
        }
      },
    }),
  ];
}
