import { html } from '@causeway/service';
import type { Html, Route } from '@causeway/service';

import type { UndoFactor } from '../factors/undo-factor.ts';
import { linkPages } from './link.page.ts';
import type { LinkPagesDependencies, OpenedLink } from './link.page.ts';
import { withNotice } from './notices.ts';

/** What {@link takeBackPages} are given. */
export interface TakeBackPagesDependencies extends LinkPagesDependencies {
  readonly undoFactor: UndoFactor;
}

const body = ({ proof: { email, told } }: OpenedLink): Html => html`
  <p>
    The account of <strong>${email}</strong> has a second factor more since ${told?.addedAt}: ${told?.factor}. If you
    did not add it, somebody else was in your account.
  </p>
  <p>
    Take it back: it is gone, and so is whatever was added since, everybody is signed out, the password opens nothing
    any more, and a link to choose a new one is mailed to you. If it was you, close this page: nothing happens.
  </p>
`;

/** `/account/take-back/{token}`: where somebody takes a second factor back that they have not added */
export const takeBackPages = ({ undoFactor, ...given }: TakeBackPagesDependencies): Route[] =>
  linkPages(given, {
    ...{ kinds: ['undo-factor'], name: 'take-back', operationId: 'undoFactor' },
    title: 'Take a second factor back',
    ...{ body, button: 'That was not me: take it back' },
    another: html`<p>
      If the address of your account was changed since, use the link in the mail that told you so. If you cannot sign
      in,
      <a href="/account/reset">choose a new password by mail</a>.
    </p>`,
    words: {
      'sole-factor':
        'It is the only second factor that your account has left, and a mailed link does not take the last one away. Sign in and remove it, or ask an administrator.',
    },
    async work({ cause }, { token }) {
      await undoFactor(cause, { token });
      return { seeOther: withNotice('/account/sign-in', 'factor-undone') };
    },
  });
