import { Fault, faults } from '@causeway/contracts';
import { crossSite, defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { cookieHeader } from './cookie-delivery.ts';
import type { CookieDelivery } from './cookie-delivery.ts';
import type { createRefresh } from './refresh.ts';
import { noStore, tokensAnswer } from './session-tokens.ts';
import { invalidRefreshToken, refreshReused } from './sessions.errors.ts';
import { eventHeader } from './signed-in-answer.ts';

/** What {@link refreshRoute} is given. */
export interface RefreshRouteDependencies {
  readonly refresh: ReturnType<typeof createRefresh>;
  readonly cookies: CookieDelivery;
}

const tokenRequired = () =>
  faults.invalidRequest({
    errors: [{ pointer: '/refreshToken', code: 'required', message: 'Send it here, or in the cookie.' }],
  });

/** `POST /v1/auth/refresh` */
export const refreshRoute = ({ refresh, cookies }: RefreshRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/refresh',
    operationId: 'refreshTokens',
    tag: 'auth',
    summary: 'Exchange a refresh token for new tokens',
    description:
      'Each refresh token is exchanged once. Repeating the exchange within 30 seconds gives the same pair again; later, or after the next exchange, it ends the session. A browser that was given cookies sends no body, and gets new cookies.',
    access: 'anonymous',
    body: z.strictObject({ refreshToken: z.string().max(1024).optional() }),
    bodyOptional: true,
    bodyLimitBytes: 16_384,
    responses: {
      200: { description: 'New tokens.', schema: tokensAnswer, headers: eventHeader },
      204: { description: 'New tokens, in cookies.', headers: { ...eventHeader, ...cookieHeader } },
    },
    faults: [invalidRefreshToken, refreshReused, crossSite],
    async handle(call) {
      const { cause, body, response } = call;
      const fromCookie = body.refreshToken === undefined ? cookies.refreshTokenOf(call) : undefined;
      const token = body.refreshToken ?? fromCookie;
      if (token === undefined) throw tokenRequired();
      try {
        const { tokens, events } = await refresh(cause, token);
        const headers = { ...noStore, 'Causeway-Event': events.length === 0 ? undefined : events.join(', ') };
        if (fromCookie === undefined) return { status: 200, headers, body: tokens };
        return { status: 204, headers: { ...headers, 'Set-Cookie': cookies.cookiesOf(tokens) } };
      } catch (error) {
        // Nothing comes of it any more: the browser need not try again.
        const over = fromCookie !== undefined && error instanceof Fault && error.status === 401;
        if (over) response.setHeader('Set-Cookie', cookies.cleared(call) ?? []);
        throw error;
      }
    },
  });
