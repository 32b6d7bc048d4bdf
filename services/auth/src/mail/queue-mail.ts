import { derivedId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Persons, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { parseEmailAddress } from '../accounts/email-address.ts';
import type { MailDocument } from './mail.model.ts';
import type { MailName, MailParams } from './mail-names.ts';
import { queued } from './mails.events.ts';

/** What {@link createQueueMail} is given. */
export interface QueueMailDependencies {
  readonly mails: Pick<RecordedCollection<MailDocument>, 'create' | 'native'>;
  readonly persons: Pick<Persons, 'enter'>;
}

/** A mail, and to whom. */
export interface MailRequest<Name extends MailName = MailName> {
  readonly template: Name;
  readonly to: string;
  readonly params: MailParams<Name>;
  /** Whose it is, where that is known: it goes with them. */
  readonly accountId?: string;
  /** Of the link that it brings. */
  readonly proofId?: string;
}

/**
 * Has a mail sent because of an event, in the transaction of what handles that: it is sent if, and only if, that is committed. Asking for
 * the same because of the same event is asking for one mail.
 *
 * @param cause - of the handler
 */
export type QueueMail = <Name extends MailName>(
  cause: Cause,
  request: MailRequest<Name>,
  session: ClientSession,
) => Promise<void>;

/** Makes it. */
export const createQueueMail =
  ({ mails, persons }: QueueMailDependencies): QueueMail =>
  async (cause, { template, to, params, accountId, proofId }, session) => {
    if (cause.causationId === undefined) throw new TypeError('a mail follows from an event');
    const _id = derivedId('mal', JSON.stringify([cause.causationId, template, to]));
    if ((await mails.native.findOne({ _id }, { session, projection: { _id: 1 } })) !== null) return;
    // Nobody who is being erased is written to any more.
    if (accountId !== undefined && !(await persons.enter(accountId, session))) return;
    const own = accountId === undefined ? {} : { accountId };
    const toKey = parseEmailAddress(to)?.key ?? to;
    const link = proofId === undefined ? {} : { proofId };
    const state = { to, toKey, template, params, ...own, ...link, status: 'queued' as const, attempts: 0 };
    await mails.create(cause, { _id, state, event: queued({ _id, template, to, ...own }) }, { session });
  };
