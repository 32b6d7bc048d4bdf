import { guardLocked } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler, RecordedCollection } from '@causeway/events';

import type { AccountDocument } from '../accounts/account.model.ts';
import { parseEmailAddress } from '../accounts/email-address.ts';
import type { RequestProof } from '../proofs/request-proof.ts';

/** What {@link unlockByMail} is given, once it runs. */
export interface UnlockByMailDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly requestProof: RequestProof;
}

/** Whose account is locked by somebody who guesses has a link mailed that unlocks it. */
export const unlockByMail = (late: () => UnlockByMailDependencies): Handler =>
  onEvent.transaction({
    name: 'unlock-by-mail',
    on: [guardLocked],
    async handle({ data: { accountId } }, { cause, session }) {
      const { accounts, requestProof } = late();
      const account = await accounts.native.findOne({ _id: accountId }, { session, projection: { email: 1 } });
      const email = account === null ? undefined : parseEmailAddress(account.email);
      if (email !== undefined) await requestProof(cause, { kind: 'unlock', email, accountId }, session);
    },
  });
