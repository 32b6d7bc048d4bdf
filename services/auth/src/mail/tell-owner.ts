import type { Cause } from '@causeway/contracts';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { AccountDocument } from '../accounts/account.model.ts';
import type { MailDocument } from './mail.model.ts';
import type { MailName, MailParams } from './mail-names.ts';
import type { QueueMail } from './queue-mail.ts';

/** What {@link createTellOwner} is given. */
export interface TellOwnerDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly mails: Pick<RecordedCollection<MailDocument>, 'native'>;
  readonly queueMail: QueueMail;
  readonly now: () => Date;
}

/** How often an account's owner is told the same. The first are told: whoever is in the account buries none of them under later ones. */
export interface NoticeRate {
  readonly most: number;
  readonly withinMs: number;
}

/** Who needs more to know that somebody is at it? */
export const noticeRate: NoticeRate = { most: 5, withinMs: 3_600_000 };

/** What is told. */
export interface Notice<Name extends MailName = MailName> {
  readonly template: Name;
  readonly params: MailParams<Name>;
}

/**
 * Tells the owner of an account what has happened to it, in the transaction of the handler that says so. Nobody has asked for mail to an address
 * that was never verified: whoever signs up with somebody's has none sent there by what they do to their own account. Of the same there are
 * {@link noticeRate} at most.
 *
 * @returns whether it is told
 */
export type TellOwner = <Name extends MailName>(
  cause: Cause,
  accountId: string,
  notice: Notice<Name>,
  session: ClientSession,
  rate?: NoticeRate,
) => Promise<boolean>;

/** Makes it. */
export const createTellOwner =
  ({ accounts, mails, queueMail, now }: TellOwnerDependencies): TellOwner =>
  async (cause, accountId, { template, params }, session, { most, withinMs } = noticeRate) => {
    // As it is by now: the address may have changed.
    const projection = { email: 1, emailVerified: 1 } as const;
    const account = await accounts.native.findOne({ _id: accountId }, { session, projection });
    if (account?.emailVerified !== true) return false;
    const told = { accountId, template, createdAt: { $gt: new Date(now().getTime() - withinMs) } };
    if ((await mails.native.countDocuments(told, { session, limit: most })) >= most) return false;
    await queueMail(cause, { template, params, to: account.email, accountId }, session);
    return true;
  };
