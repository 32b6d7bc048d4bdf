import { mailDue, mailQueued } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler } from '@causeway/events';

import type { SendMail } from './send-mail.ts';

/** Sends what is queued, and tries again what is due. */
export const sendMailHandler = (sendMail: () => SendMail): Handler =>
  onEvent.external({
    name: 'send-mail',
    on: [mailQueued, mailDue],
    order: 'commutative',
    handle: ({ data }, { cause, signal }) =>
      sendMail()(cause, { mailId: data.mailId, attempt: 'attempt' in data ? data.attempt : 1, signal }),
  });
