import {
  sessionDeleted,
  sessionEnded,
  sessionReauthenticated,
  sessionRefreshed,
  sessionStarted,
} from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import { authenticationOf } from './authentication.ts';
import type { EndReason, SessionDocument } from './session.model.ts';

type Facts = Pick<SessionDocument, '_id' | 'accountId'>;

const facts = ({ _id, accountId }: Facts) => ({ sessionId: _id, accountId });

/** Somebody has signed in. */
export const started = (
  session: Facts &
    Pick<SessionDocument, 'method' | 'ip' | 'userAgent'> &
    Required<Pick<SessionDocument, 'amr' | 'acr'>>,
): EventDraft =>
  draft(sessionStarted, {
    ...facts(session),
    ...{ method: session.method, amr: [...session.amr], acr: session.acr },
    ...(session.ip === undefined ? {} : { ip: session.ip }),
    ...(session.userAgent === undefined ? {} : { userAgent: session.userAgent }),
  });

/** A refresh token has been exchanged for the next. */
export const refreshed = (session: Facts, generation: number): EventDraft =>
  draft(sessionRefreshed, { ...facts(session), generation });

/** Its owner has proved once more who they are, and it goes on. */
export const reauthenticated = (session: Facts & Parameters<typeof authenticationOf>[0]): EventDraft => {
  const { amr, acr } = authenticationOf(session);
  return draft(sessionReauthenticated, { ...facts(session), amr: [...amr], acr });
};

/** A session is over. */
export const ended = (session: Facts, reason: EndReason): EventDraft =>
  draft(sessionEnded, { ...facts(session), reason });

/** Nothing is kept of a session any more. */
export const deleted = (session: Facts): EventDraft => draft(sessionDeleted, facts(session));
