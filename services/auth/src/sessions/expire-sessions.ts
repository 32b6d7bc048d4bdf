import type { Cause } from '@causeway/contracts';

import type { EndSession } from './end-session.ts';
import type { SessionQueries } from './session.model.ts';

/** How many sessions are ended at a time. */
const chunk = 50;

/** What {@link createExpireSessions} is given. */
export interface ExpireSessionsDependencies {
  readonly sessionQueries: Pick<SessionQueries, 'expiredIds'>;
  readonly endSession: EndSession;
  readonly now: () => Date;
}

/**
 * Ends the sessions that are over by time, so that their end is an event too. Replicas may do it at once: a session ends once.
 * What is over is refused by its date already: nothing depends on when this runs.
 *
 * @returns a job; it takes its cause and a signal that stops it, and gives the number of sessions that it ended
 */
export const createExpireSessions =
  ({ sessionQueries, endSession, now }: ExpireSessionsDependencies) =>
  async (cause: Cause, signal: AbortSignal): Promise<number> => {
    let count = 0;
    while (!signal.aborted) {
      const at = now();
      const ids = await sessionQueries.expiredIds(at, chunk);
      if (ids.length === 0) break;
      const ends = await Promise.all(
        ids.map((sessionId) =>
          endSession(cause, { sessionId, reason: 'expired', onlyIf: (session) => session.expiresAt <= at }),
        ),
      );
      count += ends.filter((event) => event !== undefined).length;
    }
    return count;
  };
