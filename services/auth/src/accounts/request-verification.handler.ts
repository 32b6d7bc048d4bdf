import { accountCreated } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler } from '@causeway/events';

import type { RequestProof } from '../proofs/request-proof.ts';
import { parseEmailAddress } from './email-address.ts';

/** Whoever signs up is asked, by mail, whether the address is theirs. */
export const requestVerification = (late: () => { readonly requestProof: RequestProof }): Handler =>
  onEvent.transaction({
    name: 'request-verification',
    on: [accountCreated],
    async handle({ data }, { cause, session }) {
      const email = parseEmailAddress(data.email);
      if (data.emailVerified || email === undefined) return;
      await late().requestProof(cause, { kind: 'verify-email', email, accountId: data.accountId }, session);
    },
  });
