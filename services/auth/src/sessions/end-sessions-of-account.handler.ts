import { accountUpdated } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler } from '@causeway/events';

import type { EndSession } from './end-session.ts';
import type { EndReason, SessionQueries } from './session.model.ts';

/** How many sessions are ended at a time. */
const chunk = 20;

/** Why the sessions of an account end, by what of it has changed; the first that fits. */
const reasons: readonly (readonly [changed: string, reason: EndReason])[] = [
  ['disabled', 'account-disabled'],
  ['password', 'password-changed'],
  ['email', 'email-changed'],
  ['factors', 'factor-removed'],
  ['sessions', 'administrator'],
];

/** @returns why sessions have ended with a change of their account */
export const endReasonOf = (changed: readonly string[]): EndReason =>
  reasons.find(([what]) => changed.includes(what))?.[1] ?? 'revoked';

/** What {@link endSessionsOfAccount} is given, once it runs. */
export interface EndSessionsOfAccountDependencies {
  readonly sessionQueries: Pick<SessionQueries, 'liveIdsBelow'>;
  readonly endSession: EndSession;
}

/**
 * Ends the rows of the sessions that one write of their account has ended, each with its event. Nothing waits for it: no refresh admits
 * them, and their tokens are refused. Sessions may be more than fit into a transaction, so each is ended by itself; one that was moved to
 * the new version stays.
 */
export const endSessionsOfAccount = (late: () => EndSessionsOfAccountDependencies): Handler =>
  onEvent.external({
    name: 'end-sessions-of-account',
    on: [accountUpdated],
    order: 'commutative',
    async handle({ data: { accountId, changed, sessionsFrom } }, { cause, signal }) {
      if (sessionsFrom === undefined) return;
      const { sessionQueries, endSession } = late();
      const reason = endReasonOf(changed);
      while (!signal.aborted) {
        const ids = await sessionQueries.liveIdsBelow(accountId, sessionsFrom, chunk);
        if (ids.length === 0) return;
        const onlyIf = ({ accountVersion = 1 }: { readonly accountVersion?: number }) => accountVersion < sessionsFrom;
        await Promise.all(ids.map((sessionId) => endSession(cause, { sessionId, accountId, reason, onlyIf })));
      }
      signal.throwIfAborted();
    },
  });
