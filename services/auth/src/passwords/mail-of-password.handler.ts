import { accountUpdated } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler, RecordedCollection } from '@causeway/events';

import type { AccountDocument } from '../accounts/account.model.ts';
import type { TellOwner } from '../mail/tell-owner.ts';
import { timeInWords } from '../mail/time-in-words.ts';

/** What {@link mailOfPassword} is given, once it runs. */
export interface MailOfPasswordDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly tellOwner: TellOwner;
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
      const { accounts, tellOwner, publicUrl } = late();
      const account = await accounts.native.findOne({ _id: accountId }, { session, projection: { passwordHash: 1 } });
      if (account === null) return;
      const [at, resetPage] = [timeInWords(time), `${publicUrl}/account/reset`];
      const notice =
        account.passwordHash === undefined
          ? ({ template: 'password-removed', params: { removedAt: at, resetPage } } as const)
          : ({ template: 'password-changed', params: { changedAt: at, resetPage } } as const);
      await tellOwner(cause, accountId, notice, session);
    },
  });
