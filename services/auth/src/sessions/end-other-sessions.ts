import type { Cause } from '@causeway/contracts';

import type { EndSession } from './end-session.ts';
import type { SessionQueries } from './session.model.ts';

/** How many sessions are ended at a time. */
const chunk = 20;

/** Ends all sessions of an account but one; gives the ids of the events. */
export type EndOtherSessions = (
  cause: Cause,
  command: { readonly accountId: string; readonly but: string },
) => Promise<readonly string[]>;

/** @returns the use case */
export const createEndOtherSessions =
  (given: {
    readonly sessionQueries: Pick<SessionQueries, 'liveIdsBut'>;
    readonly endSession: EndSession;
  }): EndOtherSessions =>
  async (cause, { accountId, but }) => {
    const events: string[] = [];
    for (;;) {
      const ids = await given.sessionQueries.liveIdsBut(accountId, but, chunk);
      if (ids.length === 0) return events;
      const ends = await Promise.all(
        ids.map((sessionId) => given.endSession(cause, { sessionId, accountId, reason: 'revoked' })),
      );
      events.push(...ends.filter((event) => event !== undefined));
    }
  };
