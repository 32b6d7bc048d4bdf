import { html } from '@causeway/service';
import type { Html, Route } from '@causeway/service';

import type { UndoEmailChange } from '../accounts/email/undo-email-change.ts';
import { linkPages } from './link.page.ts';
import type { LinkPagesDependencies, OpenedLink } from './link.page.ts';
import { withNotice } from './notices.ts';

/** What {@link undoPages} are given. */
export interface UndoPagesDependencies extends LinkPagesDependencies {
  readonly undoEmailChange: UndoEmailChange;
}

const body = ({ proof }: OpenedLink): Html => html`
  <p>Your account has another address now. If that was not you, take it back: <strong>${proof.email}</strong>.</p>
  <p>
    Everybody is signed out, the password opens nothing any more, second factors that were set up since are gone, and a
    link to choose a new password is mailed to you. If it was you, close this page: nothing happens.
  </p>
`;

/** `/account/undo/{token}`: where the address of before takes its change back */
export const undoPages = ({ undoEmailChange, ...given }: UndoPagesDependencies): Route[] =>
  linkPages(given, {
    ...{ kinds: ['undo-email'], name: 'undo', operationId: 'undoEmailChange' },
    title: 'Take your address back',
    ...{ body, button: 'That was not me: take it back' },
    another: html`<p>If you cannot sign in, <a href="/account/reset">choose a new password by mail</a>.</p>`,
    async work({ cause }, { token }) {
      await undoEmailChange(cause, { token });
      return { seeOther: withNotice('/account/sign-in', 'email-restored') };
    },
  });
