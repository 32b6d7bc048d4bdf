import { z } from 'zod';

import { defineEvent, eventVersion } from '../event-contract.ts';

const session = { sessionId: z.string(), accountId: z.string() };

const device = { ip: z.string().optional(), userAgent: z.string().optional() };

const sessionStarted1 = eventVersion({
  version: 1,
  data: { ...session, method: z.enum(['sign-up', 'password']), ...device },
});

/** Somebody has signed in: `method` is how, `amr` what they have proved it with (RFC 8176), `acr` how surely: `aal1` or `aal2`. */
export const sessionStarted = defineEvent({
  type: 'auth.session.started',
  version: 2,
  thing: 'session',
  description: 'Somebody has signed in.',
  data: {
    ...session,
    method: z.string(),
    amr: z.array(z.string()),
    acr: z.string(),
    newDevice: z.boolean().optional(),
    ...device,
  },
  earlier: sessionStarted1,
  // There were passwords alone.
  upcast: (data) => ({ ...data, amr: ['pwd'], acr: 'aal1' }),
});

/** A session's refresh token has been exchanged for a new one. */
export const sessionRefreshed = defineEvent({
  type: 'auth.session.refreshed',
  version: 1,
  thing: 'session',
  description: "A session's refresh token has been exchanged for a new one.",
  data: { ...session, generation: z.number().int() },
});

const sessionEnded1 = eventVersion({
  version: 1,
  data: { ...session, reason: z.enum(['signed-out', 'revoked', 'refresh-reused', 'expired']) },
});

/**
 * A session is over; its access tokens are refused from now on. `reason`: `signed-out`, `revoked`, `refresh-reused`, `expired`,
 * `password-changed`, `email-changed`, `factor-removed`, `account-disabled`, `administrator`, `account-deleted`; more may come.
 */
export const sessionEnded = defineEvent({
  type: 'auth.session.ended',
  version: 2,
  thing: 'session',
  description: 'A session is over; its access tokens are refused from now on.',
  data: { ...session, reason: z.string() },
  earlier: sessionEnded1,
  upcast: (data) => data,
});

/** Somebody has proved in their session once more who they are. */
export const sessionReauthenticated = defineEvent({
  type: 'auth.session.reauthenticated',
  version: 1,
  thing: 'session',
  description: 'Somebody has proved in their session once more who they are.',
  data: { ...session, amr: z.array(z.string()), acr: z.string() },
});

/** Nothing is kept of a session any more. */
export const sessionDeleted = defineEvent({
  type: 'auth.session.deleted',
  version: 1,
  thing: 'session',
  description: 'Nothing is kept of a session any more: whose it was is being erased.',
  data: session,
});
