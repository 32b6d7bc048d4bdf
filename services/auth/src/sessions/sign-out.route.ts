import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';

import type { EndSession } from './end-session.ts';
import { eventHeader } from './signed-in-answer.ts';

/** `POST /v1/auth/sign-out` */
export const signOutRoute = ({ endSession }: { readonly endSession: EndSession }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-out',
    operationId: 'signOut',
    tag: 'auth',
    summary: 'End the session',
    description: 'The session ends, and its access token with it, everywhere, within a second.',
    access: 'signed-in',
    responses: { 204: { description: 'The session has ended.', headers: eventHeader } },
    async handle({ cause, token }) {
      const event = await endSession(cause, { sessionId: token.sid, accountId: token.sub, reason: 'signed-out' });
      return { status: 204, headers: { 'Causeway-Event': event } };
    },
  });
