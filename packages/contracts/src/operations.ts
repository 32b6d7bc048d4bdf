import { z } from 'zod';

import { defineEvent } from './event-contract.ts';

/** How much of what is parked is to be handled again: one event, one subject, or all of a handler. */
export const redriveScope = z.enum(['event', 'subject', 'handler']);

/** What every rebuild tells of itself. */
const rebuild = { rebuildId: z.string(), handler: z.string() };

/** What every replay tells of itself. */
const replay = { replayId: z.string(), handlers: z.array(z.string()) };

/**
 * What any service tells of itself: what administrators do about the events that it handles, with the administrator as actor, and
 * the timers that it keeps.
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
  rebuildRequested: defineEvent({
    type: `${service}.rebuild.requested`,
    version: 1,
    thing: 'rebuild',
    description: 'An administrator wants a read model to be built anew, beside the one that is used.',
    data: { ...rebuild, collection: z.string() },
  }),
  rebuildCompared: defineEvent({
    type: `${service}.rebuild.compared`,
    version: 1,
    thing: 'rebuild',
    description: 'The read model that was built anew differs from the one that is used: an administrator decides.',
    data: { ...rebuild, documents: z.number().int(), differing: z.number().int() },
  }),
  rebuildDecided: defineEvent({
    type: `${service}.rebuild.decided`,
    version: 1,
    thing: 'rebuild',
    description: 'An administrator has the read model that was built anew swapped in, or dropped.',
    data: { ...rebuild, decision: z.enum(['swap', 'drop']) },
  }),
  rebuildEnded: defineEvent({
    type: `${service}.rebuild.ended`,
    version: 1,
    thing: 'rebuild',
    description: 'The read model that was built anew is the one that is used, or it is dropped.',
    data: {
      ...rebuild,
      result: z.enum(['swapped', 'dropped']),
      documents: z.number().int(),
      differing: z.number().int(),
    },
  }),
  timerScheduled: defineEvent({
    type: `${service}.timer.scheduled`,
    version: 1,
    thing: 'timer',
    description:
      'An event is to come at a time; it follows as the next one of the same timer, unless that is cancelled.',
    data: {
      timerId: z.string(),
      type: z.string(),
      deliverAt: z.iso.datetime(),
      about: z.string().optional(),
    },
  }),
  timerCancelled: defineEvent({
    type: `${service}.timer.cancelled`,
    version: 1,
    thing: 'timer',
    description: 'A timer was cancelled before its time: the event that it announced does not come.',
    data: { timerId: z.string(), type: z.string() },
  }),
  replayRequested: defineEvent({
    type: `${service}.replay.requested`,
    version: 1,
    thing: 'replay',
    description: 'An administrator wants handlers to go through past events again.',
    data: { ...replay, since: z.iso.datetime(), external: z.boolean() },
  }),
  replayStopped: defineEvent({
    type: `${service}.replay.stopped`,
    version: 1,
    thing: 'replay',
    description:
      'An administrator has a replay stopped before its end, which follows: what it has not come to is left as it is.',
    data: replay,
  }),
  replayEnded: defineEvent({
    type: `${service}.replay.ended`,
    version: 1,
    thing: 'replay',
    description: 'Handlers have gone through past events again.',
    data: {
      ...replay,
      seen: z.number().int(),
      done: z.number().int(),
      skipped: z.number().int(),
      tooOld: z.number().int(),
      failed: z.number().int(),
    },
  }),
});
