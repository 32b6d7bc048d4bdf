import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { Decision, RecordedCollection } from '@causeway/events';

import { accessTokenLifetimeS } from '../tokens/access-token.ts';
import type { EndReason, SessionDocument } from './session.model.ts';
import { ended } from './sessions.events.ts';

/** Tells everybody at once that the access tokens of a session are refused. */
export type Revoke = (sessionId: string, until: Date) => Promise<void>;

/** Clocks of services may differ by so much. */
const clockSkewMs = 60_000;

/** When the last access token of a session that ends now has expired everywhere. */
export const revokedUntil = (endedAt: Date): Date =>
  new Date(endedAt.getTime() + accessTokenLifetimeS * 1000 + clockSkewMs);

/** @returns the end of a session, decided */
export const endOf = (session: SessionDocument, reason: EndReason, at: Date): Decision<SessionDocument> => ({
  state: { ...stateOf(session), status: 'ended', endedAt: at, endReason: reason },
  event: ended(session, reason),
});

/** What {@link createEndSession} is given. */
export interface EndSessionDependencies {
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'update'>;
  readonly revoke: Revoke;
  readonly now: () => Date;
}

/** Which session ends, and why. */
export interface EndSessionCommand {
  readonly sessionId: string;
  /** Only if it is this account's. */
  readonly accountId?: string;
  readonly reason: EndReason;
  /** Says no where the session must not end after all. */
  readonly onlyIf?: (session: SessionDocument) => boolean;
}

/**
 * Ends a session. MongoDB is the truth and is written first: where the push to the others fails, the event still tells them.
 *
 * @returns the id of the event; undefined where there is no such session, or it is over already
 */
export type EndSession = (cause: Cause, command: EndSessionCommand) => Promise<string | undefined>;

/** @returns the use case */
export const createEndSession =
  ({ sessions, revoke, now }: EndSessionDependencies): EndSession =>
  async (cause, { sessionId, accountId, reason, onlyIf }) => {
    const at = now();
    const write = await sessions.update(cause, sessionId, (current) => {
      if (current.status === 'ended') return undefined;
      if (accountId !== undefined && current.accountId !== accountId) return undefined;
      return onlyIf?.(current) === false ? undefined : endOf(current, reason, at);
    });
    if (write?.event === undefined) return undefined;
    await revoke(sessionId, revokedUntil(at));
    return write.event.id;
  };
