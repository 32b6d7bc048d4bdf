import type { Cause } from '@causeway/contracts';
import type { Events } from '@causeway/events';

import type { UseProof } from '../proofs/use-proof.ts';
import type { GuessGuard } from './guess-guard.ts';

/** What {@link createUnlock} is given. */
export interface UnlockDependencies {
  readonly guard: Pick<GuessGuard, 'clear'>;
  readonly useProof: UseProof;
  readonly transaction: Events['transaction'];
}

/**
 * Has an account take guesses again, by the link that was mailed to its owner.
 *
 * @returns the use case, which gives ids of the events that were recorded; it throws fault `link-invalid`
 */
export const createUnlock =
  ({ guard, useProof, transaction }: UnlockDependencies) =>
  async (cause: Cause, token: string): Promise<readonly string[]> => {
    const { accountId, emailKey } = await useProof.peek(token, 'unlock');
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    // Before the link is used up: whoever is interrupted uses it once more, and forgiving twice is forgiving.
    await guard.clear(emailKey);
    const { event } = await transaction((session) => useProof.use(own, token, 'unlock', session));
    return [event];
  };

/** What {@link createUnlock} gives. */
export type Unlock = ReturnType<typeof createUnlock>;
