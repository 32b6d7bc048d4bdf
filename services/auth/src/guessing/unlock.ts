import type { Cause } from '@causeway/contracts';
import type { Events, RecordedCollection } from '@causeway/events';

import type { AccountDocument } from '../accounts/account.model.ts';
import type { UseProof } from '../proofs/use-proof.ts';
import type { GuessGuard } from './guess-guard.ts';

/** What {@link createUnlock} is given. */
export interface UnlockDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly guard: Pick<GuessGuard, 'clear'>;
  readonly useProof: UseProof;
  readonly transaction: Events['transaction'];
}

/** What came of it. */
export interface Unlocked {
  /** Whose account it is: the device that has opened the link is known from now on. */
  readonly emailKey: string;
  /** Ids of the events that were recorded. */
  readonly events: readonly string[];
}

/**
 * Has an account take guesses again, by the link that was mailed to its owner. Where there is a second factor, nothing is forgiven: its owner
 * gets in by the places of known devices, and that forgives all.
 *
 * @returns the use case; it throws fault `link-invalid`
 */
export const createUnlock =
  ({ accounts, guard, useProof, transaction }: UnlockDependencies) =>
  async (cause: Cause, token: string): Promise<Unlocked> => {
    const { accountId, emailKey } = await useProof.peek(token, 'unlock');
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    const { event, account } = await transaction(async (session) => ({
      event: (await useProof.use(own, token, 'unlock', session)).event,
      account: await accounts.native.findOne({ _id: accountId }, { session, projection: { hasSecondFactor: 1 } }),
    }));
    // A second factor is guessed at too: whoever reads the mail alone could have that forgiven for ever.
    if (account?.hasSecondFactor !== true) await guard.clear(emailKey);
    return { emailKey, events: [event] };
  };

/** What {@link createUnlock} gives. */
export type Unlock = ReturnType<typeof createUnlock>;
