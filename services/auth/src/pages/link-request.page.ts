import { createDemandSameOrigin, definePage, html, validateBody } from '@causeway/service';
import type { Call, Page, PageAnswer, Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import type { AskForLink } from '../proofs/ask-for-link.ts';
import type { ProofKind } from '../proofs/proof-kinds.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { failureOf, formExpired } from './form-failure.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, fieldHtml, layout, problemPage } from './layout.ts';
import { noticeHtml, noticeQuery, withNotice } from './notices.ts';
import type { Visitors } from './visitors.ts';

/** What {@link linkRequestPages} are given. */
export interface LinkRequestDependencies {
  readonly publicUrl: string;
  readonly visitors: Visitors;
  readonly askForLink: AskForLink;
  readonly cookies: Pick<CookieDelivery, 'deviceTokenOf'>;
}

/** A page where somebody has a link mailed to them. */
export interface LinkRequestPage {
  readonly kind: ProofKind;
  /** `/account/<name>` */
  readonly name: string;
  readonly operationId: string;
  readonly title: string;
  /** What the link is for. */
  readonly explanation: string;
}

const text = z.string().default('');
const form = z.object({ email: text, csrf: text });
const fields = z.object({ email: emailAddress });

/** The pages that have a link mailed: whatever address is given, they say the same. */
export function linkRequestPages(given: LinkRequestDependencies, page: LinkRequestPage): Route[] {
  const { publicUrl, visitors, askForLink, cookies } = given;
  const demandSameOrigin = createDemandSameOrigin(publicUrl);
  const path = `/account/${page.name}` as const;
  const common = { path, access: 'anonymous', layout, problemPage } as const;

  const pageOf = (csrf: string, shown: { done?: string | undefined; email?: string; failure?: FormFailure }): Page => ({
    title: page.title,
    body: html`${noticeHtml(shown.done)} ${alertHtml(shown.failure?.summary)}
      <p>${page.explanation}</p>
      <form method="post" action="${path}">
        ${fieldHtml({
          ...{ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', required: true },
          ...{ value: shown.email, wrong: shown.failure?.fields.email },
        })}
        ${csrfField(csrf)}
        <button type="submit">Send me a link</button>
      </form>
      <p class="more"><a href="/account/sign-in">Go to the sign-in page</a></p>`,
  });

  const refuse = (call: Call, email: string, failure: FormFailure): PageAnswer => {
    const { csrf, headers } = visitors.of(call);
    return {
      page: pageOf(csrf, { email, failure }),
      status: failure.status,
      headers: { ...failure.headers, ...headers },
    };
  };

  return [
    definePage({
      ...common,
      method: 'get',
      operationId: `${page.operationId}Page`,
      summary: 'The form to have a link mailed with',
      query: noticeQuery,
      handle: (call) => {
        const { csrf, headers } = visitors.of(call);
        return { page: pageOf(csrf, { done: call.query.done }), headers };
      },
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: `${page.operationId}ByForm`,
      summary: 'Has a link mailed',
      form,
      async handle(call) {
        demandSameOrigin(call.request);
        const typed = call.body;
        if (!visitors.isOwn(call, typed.csrf)) return refuse(call, typed.email, formExpired);
        try {
          const { email } = validateBody(fields, { email: typed.email }) as z.output<typeof fields>;
          const deviceToken = cookies.deviceTokenOf(call);
          await askForLink(call.cause, { kind: page.kind, email, ip: call.clientIp, deviceToken });
          return { seeOther: withNotice(path, 'link-sent') };
        } catch (error) {
          return refuse(call, typed.email, failureOf(error));
        }
      },
    }),
  ];
}
