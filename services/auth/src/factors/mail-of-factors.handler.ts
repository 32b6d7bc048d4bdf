import { factorRemoved, factorUpdated, proofUsed } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { AccountDocument } from '../accounts/account.model.ts';
import type { MailDocument } from '../mail/mail.model.ts';
import type { MailRequest, QueueMail } from '../mail/queue-mail.ts';
import { timeInWords } from '../mail/time-in-words.ts';
import type { SessionDocument } from '../sessions/session.model.ts';
import { deviceOfSession } from './device-of-session.ts';
import { factorInWords } from './factor-words.ts';

/** What {@link mailsOfFactors} are given, once they run. */
export interface MailOfFactorsDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'native'>;
  readonly mails: Pick<RecordedCollection<MailDocument>, 'native'>;
  readonly queueMail: QueueMail;
  /** Where clients reach the platform. */
  readonly publicUrl: string;
  readonly now: () => Date;
}

/** Whoever has a copy of a passkey may try it as often as they please: its owner is told once in so long. */
const suspicionMs = 24 * 3_600_000;

type Words = Pick<MailRequest, 'template' | 'params'>;

/**
 * Whose second factor was removed, taken back or copied, or whose recovery codes were made anew, is told so; of one that was added they are told
 * by the mail of the link that takes it back. Nobody has asked for mail to an address that was never verified: none is sent there.
 */
export const mailsOfFactors = (late: () => MailOfFactorsDependencies): Handler[] => {
  const tell = async (cause: Cause, accountId: string, { template, params }: Words, session: ClientSession) => {
    const { accounts, queueMail } = late();
    // As it is by now: the address may have changed.
    const projection = { email: 1, emailVerified: 1 } as const;
    const account = await accounts.native.findOne({ _id: accountId }, { session, projection });
    if (account?.emailVerified !== true) return;
    await queueMail(cause, { template, params, to: account.email, accountId }, session);
  };
  const isTold = async (accountId: string, session: ClientSession): Promise<boolean> => {
    const { mails, now } = late();
    const lately = { $gt: new Date(now().getTime() - suspicionMs) };
    const told = { accountId, template: 'passkey-suspected', createdAt: lately } as const;
    return (await mails.native.findOne(told, { session, projection: { _id: 1 } })) !== null;
  };
  const page = (name: string): string => `${late().publicUrl}/account/${name}`;

  return [
    onEvent.transaction({
      name: 'mail-of-removed-factor',
      on: [factorRemoved],
      async handle({ data: { accountId, kind, reason, sessionId }, time }, { cause, session }) {
        // Recovery codes go with the last second factor, and by themselves never.
        if (reason !== 'owner' || kind === 'recovery-codes') return;
        const device = await deviceOfSession(late().sessions, sessionId, session);
        const what = { factor: factorInWords(kind), removedAt: timeInWords(time), device };
        const params = { ...what, securityPage: page('security'), resetPage: page('reset') };
        await tell(cause, accountId, { template: 'factor-removed', params }, session);
      },
    }),
    onEvent.transaction({
      name: 'mail-of-factor',
      on: [factorUpdated],
      async handle({ data: { accountId, changed = [], cameWith, sessionId }, time }, { cause, session }) {
        const at = timeInWords(time);
        if (changed.includes('suspected') && !(await isTold(accountId, session))) {
          const params = { refusedAt: at, securityPage: page('security') };
          await tell(cause, accountId, { template: 'passkey-suspected', params }, session);
        }
        // Those that come with a factor are told of with it.
        if (!changed.includes('codes') || cameWith !== undefined) return;
        const device = await deviceOfSession(late().sessions, sessionId, session);
        const pages = { codesPage: page('recovery-codes'), resetPage: page('reset') };
        const params = { renewedAt: at, device, ...pages };
        await tell(cause, accountId, { template: 'recovery-codes-renewed', params }, session);
      },
    }),
    onEvent.transaction({
      name: 'mail-of-undone-factor',
      on: [proofUsed],
      async handle({ data: { accountId, kind }, time }, { cause, session }) {
        if (kind !== 'undo-factor' || accountId === undefined) return;
        const params = { undoneAt: timeInWords(time), securityPage: page('security') };
        await tell(cause, accountId, { template: 'factor-undone', params }, session);
      },
    }),
  ];
};
