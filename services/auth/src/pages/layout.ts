import { html, htmlPage } from '@causeway/service';
import type { Html, Page } from '@causeway/service';

import { stylePath } from './style.route.ts';

/** Arches over water: a causeway. */
const mark = html`<svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
  <path
    fill="currentColor"
    d="M2 8h28a1 1 0 0 1 1 1v14h-4v-3a4.5 4.5 0 0 0-9 0v3h-4v-3a4.5 4.5 0 0 0-9 0v3H1V9a1 1 0 0 1 1-1zm-1 17h30v2.5H1z"
  />
</svg>`;

const brand = html`<a class="mark" href="/account">${mark}<span>Account</span></a>`;

const around = (title: string, body: Html): Html =>
  htmlPage({
    title,
    // Without one a browser asks for /favicon.ico.
    head: html`<link rel="icon" href="data:," />
      <meta name="color-scheme" content="light dark" />
      <link rel="stylesheet" href="${stylePath}" />`,
    body,
  });

/** What pages have around them that do one thing. */
export const layout = ({ title, body }: Page): Html =>
  around(
    title,
    html`<header class="top alone">${brand}</header>
      <main class="narrow">
        <div class="panel">
          <h1>${title}</h1>
          ${body}
        </div>
      </main>`,
  );

const places = {
  '/account/security': 'Security',
  '/account/sessions': 'Sessions',
  '/account/activity': 'Activity',
} as const;

/**
 * What pages have around them that belong to somebody who is signed in; each panel is in their body.
 *
 * @param current - where in the navigation they are
 */
export const memberLayout =
  (current?: keyof typeof places) =>
  ({ title, body }: Page): Html =>
    around(
      title,
      html`<header class="top">
          ${brand}
          <nav aria-label="Your account">
            <ul>
              ${Object.entries(places).map(
                ([path, name]) =>
                  html`<li><a href="${path}" ${path === current && html` aria-current="page"`}>${name}</a></li>`,
              )}
            </ul>
          </nav>
        </header>
        <main class="wide">
          <h1>${title}</h1>
          ${body}
        </main>`,
    );

/** The page for what is no success: what the problem document would have said, for a person. */
export const problemPage = ({
  title,
  detail,
  requestId,
}: {
  readonly title: string;
  readonly detail?: string;
  readonly requestId?: string;
}): Page => ({
  title,
  body: html`${detail === undefined ? undefined : html`<p>${detail}</p>`}
    <p><a href="/account/sign-in">Go to the sign-in page</a></p>
    ${requestId === undefined ? undefined : html`<p class="hint">If you report this, name <code>${requestId}</code>.</p>`}`,
});

/** The page for what is no success, where somebody who is signed in was looking at theirs. */
export const memberProblemPage = (problem: Parameters<typeof problemPage>[0]): Page => {
  const { title, body } = problemPage(problem);
  return { title, body: html`<div class="panel">${body}</div>` };
};

/** What shows that a form was made for this browser. */
export const csrfField = (csrf: string): Html => html`<input type="hidden" name="csrf" value="${csrf}" />`;

/** A field of a form. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'email' | 'password';
  /** What browsers and password managers fill in (HTML, "autofill"). */
  readonly autocomplete: string;
  readonly required: boolean;
  readonly hint?: string;
  /** What was typed before; never a password. */
  readonly value?: string | undefined;
  readonly wrong?: string | undefined;
}

/** A labelled field, with its hint and what is wrong read out with it. */
export const fieldHtml = ({ name, label, type, autocomplete, required, hint, value, wrong }: Field): Html => {
  const describing = [hint === undefined ? '' : `${name}-hint`, wrong === undefined ? '' : `${name}-wrong`];
  const described = describing.filter((each) => each !== '').join(' ');
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint === undefined ? undefined : html`<p class="hint" id="${name}-hint">${hint}</p>`}
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      autocomplete="${autocomplete}"
      ${type === 'password' ? undefined : html`value="${value ?? ''}"`}
      ${type === 'email' && html`inputmode="email" spellcheck="false" autocapitalize="none"`}
      ${required && html`required`}
      ${described !== '' && html`aria-describedby="${described}"`}
      ${wrong !== undefined && html`aria-invalid="true"`}
    />
    ${wrong === undefined ? undefined : html`<p class="wrong" id="${name}-wrong">${wrong}</p>`}
  </div>`;
};

/**
 * The field of a password that somebody chooses, and beside it, for password managers alone, whose it is.
 *
 * @param field - its name, the account's address, and what is wrong
 */
export const newPasswordHtml = ({
  name,
  email,
  wrong,
}: {
  readonly name: string;
  readonly email: string;
  readonly wrong: string | undefined;
}): Html => html`
  <input
    class="unseen"
    type="email"
    autocomplete="username"
    value="${email}"
    tabindex="-1"
    aria-hidden="true"
    readonly
  />
  ${fieldHtml({
    ...{ name, label: 'New password', type: 'password', autocomplete: 'new-password', required: true },
    ...{ hint: 'At least 10 characters. A few words that have nothing to do with each other are good.', wrong },
  })}
`;

/** What went wrong with a form, first on its page: it is read out, and has the focus. */
export const alertHtml = (summary: string | undefined): Html | undefined =>
  summary === undefined ? undefined : html`<p class="alert" role="alert" tabindex="-1" autofocus>${summary}</p>`;
