import { html } from '@causeway/service';
import type { Html } from '@causeway/service';
import { z } from 'zod';

/** What the page that follows a form may say of what was done: the address names it, so a link can make a page say nothing else. */
const notices = {
  'email-verified': 'Your e-mail address is verified.',
  'password-reset': 'The new password is set. Sign in with it.',
  'password-changed': 'The password is changed, and you are signed out everywhere else.',
  'email-changed': 'Your address is changed. All other sessions have ended.',
  'email-restored':
    'Your account has its address again, and everybody is signed out. A link to choose a new password is on its way to you.',
  'verification-sent':
    'A mail is on its way to your address. Open the link in it to go on; if you have an account already, it says so.',
  'link-sent': 'If there is something to send, a mail is on its way. Only the link in the newest one works.',
  'session-ended': 'That session has ended.',
  'others-ended': 'You are signed out everywhere else.',
  'factor-removed': 'It is removed, and you are signed out everywhere else.',
  'factor-undone':
    'It is taken back, and everybody is signed out. A link to choose a new password is on its way to you.',
  'factor-renamed': 'It has its new name.',
  'signed-out': 'You are signed out.',
  unlocked: 'You can sign in from here again, whoever else guesses.',
} as const;

/** The name of something that was done. */
export type Notice = keyof typeof notices;

const isNotice = (name: string | undefined): name is Notice => name !== undefined && Object.hasOwn(notices, name);

/** The parameter that names it. */
export const noticeQuery = z.object({ done: z.string().optional() });

/** What was done, first on its page: it is read out, and has the focus. */
export const noticeHtml = (done: string | undefined): Html | undefined =>
  isNotice(done) ? html`<p class="notice" role="status" tabindex="-1" autofocus>${notices[done]}</p>` : undefined;

/** Has the next page say what was done. */
export const withNotice = (path: `/account/${string}`, done: Notice): `/account/${string}` => `${path}?done=${done}`;
