import { accountUpdated } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler, RecordedCollection } from '@causeway/events';

import type { QueueMail } from '../../mail/queue-mail.ts';
import { timeInWords } from '../../mail/time-in-words.ts';
import type { AccountDocument } from '../account.model.ts';

/** What {@link mailOfDisabling} is given, once it runs. */
export interface MailOfDisablingDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly queueMail: QueueMail;
}

/** Whose account is disabled, or enabled again, is told so. */
export const mailOfDisabling = (late: () => MailOfDisablingDependencies): Handler =>
  onEvent.transaction({
    name: 'mail-of-disabling',
    on: [accountUpdated],
    async handle({ data: { accountId, changed, disabled }, time }, { cause, session }) {
      if (!changed.includes('disabled') || disabled === undefined) return;
      const { accounts, queueMail } = late();
      // As it is by now: the address may have changed.
      const account = await accounts.native.findOne({ _id: accountId }, { session, projection: { email: 1 } });
      if (account === null) return;
      const own = { to: account.email, accountId };
      const at = timeInWords(time);
      if (disabled)
        await queueMail(cause, { ...own, template: 'account-disabled', params: { disabledAt: at } }, session);
      else await queueMail(cause, { ...own, template: 'account-enabled', params: { enabledAt: at } }, session);
    },
  });
