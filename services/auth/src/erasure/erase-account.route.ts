import { defineRoute, insufficientAuthentication } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { lastAdministrator } from '../accounts/accounts.errors.ts';
import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import { typedPassword } from '../passwords/password.ts';
import type { DemandRecent } from '../sessions/demand-recent.ts';
import { invalidCredentials } from '../sessions/sessions.errors.ts';
import { eventHeader } from '../sessions/signed-in-answer.ts';
import type { createEraseAccount } from './erase-account.ts';

const begunErasure = z.object({
  accountId: z.string(),
  status: z.literal('erasing'),
  eventId: z.string().meta({ description: 'The event from which all of it follows.' }),
});

/** The most events that `Causeway-Event` names. */
const mostNamed = 10;

/** `DELETE /v1/auth/account` */
export const eraseAccountRoute = (given: {
  readonly eraseAccount: ReturnType<typeof createEraseAccount>;
  readonly demandRecent: DemandRecent;
}): Route =>
  defineRoute({
    method: 'delete',
    path: '/v1/auth/account',
    operationId: 'eraseAccount',
    tag: 'auth',
    summary: 'Erase oneself from every service',
    description:
      'It takes the password or, of whoever has none, a recent authentication (`POST /v1/auth/step-up`); of whoever has a second factor both, the latter with that. The account is gone and its sessions end at once; every service then removes what it has of the person, and once more when none of their tokens can be valid. The end is the event `auth.erasure.completed`.',
    access: 'signed-in',
    body: z.strictObject({
      password: typedPassword.optional().meta({ description: 'Of whoever has one.' }),
    }),
    bodyLimitBytes: 16_384,
    responses: {
      202: {
        description: 'It has begun, and cannot be taken back.',
        schema: begunErasure,
        headers: { ...eventHeader, Location: { description: 'What becomes of it, for administrators.' } },
      },
    },
    faults: [invalidCredentials, insufficientAuthentication, tooManyAttempts, lastAdministrator],
    async handle({ cause, token, body: { password }, clientIp: ip, signal }) {
      const demandRecent = () => given.demandRecent(token);
      const command = {
        accountId: token.sub,
        demandRecent,
        sessionId: token.sid,
        acr: token.acr,
        password,
        ip,
        signal,
      };
      const { eventId, events } = await given.eraseAccount(cause, command);
      const named = events.length === 0 || events.length > mostNamed ? undefined : events.join(', ');
      return {
        status: 202,
        headers: { Location: `/v1/events/${eventId}/effects`, 'Causeway-Event': named, 'Cache-Control': 'no-store' },
        body: { accountId: token.sub, status: 'erasing' as const, eventId },
      };
    },
  });
