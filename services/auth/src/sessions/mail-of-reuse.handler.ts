import { sessionEnded } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler, RecordedCollection } from '@causeway/events';

import type { AccountDocument } from '../accounts/account.model.ts';
import { timeInWords } from '../mail/time-in-words.ts';
import type { QueueMail } from '../mail/queue-mail.ts';

/** What {@link mailOfReuse} is given, once it runs. */
export interface MailOfReuseDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly queueMail: QueueMail;
}

/** A refresh token that came back says that somebody has a copy of it: the person is told. */
export const mailOfReuse = (late: () => MailOfReuseDependencies): Handler =>
  onEvent.transaction({
    name: 'mail-of-reuse',
    on: [sessionEnded],
    async handle({ data, time }, { cause, session }) {
      if (data.reason !== 'refresh-reused') return;
      const { accounts, queueMail } = late();
      const account = await accounts.native.findOne({ _id: data.accountId }, { session, projection: { email: 1 } });
      if (account === null) return;
      const params = { endedAt: timeInWords(time) };
      const mail = { template: 'refresh-reused', to: account.email, accountId: data.accountId, params } as const;
      await queueMail(cause, mail, session);
    },
  });
