import { definePage, html, validateBody } from '@causeway/service';
import type { Call, Html, Page, PageAnswer, Route } from '@causeway/service';
import { z } from 'zod';

import { typedCode } from '../factors/enrol-totp.route.ts';
import type { KnownDevices } from '../guessing/known-devices.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { createSecondFactor } from '../sessions/second-factor.ts';
import { answerProven, deviceOf } from '../sessions/signed-in-answer.ts';
import { failureOf, formExpired } from './form-failure.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, fieldHtml, layout, problemPage } from './layout.ts';
import { passkeyButton } from './passkey-button.ts';
import { afterSignIn, nextField, withNext } from './next.ts';
import type { Visitors } from './visitors.ts';

/** What {@link secondFactorPages} are given. */
export interface SecondFactorPagesDependencies {
  readonly publicUrl: string;
  readonly visitors: Visitors;
  readonly secondFactor: ReturnType<typeof createSecondFactor>;
  readonly cookies: CookieDelivery;
  readonly knownDevices: Pick<KnownDevices, 'tokenAfter'>;
}

const path = '/account/second-factor';
const text = z.string().default('');
const form = z.object({ code: text, ticket: text, csrf: text, next: text, methods: text });
const fields = z.object({ code: typedCode, ticket: z.string().max(256) });

interface Shown {
  readonly csrf: string;
  readonly next: string;
  /** What the first step gave: it opens this one, and nothing else. */
  readonly ticket: string;
  /** What the account has. */
  readonly methods: readonly string[];
  readonly failure?: FormFailure;
}

/** What is typed where somebody has these; undefined where there is nothing to type. */
export const codeHint = (methods: readonly string[]): string | undefined => {
  const hasCodes = methods.includes('recovery-codes');
  if (!methods.includes('totp')) return hasCodes ? 'One of your recovery codes.' : undefined;
  return `The six digits that your authenticator app shows${hasCodes ? ', or one of your recovery codes' : ''}.`;
};

/** For whoever has no other way than one that takes a script. */
export const onlyPasskey: Html = html`<p>
  Your passkey is asked for. That takes a script: allow scripts for this page.
</p>`;

/** Asks for the second factor of somebody whose password was right. */
export const secondFactorPage = ({ csrf, next, ticket, methods, failure }: Shown): Page => {
  const hint = codeHint(methods);
  const code = html`<form method="post" action="${path}">
    ${fieldHtml({
      ...{ name: 'code', label: 'Code', type: 'text', autocomplete: 'one-time-code', required: true },
      ...(hint !== undefined && { hint }),
      wrong: failure?.fields.code,
    })}
    <input type="hidden" name="ticket" value="${ticket}" />
    <input type="hidden" name="methods" value="${methods.join(' ')}" />
    <input type="hidden" name="csrf" value="${csrf}" />
    ${nextField(next)}
    <button type="submit">Sign in</button>
  </form>`;
  return {
    title: 'Second factor',
    body: html`${alertHtml(failure?.summary)} ${hint === undefined ? onlyPasskey : code}
      ${
        methods.includes('passkey') &&
        passkeyButton({
          ...{ deed: 'second-factor', label: 'Use a passkey', next: next === '' ? '/account/security' : next, ticket },
        })
      }
      <p class="more"><a href="${withNext('/account/sign-in', next)}">Start again</a></p>`,
  };
};

/** As the form says them: it changes nothing but what the page shows. One of an earlier release says nothing, and may be of any. */
const methodsIn = (methods: string): string[] =>
  methods === '' ? ['totp', 'recovery-codes', 'passkey'] : methods.split(' ');

/** One field takes both: a recovery code is longer than anything that an app shows, however either is spaced. */
export const proofOf = (code: string) =>
  ({ kind: code.replaceAll(/[\s-]/g, '').length > 8 ? 'recovery-code' : 'totp', code }) as const;

/** `/account/second-factor` */
export function secondFactorPages(dependencies: SecondFactorPagesDependencies): Route[] {
  const { publicUrl, visitors, secondFactor, cookies, knownDevices } = dependencies;
  const common = { path, access: 'anonymous', layout, problemPage } as const;

  const refuse = (call: Call, { next, ticket, methods }: z.output<typeof form>, failure: FormFailure): PageAnswer => {
    const { csrf, headers } = visitors.of(call);
    const page = secondFactorPage({ csrf, next, ticket, methods: methodsIn(methods), failure });
    return { page, status: failure.status, headers: { ...failure.headers, ...headers } };
  };

  return [
    definePage({
      ...common,
      method: 'get',
      operationId: 'secondFactorPage',
      summary: 'Leads to the first step: the second follows it',
      handle: () => ({ seeOther: '/account/sign-in' }),
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: 'secondFactorByForm',
      summary: 'Completes a sign-in',
      form,
      async handle(call) {
        const typed = call.body;
        if (!visitors.isOwn(call, typed.csrf)) return refuse(call, typed, formExpired);
        try {
          const { code, ticket } = validateBody(fields, { code: typed.code, ticket: typed.ticket }) as z.output<
            typeof fields
          >;
          const deviceToken = cookies.deviceTokenOf(call);
          const command = { mfaToken: ticket, proof: proofOf(code), device: deviceOf(call), deviceToken };
          const { headers } = await cookies.deliver(call, 'cookies', async () =>
            answerProven(await secondFactor(call.cause, command), deviceToken, knownDevices),
          );
          return { seeOther: afterSignIn(typed.next, publicUrl), headers };
        } catch (error) {
          return refuse(call, typed, failureOf(error));
        }
      },
    }),
  ];
}
