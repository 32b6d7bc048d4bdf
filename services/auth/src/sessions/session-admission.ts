import type { Account } from '../accounts/account.model.ts';
import type { EndReason, SessionDocument } from './session.model.ts';

/**
 * Why a session may not go on although its row says that it is live: one write of the account has ended all of its sessions, and their
 * rows are ended after it.
 *
 * @param account - as it is
 * @returns undefined where it may
 */
export const whyOver = (
  { disabledAt, sessionsFrom }: Pick<Account, 'disabledAt' | 'sessionsFrom'>,
  { accountVersion = 1 }: Pick<SessionDocument, 'accountVersion'>,
): EndReason | undefined => {
  if (disabledAt !== undefined) return 'account-disabled';
  return accountVersion < sessionsFrom ? 'revoked' : undefined;
};
