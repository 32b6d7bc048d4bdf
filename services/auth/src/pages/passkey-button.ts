import { hash } from 'node:crypto';

import { defineRoute, html, isNotModified } from '@causeway/service';
import type { Html, Route } from '@causeway/service';

import { passkeyScript } from './passkey-script.ts';

/** Where the script of the pages is. */
export const passkeyScriptPath = '/account/assets/passkeys.js';

const etag = `"${hash('sha256', passkeyScript, 'base64url').slice(0, 22)}"`;

/** The script of the pages, of this origin as their policy demands. */
export const passkeyScriptRoute: Route = defineRoute({
  method: 'get',
  path: passkeyScriptPath,
  operationId: 'passkeyScript',
  tag: 'pages',
  summary: 'The script of the pages, for passkeys',
  access: 'anonymous',
  hidden: true,
  responses: { 200: { description: 'The file.' }, 304: { description: 'It has not changed.' } },
  handle: ({ headers }) => {
    const common = { ETag: etag, 'Cache-Control': 'public, max-age=3600' };
    if (isNotModified(headers['if-none-match'], etag)) return { status: 304, headers: common };
    const type = { 'Content-Type': 'text/javascript; charset=utf-8' };
    return { status: 200, headers: { ...common, ...type }, json: passkeyScript };
  },
});

/** A button that does something with a passkey. */
export interface PasskeyButton {
  readonly deed: 'sign-in' | 'second-factor' | 'step-up' | 'register';
  readonly label: string;
  /** Where it leads once it is done: within our origin. */
  readonly next: string;
  /** What the first step of a sign-in gave. */
  readonly ticket?: string;
}

/** Shown by its script alone: without one there is nothing that it could do. */
export const passkeyButton = ({ deed, label, next, ticket }: PasskeyButton): Html =>
  html`<div hidden data-passkey="${deed}" data-next="${next}" ${ticket !== undefined && html`data-ticket="${ticket}"`}>
      <button type="button">${label}</button>
      <p class="wrong" role="alert"></p>
      ${
        deed === 'register' &&
        html`<div hidden data-told>
          <h2 tabindex="-1">Your recovery codes</h2>
          <p>
            Each signs you in once if you lose your passkey. Print them, or keep them where your passwords are: they are
            shown this once.
          </p>
          <ul data-codes></ul>
          <p><a href="${next}">I have kept them</a></p>
        </div>`
      }
    </div>
    <script src="${passkeyScriptPath}" defer></script>`;
