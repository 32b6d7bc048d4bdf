import type { Cause } from '@causeway/contracts';

import { readRefreshToken } from '../tokens/refresh-token.ts';
import type { RefreshTokens } from '../tokens/refresh-token.ts';
import type { EndSession } from './end-session.ts';

/** What {@link createEndReplacedSession} is given. */
export interface EndReplacedSessionDependencies {
  readonly refreshTokens: Pick<RefreshTokens, 'isGenuine'>;
  readonly endSession: EndSession;
}

/**
 * Ends the session that a browser had before somebody signed in anew with it.
 *
 * @param before - the refresh token of the browser's cookie; one that was made up ends nothing
 * @param after - the one that it gets instead: a sign-up that is repeated gets the same session again, which lives on
 * @returns the id of the event; undefined where nothing ended
 */
export type EndReplacedSession = (cause: Cause, before: string, after: string) => Promise<string | undefined>;

/** @returns the use case */
export const createEndReplacedSession =
  ({ refreshTokens, endSession }: EndReplacedSessionDependencies): EndReplacedSession =>
  async (cause, before, after) => {
    const claim = readRefreshToken(before);
    if (claim === undefined || claim.sessionId === readRefreshToken(after)?.sessionId) return undefined;
    const { sessionId, generation } = claim;
    return endSession(cause, {
      sessionId,
      reason: 'signed-out',
      onlyIf: ({ seed }) => refreshTokens.isGenuine(before, { sessionId, seed, generation }),
    });
  };
