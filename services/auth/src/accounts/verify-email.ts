import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { Events, RecordedCollection } from '@causeway/events';

import { linkInvalid } from '../proofs/proofs.errors.ts';
import type { UseProof } from '../proofs/use-proof.ts';
import type { AccountDocument } from './account.model.ts';
import { updated } from './accounts.events.ts';
import type { DemandOwner, LinkUser } from './demand-owner.ts';

/** What {@link createVerifyEmail} is given. */
export interface VerifyEmailDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly demandOwner: DemandOwner;
  readonly useProof: UseProof;
  readonly transaction: Events['transaction'];
}

/** A link, and who uses it. */
export interface VerifyEmailCommand extends LinkUser {
  readonly token: string;
}

/**
 * Notes that an address is its account's owner's. The link says who reads the mail, and not who has made the account: somebody else may have
 * said the address, and waits for it to be verified. So it takes the account's session or its password too.
 *
 * @returns the use case, which gives ids of the events that were recorded; it throws faults `link-invalid`, `invalid-credentials`,
 *   `too-many-attempts`, and `unavailable` where too many passwords wait
 */
export function createVerifyEmail(dependencies: VerifyEmailDependencies) {
  const { accounts, demandOwner, useProof, transaction } = dependencies;
  return async (cause: Cause, command: VerifyEmailCommand): Promise<readonly string[]> => {
    const { token } = command;
    const proof = await useProof.peek(token, 'verify-email');
    const { accountId, emailKey } = proof;
    await demandOwner(proof, command);
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    return transaction(async (session) => {
      const { event } = await useProof.use(own, token, 'verify-email', session);
      const write = await accounts.update(
        own,
        accountId,
        (account) => {
          // It has another address by now.
          if (account.emailKey !== emailKey) throw linkInvalid();
          if (account.emailVerified) return undefined;
          const state = { ...stateOf(account), emailVerified: true };
          return { state, event: updated({ ...account, ...state }, ['emailVerified']) };
        },
        { session },
      );
      if (write === undefined) throw linkInvalid();
      return [event, ...(write.event === undefined ? [] : [write.event.id])];
    });
  };
}

/** What {@link createVerifyEmail} gives. */
export type VerifyEmail = ReturnType<typeof createVerifyEmail>;
