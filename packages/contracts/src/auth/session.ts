import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

const session = { sessionId: z.string(), accountId: z.string() };

/** Somebody has signed in. */
export const sessionStarted = defineEvent({
  type: 'auth.session.started',
  version: 1,
  thing: 'session',
  description: 'Somebody has signed in.',
  data: {
    ...session,
    method: z.enum(['sign-up', 'password']),
    ip: z.string().optional(),
    userAgent: z.string().optional(),
  },
});

/** A session's refresh token has been exchanged for a new one. */
export const sessionRefreshed = defineEvent({
  type: 'auth.session.refreshed',
  version: 1,
  thing: 'session',
  description: "A session's refresh token has been exchanged for a new one.",
  data: { ...session, generation: z.number().int() },
});

/** A session is over; its access tokens are refused from now on. */
export const sessionEnded = defineEvent({
  type: 'auth.session.ended',
  version: 1,
  thing: 'session',
  description: 'A session is over; its access tokens are refused from now on.',
  data: { ...session, reason: z.enum(['signed-out', 'revoked', 'refresh-reused', 'expired']) },
});

/** Nothing is kept of a session any more. */
export const sessionDeleted = defineEvent({
  type: 'auth.session.deleted',
  version: 1,
  thing: 'session',
  description: 'Nothing is kept of a session any more: whose it was is being erased.',
  data: session,
});
