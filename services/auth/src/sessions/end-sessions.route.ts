import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { EndOtherSessions } from './end-other-sessions.ts';
import type { EndSession } from './end-session.ts';
import { eventHeader } from './signed-in-answer.ts';

/** `DELETE /v1/auth/sessions/{id}` */
export const endSessionRoute = ({ endSession }: { readonly endSession: EndSession }): Route =>
  defineRoute({
    method: 'delete',
    path: '/v1/auth/sessions/{id}',
    operationId: 'endSession',
    tag: 'auth',
    summary: "End one of the caller's sessions",
    access: 'signed-in',
    params: z.object({ id: z.string().max(64) }),
    responses: { 204: { description: 'The session has ended.', headers: eventHeader } },
    faults: [faults.notFound],
    async handle({ cause, token, params }) {
      const event = await endSession(cause, { sessionId: params.id, accountId: token.sub, reason: 'revoked' });
      if (event === undefined) throw faults.notFound();
      return { status: 204, headers: { 'Causeway-Event': event } };
    },
  });

/** `DELETE /v1/auth/sessions` */
export const endOtherSessionsRoute = (given: { readonly endOtherSessions: EndOtherSessions }): Route =>
  defineRoute({
    method: 'delete',
    path: '/v1/auth/sessions',
    operationId: 'endOtherSessions',
    tag: 'auth',
    summary: "End all of the caller's sessions but this one",
    access: 'signed-in',
    responses: { 204: { description: 'All others have ended.', headers: eventHeader } },
    async handle({ cause, token }) {
      const events = await given.endOtherSessions(cause, { accountId: token.sub, but: token.sid });
      const header = events.length === 0 || events.length > 10 ? undefined : events.join(', ');
      return { status: 204, headers: { 'Causeway-Event': header } };
    },
  });
