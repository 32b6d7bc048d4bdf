import { mailDeferred, mailDeleted, mailFailed, mailQueued, mailSent, mailWithdrawn } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { MailDocument } from './mail.model.ts';

type Facts = Pick<MailDocument, '_id' | 'template'>;

const facts = ({ _id, template }: Facts) => ({ mailId: _id, template });

/** A mail is to be sent. */
export const queued = ({ to, accountId, ...mail }: Facts & Pick<MailDocument, 'to' | 'accountId'>): EventDraft =>
  draft(mailQueued, { ...facts(mail), to, ...(accountId === undefined ? {} : { accountId }) });

/** It is tried again later. */
export const deferred = (mail: Facts, attempt: number, reason: string): EventDraft =>
  draft(mailDeferred, { ...facts(mail), attempt, reason });

/** The mail server has taken it. */
export const sent = (mail: Facts, attempt: number): EventDraft => draft(mailSent, { ...facts(mail), attempt });

/** It is given up. */
export const failed = (mail: Facts, reason: string): EventDraft => draft(mailFailed, { ...facts(mail), reason });

/** It would say nothing any more. */
export const withdrawn = (mail: Facts, reason: string): EventDraft => draft(mailWithdrawn, { ...facts(mail), reason });

/** Nothing is kept of it. */
export const deleted = ({ _id }: Pick<MailDocument, '_id'>): EventDraft => draft(mailDeleted, { mailId: _id });
