import { Fault } from '@causeway/contracts';
import { crossSite, problemHeaders } from '@causeway/service';

/** Why a form did nothing, as its page says it. */
export interface FormFailure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** For the whole of it. */
  readonly summary: string;
  /** By the field's name. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Words for a person, where those for a program do not help one. */
const summaries: Readonly<Record<string, string>> = {
  'invalid-request': 'Some of this cannot be right. Look at the fields below.',
  'invalid-credentials': 'The e-mail address or the password is not right.',
  'account-disabled': 'This account has been disabled. An administrator can enable it.',
  'email-unverified': 'Nobody has verified this address yet. A mail with the link is on its way, five an hour at most.',
  'invalid-code': 'The code is not right, or was used before. Wait for the next one.',
  'ticket-invalid': 'This sign-in took too long, or was completed already. Start again.',
  'email-taken': 'There is an account with this e-mail address. Sign in instead, or use another address.',
  'password-common': 'This password is one of those that are guessed first. Choose another.',
};

const fieldsOf = (fault: Fault): Record<string, string> =>
  Object.fromEntries(fault.errors.map(({ pointer = '', message }) => [pointer.slice(1), message]));

const counted = (count: number, unit: string): string => (count === 1 ? `1 ${unit}` : `${count} ${unit}s`);

/** How long to wait, for a person: rounded up where that is long. */
const waitOf = (seconds: number): string =>
  seconds < 120 ? counted(seconds, 'second') : counted(Math.ceil(seconds / 60), 'minute');

/** What there was too much of, by a fault's code; attempts, where nothing is said. */
const excesses: Readonly<Record<string, string>> = {
  'too-many-links': 'Too many links were asked for from your network.',
};

/** Somebody waited too long before they sent a form, or their browser keeps no cookies. */
export const formExpired: FormFailure = {
  status: 403,
  headers: {},
  summary: 'The page had been open for too long, or your browser keeps no cookies. Please try again.',
  fields: {},
};

/**
 * Reads why a form did nothing.
 *
 * @param error - what its use case threw
 * @param words - by a fault's code, where this form has better ones
 * @throws the error, where the form itself cannot say it
 */
export const failureOf = (error: unknown, words: Readonly<Record<string, string>> = {}): FormFailure => {
  if (!(error instanceof Fault) || error.status >= 500 || error.code === crossSite.declaration.code) throw error;
  const { status, retryAfterS } = error;
  const wait = `${excesses[error.code] ?? 'Too many attempts.'} Try again in ${waitOf(retryAfterS ?? 1)}.`;
  const summary =
    status === 429 ? wait : (words[error.code] ?? summaries[error.code] ?? error.detail ?? error.declaration.title);
  return { status, headers: problemHeaders(error), summary, fields: fieldsOf(error) };
};
