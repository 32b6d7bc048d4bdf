import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { Account } from '../accounts/account.model.ts';
import type { RefreshTokens } from '../tokens/refresh-token.ts';
import { rotated } from './rotated.ts';
import { whyOver } from './session-admission.ts';
import type { SessionDocument } from './session.model.ts';
import { isLive } from './session-rules.ts';
import type { SessionLifetimes } from './session-rules.ts';
import { refreshed } from './sessions.events.ts';

/** Which session stays. */
export interface KeepSessionCommand {
  readonly sessionId: string;
  /** As it was before the write that ends all sessions. */
  readonly account: Pick<Account, '_id' | 'disabledAt' | 'sessionsFrom'>;
  /** The account's `accessVersion` after it. */
  readonly accountVersion: number;
}

/** What {@link createKeepSession} is given. */
export interface KeepSessionDependencies {
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'update'>;
  readonly refreshTokens: Pick<RefreshTokens, 'issue'>;
  readonly lifetimes: SessionLifetimes;
  readonly now: () => Date;
}

/**
 * Lets the session that asks outlive a change of its account that ends all of them, in the transaction of the change; with the next refresh
 * token, so that whoever has a copy of the one before is found out.
 *
 * @returns the session, and the id of the event
 * @throws fault `unauthenticated` where it is over already: it is not brought back
 */
export type KeepSession = (
  cause: Cause,
  command: KeepSessionCommand,
  session: ClientSession,
) => Promise<{ readonly document: SessionDocument; readonly event: string }>;

/** Makes it. */
export const createKeepSession =
  ({ sessions, now, ...rotating }: KeepSessionDependencies): KeepSession =>
  async (cause, { sessionId, account, accountVersion }, session) => {
    const at = now();
    const write = await sessions.update(
      cause,
      sessionId,
      (current) => {
        const isOver = !isLive(current, at) || whyOver(account, current) !== undefined;
        if (isOver || current.accountId !== account._id) return undefined;
        const state = { ...rotated(current, at, rotating), accountVersion };
        return { state, event: refreshed(current, state.generation) };
      },
      { session },
    );
    if (write?.event === undefined) throw faults.unauthenticated({ message: 'the session of this token is over' });
    return { document: write.document, event: write.event.id };
  };
