import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

const erasure = { accountId: z.string() };

/** How much of each kind of thing was done. */
const counts = z.record(z.string(), z.number().int());

/** A person wants to be removed from every service: each of them begins. */
export const erasureRequested = defineEvent({
  type: 'auth.erasure.requested',
  version: 1,
  thing: 'erasure',
  description: 'A person wants to be removed from every service: each of them begins.',
  data: erasure,
});

/** None of the person's tokens can be valid any more: what calls in flight have still written is removed too. */
export const erasureSettled = defineEvent({
  type: 'auth.erasure.settled',
  version: 1,
  thing: 'erasure',
  description:
    "None of the person's tokens can be valid any more: each service goes over it once more, and takes the person out of its log.",
  data: erasure,
});

/** A service has said that it is done; others have not yet. */
export const erasureAdvanced = defineEvent({
  type: 'auth.erasure.advanced',
  version: 1,
  thing: 'erasure',
  description: 'A service has said that a person is removed from it; others have not yet.',
  data: { ...erasure, service: z.string(), missing: z.array(z.string()) },
});

/** A service has not said in time that it is done; the erasure goes on waiting. */
export const erasureStalled = defineEvent({
  type: 'auth.erasure.stalled',
  version: 1,
  thing: 'erasure',
  description: 'A service has not said in time that the person is removed; the erasure goes on waiting for it.',
  data: { ...erasure, missing: z.array(z.string()) },
});

/** The certificate: no service holds anything of the person any more. */
export const erasureCompleted = defineEvent({
  type: 'auth.erasure.completed',
  version: 1,
  thing: 'erasure',
  description:
    'The certificate: no database holds anything of the person any more; `kafkaUntil` is when Kafka has dropped the last event that names them, and in the year 9999 where a topic keeps events for ever.',
  data: {
    ...erasure,
    requestedAt: z.string(),
    services: z.record(z.string(), z.object({ completedAt: z.string(), counts })),
    kafkaUntil: z.string(),
  },
});

/** Comes when the last token of somebody who is being erased has expired, wherever clocks are. */
export const tokensExpired = defineEvent({
  type: 'auth.tokens.expired',
  version: 1,
  thing: 'timer',
  description: 'The last token of a person who is being erased has expired, whatever the clock of a machine says.',
  data: erasure,
});

/** Comes when the services should have said that they are done. */
export const erasureUnanswered = defineEvent({
  type: 'auth.erasure.unanswered',
  version: 1,
  thing: 'timer',
  description: 'The time is up in which services should have said that a person is removed from them.',
  data: erasure,
});
