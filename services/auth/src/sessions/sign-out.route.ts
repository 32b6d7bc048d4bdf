import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';

import { cookieHeader } from './cookie-delivery.ts';
import type { CookieDelivery } from './cookie-delivery.ts';
import type { EndSession } from './end-session.ts';
import { eventHeader } from './signed-in-answer.ts';

/** `POST /v1/auth/sign-out` */
export const signOutRoute = ({
  endSession,
  cookies,
}: {
  readonly endSession: EndSession;
  readonly cookies: Pick<CookieDelivery, 'cleared'>;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-out',
    operationId: 'signOut',
    tag: 'auth',
    summary: 'End the session',
    description: 'The session ends, and its access token with it, everywhere, within a second.',
    access: 'signed-in',
    responses: { 204: { description: 'The session has ended.', headers: { ...eventHeader, ...cookieHeader } } },
    async handle(call) {
      const { cause, token } = call;
      const event = await endSession(cause, { sessionId: token.sid, accountId: token.sub, reason: 'signed-out' });
      // Who signed out with a token in the header has said nothing about the browser's own session.
      const taken = call.headers.authorization === undefined ? cookies.cleared(call) : undefined;
      return { status: 204, headers: { 'Causeway-Event': event, 'Set-Cookie': taken } };
    },
  });
