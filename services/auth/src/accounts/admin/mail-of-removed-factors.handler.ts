import { accountUpdated } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler, RecordedCollection } from '@causeway/events';

import type { QueueMail } from '../../mail/queue-mail.ts';
import { timeInWords } from '../../mail/time-in-words.ts';
import type { AccountDocument } from '../account.model.ts';

/** What {@link mailOfRemovedFactors} is given, once it runs. */
export interface MailOfRemovedFactorsDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly queueMail: QueueMail;
  /** Where clients reach the platform. */
  readonly publicUrl: string;
}

/**
 * Whose second factors an administrator has removed is told so, once for all of them and each time: nobody else can do it, so nobody fills a mailbox
 * by it. To an address that nobody has verified nothing is written.
 */
export const mailOfRemovedFactors = (late: () => MailOfRemovedFactorsDependencies): Handler =>
  onEvent.transaction({
    name: 'mail-of-removed-factors',
    on: [accountUpdated],
    async handle({ data: { accountId, changed, by }, time }, { cause, session }) {
      if (by === undefined || !changed.includes('factors')) return;
      const { accounts, queueMail, publicUrl } = late();
      // As it is by now: the address may have changed.
      const projection = { email: 1, emailVerified: 1 } as const;
      const account = await accounts.native.findOne({ _id: accountId }, { session, projection });
      if (account?.emailVerified !== true) return;
      const pages = { securityPage: `${publicUrl}/account/security`, resetPage: `${publicUrl}/account/reset` };
      const params = { removedAt: timeInWords(time), ...pages };
      await queueMail(cause, { template: 'factors-removed', params, to: account.email, accountId }, session);
    },
  });
