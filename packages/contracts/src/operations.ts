import { z } from 'zod';

import { defineEvent } from './event-contract.ts';

/** How much of what is parked is to be handled again: one event, one subject, or all of a handler. */
export const redriveScope = z.enum(['event', 'subject', 'handler']);

/**
 * What administrators do about events that a service could not handle. Each service records its own, with the administrator as
 * actor.
 *
 * @param service - such as `user`
 */
export const operationsOf = (service: string) => ({
  redriveRequested: defineEvent({
    type: `${service}.redrive.requested`,
    version: 1,
    thing: 'redrive',
    description: 'An administrator wants parked events to be handled again.',
    data: {
      redriveId: z.string(),
      handler: z.string(),
      scope: redriveScope,
      eventId: z.string(),
      subject: z.string(),
    },
  }),
  redriveEnded: defineEvent({
    type: `${service}.redrive.ended`,
    version: 1,
    thing: 'redrive',
    description: 'Parked events have been handled again, as far as they can be.',
    data: {
      redriveId: z.string(),
      handler: z.string(),
      redriven: z.number().int(),
      failed: z.number().int(),
    },
  }),
  eventDiscarded: defineEvent({
    type: `${service}.discard.recorded`,
    version: 1,
    thing: 'discard',
    description: 'An administrator has given up a parked event at a handler, and says why.',
    data: { handler: z.string(), eventId: z.string(), subject: z.string(), reason: z.string() },
  }),
});
