import { parseAfter } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { SessionQueries, SessionSummary } from './session.model.ts';

/** A session in a list. */
export const sessionRepresentation = z.object({
  id: z.string(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime(),
  userAgent: z.string().nullable(),
  ip: z.string().nullable(),
  current: z.boolean().meta({ description: 'Whether the call was made in this session.' }),
});

/**
 * @param current - the id of the session that the call is made in
 * @returns the session as {@link sessionRepresentation} has it
 */
export const representSession = (session: SessionSummary, current: string) => ({
  id: session._id,
  createdAt: session.createdAt.toISOString(),
  lastUsedAt: session.lastUsedAt.toISOString(),
  userAgent: session.userAgent ?? null,
  ip: session.ip ?? null,
  current: session._id === current,
});

/** `GET /v1/auth/sessions` */
export const listSessionsRoute = (given: {
  readonly sessionQueries: Pick<SessionQueries, 'listLive'>;
  readonly now: () => Date;
}): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/auth/sessions',
    operationId: 'listSessions',
    tag: 'auth',
    summary: "The caller's sessions",
    description: 'The last used first; at most 200.',
    access: 'signed-in',
    requestHeaders: {
      'Causeway-After': { description: 'The highest `Causeway-Position` seen: nothing older is answered.' },
    },
    responses: {
      200: { description: 'Sessions that are not over.', schema: z.object({ items: z.array(sessionRepresentation) }) },
    },
    async handle({ token, headers }) {
      const after = parseAfter(headers['causeway-after']);
      const sessions = await given.sessionQueries.listLive(token.sub, given.now(), after);
      const items = sessions.map((session) => representSession(session, token.sid));
      return { status: 200, body: { items }, headers: { 'Cache-Control': 'private, no-cache' } };
    },
  });
