import type { Cause } from '@causeway/contracts';
import { gatherReads, type Decision, type RecordedCollection, type RecordedUpdate } from '@causeway/events';

import type { Account, AccountQueries } from '../accounts/account.model.ts';
import { readRefreshToken } from '../tokens/refresh-token.ts';
import type { RefreshTokens } from '../tokens/refresh-token.ts';
import { endOf, revokedUntil } from './end-session.ts';
import type { EndSession, Revoke } from './end-session.ts';
import { createJudgeToken } from './judge-token.ts';
import { rotated } from './rotated.ts';
import { whyOver } from './session-admission.ts';
import type { SessionDocument } from './session.model.ts';
import type { RefreshDecision, SessionLifetimes } from './session-rules.ts';
import type { SessionTokens, Tokens } from './session-tokens.ts';
import { invalidRefreshToken, refreshReused } from './sessions.errors.ts';
import { refreshed } from './sessions.events.ts';

/** What {@link createRefresh} is given. */
export interface RefreshDependencies {
  readonly accounts: Pick<AccountQueries, 'byId'>;
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'native' | 'update'>;
  readonly refreshTokens: RefreshTokens;
  readonly sessionTokens: SessionTokens;
  readonly lifetimes: SessionLifetimes;
  readonly revoke: Revoke;
  readonly endSession: EndSession;
  readonly now: () => Date;
}

/** What came of a refresh. */
export interface Refreshed {
  readonly tokens: Tokens;
  /** Ids of the events that were recorded: none for a retry. */
  readonly events: readonly string[];
}

/**
 * Exchanges a refresh token for the next pair of tokens. Of any number of exchanges at once one makes the pair (compare-and-set
 * at majority), and all of them get it, since it is derived and not drawn.
 *
 * @returns the use case; it throws fault `invalid-refresh-token`, and `refresh-reused` once it has ended the session
 */
export function createRefresh(dependencies: RefreshDependencies) {
  const { accounts, sessions, refreshTokens, sessionTokens, lifetimes, revoke, endSession, now } = dependencies;

  const judge = createJudgeToken(refreshTokens);
  const read = gatherReads(sessions.native);

  const rotate = (session: SessionDocument, at: Date): Decision<SessionDocument> => {
    const state = rotated(session, at, { refreshTokens, lifetimes });
    return { state, event: refreshed(session, state.generation) };
  };

  /** The tokens, unless the account says that the session is over: its row has not been ended yet, and is now. */
  const admit = async (
    own: Cause,
    account: Account,
    { document, event }: RecordedUpdate<SessionDocument>,
  ): Promise<Refreshed> => {
    const events = event === undefined ? [] : [event.id];
    const reason = whyOver(account, document);
    if (reason === undefined) return { tokens: await sessionTokens(account, document), events };
    const end = await endSession(own, { sessionId: document._id, reason });
    const recorded = end === undefined ? events : [...events, end];
    throw invalidRefreshToken({ headers: recorded.length === 0 ? {} : { 'Causeway-Event': recorded.join(', ') } });
  };

  return async (cause: Cause, token: string): Promise<Refreshed> => {
    const claim = readRefreshToken(token);
    if (claim === undefined) throw invalidRefreshToken();
    // The one read of it, unless somebody else is faster.
    const session = await read(claim.sessionId);
    if (session === undefined) throw invalidRefreshToken();
    const { accountId } = session;

    const at = now();
    let decision: RefreshDecision = 'refuse';
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    const decide = (current: SessionDocument): Decision<SessionDocument> | undefined => {
      decision = judge(current, token, claim.generation, at);
      if (decision === 'rotate') return rotate(current, at);
      return decision === 'reused' ? endOf(current, 'refresh-reused', at) : undefined;
    };
    const [account, write] = await Promise.all([
      accounts.byId(accountId),
      sessions.update(own, claim.sessionId, decide, { current: session }),
    ]);
    // Assigned in a callback, which the compiler does not follow.
    switch (decision as RefreshDecision) {
      case 'reused':
        await revoke(claim.sessionId, revokedUntil(at));
        throw refreshReused({ headers: write?.event === undefined ? {} : { 'Causeway-Event': write.event.id } });
      case 'rotate':
      case 'repeat':
        if (account === undefined || write === undefined) throw invalidRefreshToken();
        return admit(own, account, write);
      case 'refuse':
        throw invalidRefreshToken();
    }
  };
}
