import { faults } from '@causeway/contracts';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { accountOf } from '../accounts/account.model.ts';
import type { AccountDocument } from '../accounts/account.model.ts';
import { whyOver } from '../sessions/session-admission.ts';
import { isLive } from '../sessions/session-rules.ts';
import type { SessionDocument } from '../sessions/session.model.ts';

/** Who changes what an account proves itself with: what their access token says. */
export interface Caller {
  readonly accountId: string;
  readonly sessionId: string;
  /** The account's `accessVersion` when the token was made; 0 in tokens of an earlier release. */
  readonly accountVersion: number;
}

/** @param token - of the call, or of the visitor of a page */
export const callerOf = (token: {
  readonly sub: string;
  readonly sid: string;
  readonly accountVersion: number;
}): Caller => ({ accountId: token.sub, sessionId: token.sid, accountVersion: token.accountVersion });

/** A token is good for some minutes, and its session was over before the change was made. */
export const sessionOver = () => faults.unauthenticated({ message: 'the session of this token is over' });

/**
 * Demands that nothing has ended the caller's sessions since their token was looked at: somebody may have been given the account meanwhile.
 *
 * @param account - as the write of the change finds it
 * @throws fault `unauthenticated`
 */
export const demandAccess = (
  account: Pick<AccountDocument, 'disabledAt' | 'sessionsFrom'>,
  { accountVersion }: Pick<Caller, 'accountVersion'>,
): void => {
  if (whyOver(accountOf(account), { accountVersion: Math.max(accountVersion, 1) }) !== undefined) throw sessionOver();
};

/**
 * Demands that the caller's session goes on, in the transaction of the change.
 *
 * @throws fault `unauthenticated`
 */
export const demandLive = async (
  {
    sessions,
    now,
  }: { readonly sessions: Pick<RecordedCollection<SessionDocument>, 'native'>; readonly now: () => Date },
  { accountId, sessionId }: Pick<Caller, 'accountId' | 'sessionId'>,
  session: ClientSession,
): Promise<void> => {
  const row = await sessions.native.findOne({ _id: sessionId, accountId }, { session });
  if (row?.status !== 'live' || !isLive(row, now())) throw sessionOver();
};
