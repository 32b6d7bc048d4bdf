import { mailDue } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { Decision, Events, RecordedCollection } from '@causeway/events';
import { createCounter } from '@causeway/telemetry';
import type { Logger } from '@causeway/telemetry';

import type { LinkOf } from '../proofs/link-of.ts';
import type { MailDocument } from './mail.model.ts';
import { mailLeaseMs } from './mail-lease.ts';
import type { MailLeases } from './mail-lease.ts';
import { nextAttemptAfter } from './mail-schedule.ts';
import { MailNotTaken } from './mail-transport.ts';
import type { MailTransport } from './mail-transport.ts';
import { deferred, failed, sent, withdrawn } from './mails.events.ts';
import type { RenderMail } from './templates.ts';

/** One attempt: all of the conversation with the mail server. */
const attemptMs = 20_000;

/** What {@link createSendMail} is given. */
export interface SendMailDependencies {
  readonly mails: RecordedCollection<MailDocument>;
  readonly events: Pick<Events, 'schedule' | 'transaction'>;
  readonly leases: MailLeases;
  readonly transport: MailTransport;
  readonly render: RenderMail;
  readonly linkOf: LinkOf;
  /** What every template may name. */
  readonly site: string;
  /** Between attempts; those of `mail-schedule.ts` if not given. */
  readonly delaysMs?: readonly number[] | undefined;
  readonly logger: Pick<Logger, 'warn'>;
  readonly now: () => Date;
}

/** Which mail, and which attempt at it, counted from 1. */
export interface SendMailCommand {
  readonly mailId: string;
  readonly attempt: number;
  /** Aborted when it is no longer waited for. */
  readonly signal: AbortSignal;
}

/** What came of an attempt. */
type Outcome =
  | { readonly status: 'sent' }
  | { readonly status: 'failed' | 'withdrawn'; readonly reason: string }
  | { readonly status: 'deferred'; readonly reason: string; readonly afterMs: number };

const keyOf = (mailId: string, attempt: number): string => `mail/${mailId}/${attempt}`;

const decide = (mail: MailDocument, attempt: number, outcome: Outcome, at: Date): Decision<MailDocument> => {
  const state = { ...stateOf(mail), attempts: attempt };
  switch (outcome.status) {
    case 'deferred':
      return { state, event: deferred(mail, attempt, outcome.reason) };
    case 'sent':
      return { state: { ...state, status: 'sent', endedAt: at }, event: sent(mail, attempt) };
    case 'failed':
      return { state: { ...state, status: 'failed', endedAt: at }, event: failed(mail, outcome.reason) };
    case 'withdrawn':
      return { state: { ...state, status: 'withdrawn', endedAt: at }, event: withdrawn(mail, outcome.reason) };
  }
};

/**
 * Sends a mail: one attempt, whose outcome is recorded. What passes is tried again by a timer, so that a mail server that is away holds up
 * nothing else. Whoever dies between the server's yes and the record of it has the mail sent twice, under one `Message-ID`.
 *
 * @returns the use case; it does nothing where the attempt has been made, or the mail is over
 */
export function createSendMail(dependencies: SendMailDependencies) {
  const { mails, events, leases, transport, render, linkOf, site, delaysMs, logger, now } = dependencies;
  const counter = createCounter('causeway.auth.mails', {
    description: 'Attempts to send a mail, by what came of them.',
  });

  const attemptAt = async (mail: MailDocument, { attempt, signal }: SendMailCommand): Promise<Outcome> => {
    const { _id: id, to, template, params, proofId } = mail;
    const link = proofId === undefined ? '' : await linkOf(proofId);
    if (link === undefined) return { status: 'withdrawn', reason: 'link-over' };
    const words = render(template, { ...params, link, email: to, site });
    const tooLong = AbortSignal.timeout(attemptMs);
    try {
      await transport.send({ id, to, ...words }, AbortSignal.any([signal, tooLong]));
      return { status: 'sent' };
    } catch (error) {
      // The service stops: the attempt is made once more, by whoever takes the event over.
      signal.throwIfAborted();
      if (!(error instanceof MailNotTaken) && !tooLong.aborted) throw error;
      const { reason, forGood, detail } =
        error instanceof MailNotTaken ? error : new MailNotTaken('no-answer', { forGood: false });
      const afterMs = forGood ? undefined : nextAttemptAfter(attempt, delaysMs);
      const next = afterMs === undefined ? 'it is given up' : 'it is tried again';
      logger.warn(
        { mailId: id, template, attempt, reason, detail },
        `a mail was not taken by the mail server; ${next}`,
      );
      return afterMs === undefined ? { status: 'failed', reason } : { status: 'deferred', reason, afterMs };
    }
  };

  const record = (cause: Cause, { mailId, attempt }: SendMailCommand, outcome: Outcome): Promise<void> =>
    events.transaction(async (session) => {
      const write = await mails.update(
        cause,
        mailId,
        (mail) =>
          mail.status === 'queued' && mail.attempts < attempt ? decide(mail, attempt, outcome, now()) : undefined,
        { session },
      );
      if (write?.event === undefined || outcome.status !== 'deferred') return;
      const data = { mailId, attempt: attempt + 1 };
      const when = { afterMs: outcome.afterMs, key: keyOf(mailId, attempt + 1), about: `mail/${mailId}` };
      await events.schedule(cause, { contract: mailDue, data, ...when }, { session });
    });

  return async (cause: Cause, command: SendMailCommand): Promise<void> => {
    const { mailId, attempt } = command;
    const isDue = (mail: MailDocument | null): mail is MailDocument =>
      mail?.status === 'queued' && mail.attempts < attempt;
    if (!isDue(await mails.native.findOne({ _id: mailId }))) return;
    const giveBack = await leases.take(mailId);
    if (giveBack === undefined) {
      // Another replica is at it, or has died: that is seen once its lease is over.
      const again = { afterMs: mailLeaseMs, key: `${keyOf(mailId, attempt)}/again`, about: `mail/${mailId}` };
      await events.schedule(cause, { contract: mailDue, data: { mailId, attempt }, ...again });
      return;
    }
    try {
      // Whoever had the lease until now may have sent it.
      const mail = await mails.native.findOne({ _id: mailId });
      if (!isDue(mail)) return;
      const outcome = await attemptAt(mail, command);
      await record(cause, command, outcome);
      counter.add(1, { outcome: outcome.status });
    } finally {
      await giveBack();
    }
  };
}

/** What {@link createSendMail} gives. */
export type SendMail = ReturnType<typeof createSendMail>;
