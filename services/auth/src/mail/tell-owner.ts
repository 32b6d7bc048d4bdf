import type { Cause } from '@causeway/contracts';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { AccountDocument } from '../accounts/account.model.ts';
import type { MailDocument } from './mail.model.ts';
import type { MailParams } from './mail-names.ts';
import type { QueueMail } from './queue-mail.ts';
import { timeInWords } from './time-in-words.ts';

/** What {@link createTellOwner} is given. */
export interface TellOwnerDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly mails: Pick<RecordedCollection<MailDocument>, 'native'>;
  readonly queueMail: QueueMail;
  /** Where clients reach the platform. */
  readonly publicUrl: string;
  readonly now: () => Date;
}

/** How often an account's owner is told the same. The first are told: whoever is in the account buries none of them under later ones. */
export interface NoticeRate {
  readonly most: number;
  readonly withinMs: number;
  /** What it is to have happened more often. */
  readonly words: string;
}

/** Who needs more to know that somebody is at it? */
export const noticeRate: NoticeRate = { most: 5, withinMs: 3_600_000, words: 'more than five times within an hour' };

/** What owners are told of, in the words of the mail that there were more of it. */
const kinds = {
  'password-changed': 'Your password was changed',
  'password-removed': 'Your password was removed',
  'factor-removed': 'A second factor of yours was removed',
  'factor-undone': 'A second factor of yours was taken back',
  'passkey-suspected': 'A passkey of yours was refused that somebody may have copied',
  'recovery-codes-renewed': 'New recovery codes of yours were made',
  'refresh-reused': 'A sign-in of yours was ended that somebody may have copied',
} as const;

/** The name of a mail that tells an owner what has happened to their account. */
export type NoticeName = keyof typeof kinds;

/** What is told. */
export interface Notice<Name extends NoticeName = NoticeName> {
  readonly template: Name;
  readonly params: MailParams<Name>;
  /**
   * What is counted apart from others that the same mail tells of: some can be done as often as one likes, and must not use up the mails of those
   * that cannot.
   */
  readonly apart?: keyof MailParams<Name> & string;
}

/**
 * Tells the owner of an account what has happened to it, in the transaction of the handler that says so. Nobody has asked for mail to an address
 * that was never verified: whoever signs up with somebody's has none sent there by what they do to their own account. Of the same there are
 * {@link noticeRate} at most to an address, so that those to one that a thief has put in its place use up none of the owner's; whatever comes then is told by one mail, that there was more and where to look: no thief uses the mails
 * up by what does no harm, and goes unnoticed.
 *
 * @returns whether a mail goes out
 */
export type TellOwner = <Name extends NoticeName>(
  cause: Cause,
  accountId: string,
  notice: Notice<Name>,
  session: ClientSession,
  rate?: NoticeRate,
) => Promise<boolean>;

/** Makes it. */
export const createTellOwner =
  ({ accounts, mails, queueMail, publicUrl, now }: TellOwnerDependencies): TellOwner =>
  async (cause, accountId, { template, params, apart }, session, { most, withinMs, words } = noticeRate) => {
    // As it is by now: the address may have changed.
    const projection = { email: 1, emailVerified: 1 } as const;
    const account = await accounts.native.findOne({ _id: accountId }, { session, projection });
    if (account?.emailVerified !== true) return false;
    const at = now();
    const lately = { accountId, to: account.email, createdAt: { $gt: new Date(at.getTime() - withinMs) } };
    const same = apart === undefined ? {} : { [`params.${apart}`]: params[apart] };
    const told = await mails.native.countDocuments({ ...lately, template, ...same }, { session, limit: most });
    const own = { to: account.email, accountId };
    if (told < most) {
      await queueMail(cause, { ...own, template, params }, session);
      return true;
    }
    const what = kinds[template];
    const summedUp = { ...lately, template: 'more-changes', 'params.what': what } as const;
    if ((await mails.native.countDocuments(summedUp, { session, limit: 1 })) > 0) return false;
    const page = (name: string): string => `${publicUrl}/account/${name}`;
    const pages = { activityPage: page('activity'), securityPage: page('security'), resetPage: page('reset') };
    const sum = { what, howOften: words, changedAt: timeInWords(at), ...pages };
    await queueMail(cause, { ...own, template: 'more-changes', params: sum }, session);
    return true;
  };
