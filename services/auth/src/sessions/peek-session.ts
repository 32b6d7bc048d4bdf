import type { RecordedCollection } from '@causeway/events';

import type { Account, AccountQueries } from '../accounts/account.model.ts';
import { readRefreshToken } from '../tokens/refresh-token.ts';
import type { RefreshTokens } from '../tokens/refresh-token.ts';
import { createJudgeToken } from './judge-token.ts';
import { whyOver } from './session-admission.ts';
import type { SessionDocument } from './session.model.ts';

/** What {@link createPeekSession} is given. */
export interface PeekSessionDependencies {
  readonly accounts: Pick<AccountQueries, 'byId'>;
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'native'>;
  readonly refreshTokens: RefreshTokens;
  readonly now: () => Date;
}

/**
 * Which session a refresh token is of, without exchanging it: it is as good afterwards as it was before. Nothing comes of one that is over,
 * or was exchanged long ago.
 */
export type PeekSession = (
  token: string,
) => Promise<{ readonly session: SessionDocument; readonly account: Account } | undefined>;

/** @returns the read */
export const createPeekSession = ({ accounts, sessions, refreshTokens, now }: PeekSessionDependencies): PeekSession => {
  const judge = createJudgeToken(refreshTokens);
  return async (token) => {
    const claim = readRefreshToken(token);
    if (claim === undefined) return undefined;
    const session = await sessions.native.findOne({ _id: claim.sessionId });
    if (session === null) return undefined;
    const decision = judge(session, token, claim.generation, now());
    if (decision !== 'rotate' && decision !== 'repeat') return undefined;
    const account = await accounts.byId(session.accountId);
    return account === undefined || whyOver(account, session) !== undefined ? undefined : { session, account };
  };
};
