import { accountUpdated } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler } from '@causeway/events';

import type { QueueMail } from '../../mail/queue-mail.ts';
import { timeInWords } from '../../mail/time-in-words.ts';
import { parseEmailAddress } from '../email-address.ts';

/** What {@link mailOfEmail} is given, once it runs. */
export interface MailOfEmailDependencies {
  readonly queueMail: QueueMail;
}

/**
 * Both addresses are told of a change: the new one that it is the account's; the one before, where it had been verified, by the link that undoes
 * it, and where that was used, that it is not any more. Nobody has asked for mail to an address that was never verified: whoever signs up
 * with somebody's and changes it has none sent there.
 */
export const mailOfEmail = (late: () => MailOfEmailDependencies): Handler =>
  onEvent.transaction({
    name: 'mail-of-email',
    on: [accountUpdated],
    async handle({ data: { accountId, email, changed, previousEmail }, time }, { cause, session }) {
      if (!changed.includes('email') || previousEmail === undefined) return;
      // Written otherwise, and the same.
      if (parseEmailAddress(email)?.key === parseEmailAddress(previousEmail)?.key) return;
      const { queueMail } = late();
      const params = { changedAt: timeInWords(time) };
      // An undoing takes the password away.
      const isUndoing = changed.includes('password');
      const template = isUndoing ? 'email-restored' : 'email-confirmed';
      await queueMail(cause, { template, to: email, accountId, params }, session);
      if (isUndoing) await queueMail(cause, { template: 'email-left', to: previousEmail, accountId, params }, session);
    },
  });
