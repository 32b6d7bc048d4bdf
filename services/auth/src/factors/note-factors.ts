import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { AccountDocument } from '../accounts/account.model.ts';
import { updated } from '../accounts/accounts.events.ts';
import type { WithdrawProofs } from '../proofs/withdraw-proofs.ts';
import type { SessionDocument } from '../sessions/session.model.ts';
import { demandAccess, demandLive } from './caller.ts';
import type { Caller } from './caller.ts';

/** What {@link createNoteFactors} is given. */
export interface NoteFactorsDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'native'>;
  /** What was asked for with one proof is not done once there are two. */
  readonly withdrawProofs: WithdrawProofs;
  readonly now: () => Date;
}

/**
 * Notes at the account that it has a second factor, in the transaction of the change. Whatever gives the account to somebody writes it too:
 * they meet here, and a factor of whoever has lost the account is not kept.
 *
 * @returns the account, and the id of the event
 * @throws faults `unauthenticated` where the caller's session is over by now, and `not-found` where the account is gone
 */
export type NoteFactors = (
  cause: Cause,
  caller: Caller,
  session: ClientSession,
) => Promise<{ readonly account: AccountDocument; readonly event: string | undefined }>;

/** Makes it. */
export const createNoteFactors =
  (given: NoteFactorsDependencies): NoteFactors =>
  async (cause, caller, session) => {
    const found: { isFirst?: boolean } = {};
    const write = await given.accounts.update(
      cause,
      caller.accountId,
      (current) => {
        demandAccess(current, caller);
        found.isFirst = current.hasSecondFactor !== true;
        return { state: { ...stateOf(current), hasSecondFactor: true }, event: updated(current, ['factors']) };
      },
      { session },
    );
    if (write === undefined) throw faults.notFound();
    await demandLive(given, caller, session);
    const { accountId } = caller;
    if (found.isFirst === true)
      await given.withdrawProofs(cause, { accountId, kinds: ['change-email'], reason: 'second-factor' }, session);
    return { account: write.document, event: write.event?.id };
  };
