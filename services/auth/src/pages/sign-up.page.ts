import { definePage, html, localPath, validateBody } from '@causeway/service';
import type { Call, Page, PageAnswer, Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import { personName } from '../accounts/person-name.ts';
import type { SignUp, SignUpAnswer } from '../accounts/sign-up.route.ts';
import { newPassword } from '../passwords/password.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { deviceOf } from '../sessions/signed-in-answer.ts';
import { failureOf, formExpired } from './form-failure.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, fieldHtml, layout, problemPage } from './layout.ts';
import { afterSignIn, nextField, nextQuery, withNext } from './next.ts';
import { noticeHtml, noticeQuery, withNotice } from './notices.ts';
import type { Visitors } from './visitors.ts';

/** What {@link signUpPages} are given. */
export interface SignUpPagesDependencies {
  readonly publicUrl: string;
  readonly visitors: Visitors;
  readonly signUp: SignUp;
  readonly cookies: CookieDelivery;
  /** Whether there is no account before its address has been verified: then it needs no password. */
  readonly isByMail: boolean;
}

const path = '/account/sign-up';
/** What is said of a link that is on its way. */
const linkSent = 'verification-sent';
const text = z.string().default('');
const form = z.object({ name: text, email: text, password: text, csrf: text, next: text });
const fields = z.object({ name: personName.optional(), email: emailAddress, password: newPassword });
const fieldsByMail = fields.extend({ password: newPassword.optional() });

interface Shown {
  readonly csrf: string;
  readonly next: string;
  readonly name?: string;
  readonly email?: string;
  readonly done?: string | undefined;
  readonly failure?: FormFailure;
}

const goodPassword = 'At least 10 characters. A few words that have nothing to do with each other are good.';

/** Nothing is left to fill in: whoever sees the form again believes that it was lost. */
const sent = (next: string, done: string): Page => ({
  title: 'Look at your mail',
  body: html`${noticeHtml(done)}
    <p class="more">
      Nothing there after some minutes? Look among what your mail program takes for unwanted, or
      <a href="${withNext(path, next)}">sign up once more</a>.
    </p>`,
});

const page = (isByMail: boolean, { csrf, next, name, email, done, failure }: Shown): Page => ({
  title: 'Sign up',
  body: html`${noticeHtml(done)} ${alertHtml(failure?.summary)}
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
        ...{ name: 'password', type: 'password', autocomplete: 'new-password', required: !isByMail },
        label: isByMail ? 'Password (optional)' : 'Password',
        hint: isByMail ? `${goodPassword} Without one you sign in by links that are mailed to you.` : goodPassword,
        wrong: failure?.fields.password,
      })}
      <input type="hidden" name="csrf" value="${csrf}" />
      ${nextField(next)}
      <button type="submit">Sign up</button>
    </form>
    <p class="more">You have an account? <a href="${withNext('/account/sign-in', next)}">Sign in</a></p>`,
});

/** `/account/sign-up` */
export function signUpPages(dependencies: SignUpPagesDependencies): Route[] {
  const { publicUrl, visitors, signUp, cookies, isByMail } = dependencies;
  const common = { path, access: 'anonymous', layout, problemPage } as const;

  const refuse = (call: Call, typed: z.output<typeof form>, failure: FormFailure): PageAnswer => {
    const { csrf, headers } = visitors.of(call);
    const { next, name, email } = typed;
    const shown = { csrf, next, name, email, failure };
    return { page: page(isByMail, shown), status: failure.status, headers: { ...failure.headers, ...headers } };
  };

  return [
    definePage({
      ...common,
      method: 'get',
      operationId: 'signUpPage',
      summary: 'The form to sign up with',
      query: nextQuery.extend(noticeQuery.shape),
      handle: (call) => {
        const { csrf, headers } = visitors.of(call);
        const { next, done } = call.query;
        const own = localPath(next, publicUrl) ?? '';
        if (isByMail && done === linkSent) return { page: sent(own, done), headers };
        return { page: page(isByMail, { csrf, next: own, done }), headers };
      },
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: 'signUpByForm',
      summary: 'Makes an account and signs in, or has the link mailed that does',
      form,
      async handle(call) {
        const typed = call.body;
        if (!visitors.isOwn(call, typed.csrf)) return refuse(call, typed, formExpired);
        try {
          const { name, email, password } = typed;
          const chosen = isByMail && password === '' ? {} : { password };
          const given = { ...(name.trim() === '' ? {} : { name }), email, ...chosen };
          const account = validateBody(isByMail ? fieldsByMail : fields, given) as z.output<typeof fieldsByMail>;
          const command = { ...account, device: deviceOf(call), signal: call.signal };
          const { headers, body } = await cookies.deliver<SignUpAnswer['body']>(
            call,
            'cookies',
            async () => (await signUp(call.cause, command)).answer,
          );
          if (body.status === 'verification-sent') return { seeOther: withNotice(path, linkSent) };
          return { seeOther: afterSignIn(typed.next, publicUrl), headers };
        } catch (error) {
          return refuse(call, typed, failureOf(error));
        }
      },
    }),
  ];
}
