import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { AccountDocument } from '../accounts/account.model.ts';
import { updated } from '../accounts/accounts.events.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
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
  readonly deviceTokens: Pick<DeviceTokens, 'issue'>;
  readonly now: () => Date;
}

/** What it comes to. */
export interface NotedFactors {
  readonly account: AccountDocument;
  /** Id of the event. */
  readonly event: string | undefined;
  /**
   * For the device where the first second factor of an account was set up: no other is known by one yet, and a link that somebody reads who reads
   * the mail alone makes a stranger of it otherwise. Undefined for others, which have theirs, and where nobody has verified the address.
   */
  readonly deviceToken: string | undefined;
}

/**
 * Notes at the account that it has a second factor, in the transaction of the change. Whatever gives the account to somebody writes it too:
 * they meet here, and a factor of whoever has lost the account is not kept.
 *
 * @throws faults `unauthenticated` where the caller's session is over by now, and `not-found` where the account is gone
 */
export type NoteFactors = (cause: Cause, caller: Caller, session: ClientSession) => Promise<NotedFactors>;

/** Makes it. */
export const createNoteFactors =
  (given: NoteFactorsDependencies): NoteFactors =>
  async (cause, caller, session) => {
    const found = { isFirst: false };
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
    if (found.isFirst)
      await given.withdrawProofs(cause, { accountId, kinds: ['change-email'], reason: 'second-factor' }, session);
    const { emailKey, emailVerified } = write.document;
    const isTold = found.isFirst && emailVerified;
    const deviceToken = isTold ? given.deviceTokens.issue(emailKey, 'proven') : undefined;
    return { account: write.document, event: write.event?.id, deviceToken };
  };
