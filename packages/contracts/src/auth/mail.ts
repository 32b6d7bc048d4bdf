import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

const mail = { mailId: z.string(), template: z.string() };

/** A mail is to be sent. What it says, a link above all, is in no event. */
export const mailQueued = defineEvent({
  type: 'auth.mail.queued',
  version: 1,
  thing: 'mail',
  description: 'A mail is to be sent, from a template. What it says, a link above all, is in no event.',
  data: { ...mail, to: z.string(), accountId: z.string().optional() },
});

/** The mail server did not take a mail; it is tried again later. */
export const mailDeferred = defineEvent({
  type: 'auth.mail.deferred',
  version: 1,
  thing: 'mail',
  description: 'The mail server could not be reached, or did not take a mail for now; it is tried again later.',
  data: { ...mail, attempt: z.number().int(), reason: z.string() },
});

/** The mail server has taken a mail. */
export const mailSent = defineEvent({
  type: 'auth.mail.sent',
  version: 1,
  thing: 'mail',
  description: 'The mail server has taken a mail, at this attempt; what becomes of it there is not known.',
  data: { ...mail, attempt: z.number().int() },
});

/** A mail is given up. */
export const mailFailed = defineEvent({
  type: 'auth.mail.failed',
  version: 1,
  thing: 'mail',
  description: 'A mail is given up: the mail server refuses it for good, or has not taken it in all that time.',
  data: { ...mail, reason: z.string() },
});

/** A mail is not sent any more, since it would say nothing. */
export const mailWithdrawn = defineEvent({
  type: 'auth.mail.withdrawn',
  version: 1,
  thing: 'mail',
  description: 'A mail is not sent any more, since it would say nothing: its link is over by now.',
  data: { ...mail, reason: z.string() },
});

/** Nothing is kept of a mail any more. */
export const mailDeleted = defineEvent({
  type: 'auth.mail.deleted',
  version: 1,
  thing: 'mail',
  description: 'Nothing is kept of a mail any more: it has been over for a month, or whose it was is being erased.',
  data: { mailId: z.string() },
});

/** Comes when a mail is to be tried again. */
export const mailDue = defineEvent({
  type: 'auth.mail.due',
  version: 1,
  thing: 'timer',
  description: 'A mail that the mail server did not take is to be tried again: this attempt, counted from 1.',
  data: { mailId: z.string(), attempt: z.number().int() },
});
