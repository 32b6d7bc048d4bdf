import { definePage, html, validateBody } from '@causeway/service';
import type { Html, Page, RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import { callerOf } from '../factors/caller.ts';
import type { BegunTotp, createBeginTotp, createConfirmTotp } from '../factors/enrol-totp.ts';
import { typedCode } from '../factors/enrol-totp.route.ts';
import { qrCode } from '../factors/qr-code.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, fieldHtml, memberLayout, memberProblemPage } from './layout.ts';
import type { Member, Members } from './members.ts';
import { codesHtml } from './recovery-codes.page.ts';

/** What {@link authenticatorPages} are given. */
export interface AuthenticatorPagesDependencies {
  readonly members: Members;
  readonly beginTotp: ReturnType<typeof createBeginTotp>;
  readonly confirmTotp: ReturnType<typeof createConfirmTotp>;
  readonly cookies: Pick<CookieDelivery, 'deviceCookieOf'>;
  readonly recent: RecentAuthentication;
}

const path = '/account/authenticator';
const confirmPath = `${path}/confirm`;
const title = 'Add an authenticator app';
const text = z.string().default('');
const beginForm = z.object({ csrf: text });
const confirmForm = z.object({ csrf: text, factor: text, code: text });
const fields = z.object({ code: typedCode });

const name = 'Authenticator app';

const beginPage = ({ csrf }: Member, failure?: FormFailure): Page => ({
  title,
  body: html`${alertHtml(failure?.summary)}
    <section class="panel" aria-label="${title}">
      <p>
        An app on your phone shows six digits that are others every half minute. From then on signing in takes them
        beside your password. Any app for one-time passwords does: Aegis, 2FAS, Google Authenticator, 1Password,
        Bitwarden.
      </p>
      <div class="deeds">
        <form method="post" action="${path}">
          ${csrfField(csrf)}
          <button type="submit">Begin</button>
        </form>
        <a class="button quiet" href="/account/security">Not now</a>
      </div>
    </section>`,
});

const confirmation = (csrf: string, factorId: string, failure?: FormFailure): Html => html`
  <form method="post" action="${confirmPath}">
    ${fieldHtml({
      ...{ name: 'code', label: 'Code', type: 'text', autocomplete: 'one-time-code', required: true },
      ...{ hint: 'The six digits that the app shows now.', wrong: failure?.fields.code },
    })}
    <input type="hidden" name="factor" value="${factorId}" /> ${csrfField(csrf)}
    <button type="submit">Turn it on</button>
  </form>
`;

/** Four by four, as apps show it that want it typed. */
const spaced = (secret: string): string => secret.match(/.{1,4}/g)?.join(' ') ?? '';

const begunPage = (csrf: string, { factor, secret, uri }: BegunTotp): Page => ({
  title,
  body: html`<section class="panel" aria-label="${title}">
    <ol class="steps">
      <li>
        Scan this with the app.
        <img class="qr" src="${qrCode(uri)}" width="208" height="208" alt="QR code. The key below it says the same." />
        <p class="hint">Or type the key into it:</p>
        <code class="key">${spaced(secret)}</code>
        <p class="hint">On this device: <a href="${uri}">open it in the app</a>.</p>
      </li>
      <li>Type the code that it shows, within 15 minutes. Nothing changes before that.</li>
    </ol>
    ${confirmation(csrf, factor._id)}
  </section>`,
});

/** The key was shown once: whoever has lost it begins anew. */
const againPage = (csrf: string, factorId: string, failure: FormFailure): Page => ({
  title,
  body: html`${alertHtml(failure.summary)}
    <section class="panel" aria-label="${title}">
      ${confirmation(csrf, factorId, failure)}
      <p class="more">The app does not show a code? <a href="${path}">Begin anew</a></p>
    </section>`,
});

/** Whoever has codes keeps them. */
const keptCodes = html`<section class="panel" aria-label="Recovery codes">
  <p>Signing in takes a code of it from now on. The recovery codes that you have stay good.</p>
  <p class="deeds"><a class="button" href="/account/security">Go on</a></p>
</section>`;

/** `/account/authenticator` */
export function authenticatorPages(dependencies: AuthenticatorPagesDependencies): Route[] {
  const { members, beginTotp, confirmTotp, cookies, recent } = dependencies;
  const layout = memberLayout('/account/security');
  const common = { access: 'anonymous', layout, problemPage: memberProblemPage } as const;
  return [
    definePage({
      ...{ ...common, path, method: 'get', operationId: 'authenticatorPage' },
      summary: 'What an authenticator app is for',
      handle: (call) => members.show(call, path, (member) => ({ page: beginPage(member) }), recent),
    }),
    definePage({
      ...{ ...common, path, method: 'post', operationId: 'beginTotpByForm' },
      summary: 'Begins to enrol an authenticator app',
      form: beginForm,
      handle: (call) =>
        members.act(call, {
          ...{ at: path, csrf: call.body.csrf, recent, page: beginPage },
          async work({ cause, claims, csrf }) {
            return { page: begunPage(csrf, await beginTotp(cause, { accountId: claims.sub, name })) };
          },
        }),
    }),
    definePage({
      ...{ ...common, path: confirmPath, method: 'get', operationId: 'confirmTotpPage' },
      summary: 'Leads to where enrolling begins',
      handle: () => ({ seeOther: path }),
    }),
    definePage({
      ...{ ...common, path: confirmPath, method: 'post', operationId: 'confirmTotpByForm' },
      summary: 'Confirms an authenticator app',
      form: confirmForm,
      handle: (call) =>
        members.act(call, {
          ...{ at: path, csrf: call.body.csrf, recent },
          words: {
            'not-found': 'There is nothing to confirm any more: begin anew.',
            'invalid-code': 'The code is not right. Take the one that the app shows now.',
          },
          page: ({ csrf }, failure) => againPage(csrf, call.body.factor, failure),
          async work({ cause, claims }) {
            const { code } = validateBody(fields, { code: call.body.code }) as z.output<typeof fields>;
            const command = { ...callerOf(claims), factorId: call.body.factor, code, ip: call.clientIp };
            const { recoveryCodes, deviceToken } = await confirmTotp(cause, command);
            const title = 'The authenticator app is on';
            const headers = deviceToken === undefined ? {} : { 'Set-Cookie': cookies.deviceCookieOf(deviceToken) };
            return {
              page: { title, body: recoveryCodes === undefined ? keptCodes : codesHtml(recoveryCodes) },
              headers,
            };
          },
        }),
    }),
  ];
}
