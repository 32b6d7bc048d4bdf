import { accountUpdated } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler, RecordedCollection } from '@causeway/events';

import type { AccountDocument } from '../accounts/account.model.ts';
import type { QueueMail } from '../mail/queue-mail.ts';
import { timeInWords } from '../mail/time-in-words.ts';

/** What {@link mailOfPassword} is given, once it runs. */
export interface MailOfPasswordDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly queueMail: QueueMail;
  /** Where clients reach the platform. */
  readonly publicUrl: string;
}

/** Whose password was changed, or taken away, is told so, and what to do if it was not them. */
export const mailOfPassword = (late: () => MailOfPasswordDependencies): Handler =>
  onEvent.transaction({
    name: 'mail-of-password',
    on: [accountUpdated],
    async handle({ data: { accountId, changed }, time }, { cause, session }) {
      if (!changed.includes('password')) return;
      // Where the change of an address is undone, or a second factor taken back, the password goes too; that has a mail of its own.
      const isUndoing = changed.includes('factors') && !changed.includes('emailVerified');
      if (changed.includes('email') || isUndoing) return;
      const { accounts, queueMail, publicUrl } = late();
      // As it is by now: the address may have changed.
      const projection = { email: 1, passwordHash: 1 } as const;
      const account = await accounts.native.findOne({ _id: accountId }, { session, projection });
      if (account === null) return;
      const own = { to: account.email, accountId };
      const [at, resetPage] = [timeInWords(time), `${publicUrl}/account/reset`];
      if (account.passwordHash === undefined)
        await queueMail(cause, { ...own, template: 'password-removed', params: { removedAt: at, resetPage } }, session);
      else
        await queueMail(cause, { ...own, template: 'password-changed', params: { changedAt: at, resetPage } }, session);
    },
  });
