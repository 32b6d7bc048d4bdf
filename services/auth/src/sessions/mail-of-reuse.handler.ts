import { sessionEnded } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler } from '@causeway/events';

import type { TellOwner } from '../mail/tell-owner.ts';
import { timeInWords } from '../mail/time-in-words.ts';

/** What {@link mailOfReuse} is given, once it runs. */
export interface MailOfReuseDependencies {
  readonly tellOwner: TellOwner;
}

/** A refresh token that came back says that somebody has a copy of it: the person is told. */
export const mailOfReuse = (late: () => MailOfReuseDependencies): Handler =>
  onEvent.transaction({
    name: 'mail-of-reuse',
    on: [sessionEnded],
    async handle({ data: { accountId, reason }, time }, { cause, session }) {
      if (reason !== 'refresh-reused') return;
      const params = { endedAt: timeInWords(time) };
      await late().tellOwner(cause, accountId, { template: 'refresh-reused', params }, session);
    },
  });
