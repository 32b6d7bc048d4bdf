import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { createRefresh } from './refresh.ts';
import { noStore, tokensAnswer } from './session-tokens.ts';
import { invalidRefreshToken, refreshReused } from './sessions.errors.ts';
import { eventHeader } from './signed-in-answer.ts';

/** `POST /v1/auth/refresh` */
export const refreshRoute = ({ refresh }: { readonly refresh: ReturnType<typeof createRefresh> }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/refresh',
    operationId: 'refreshTokens',
    tag: 'auth',
    summary: 'Exchange a refresh token for new tokens',
    description:
      'Each refresh token is exchanged once. Repeating the exchange within 30 seconds gives the same pair again; later, or after the next exchange, it ends the session.',
    access: 'anonymous',
    body: z.strictObject({ refreshToken: z.string().max(1024) }),
    bodyLimitBytes: 16_384,
    responses: { 200: { description: 'New tokens.', schema: tokensAnswer, headers: eventHeader } },
    faults: [invalidRefreshToken, refreshReused],
    async handle({ cause, body }) {
      const { tokens, events } = await refresh(cause, body.refreshToken);
      const header = events.length === 0 ? undefined : events.join(', ');
      return { status: 200, headers: { ...noStore, 'Causeway-Event': header }, body: tokens };
    },
  });
