import { accountOf } from './account.model.ts';
import type { AccountDocument } from './account.model.ts';

/** What ends with a change: `tokens` where rights are lost, `sessions` too where credentials change or the account is disabled. */
export type EndsWithChange = 'tokens' | 'sessions';

/**
 * The part of an account's next state that ends its access tokens, and its sessions: one write for any number of them. Whoever verifies a
 * token hears of the new version; a session of a lower one is refused when it is refreshed, whether its row has been ended by then or not.
 *
 * @param account - as it is
 * @param ends - a session that is to stay is moved to the new version in the same transaction
 * @param at - when
 */
export const raiseAccessVersion = (
  account: Pick<AccountDocument, 'accessVersion'>,
  ends: EndsWithChange,
  at: Date,
): { readonly accessVersion: number; readonly accessVersionAt: Date; readonly sessionsFrom?: number } => {
  const accessVersion = accountOf(account).accessVersion + 1;
  return { accessVersion, accessVersionAt: at, ...(ends === 'sessions' && { sessionsFrom: accessVersion }) };
};
