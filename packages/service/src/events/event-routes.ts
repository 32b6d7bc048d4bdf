import { faults, type EventEnvelope } from '@causeway/contracts';
import { z } from 'zod';

import { internalRoute, type Route } from '../http/route.ts';
import { parsePlaces } from './log-places.ts';
import { logRoutes, type ReadableLog } from './log-routes.ts';
import { parkedRoutes, type ParkedEvents } from './parked-routes.ts';
import { rebuildRoutes, type ReadModels } from './rebuild-routes.ts';
import { replayRoutes, type PastEvents } from './replay-routes.ts';

/** What one handler has done with an event, as a service tells the gateway. */
export interface EffectReport {
  readonly handler: string;
  readonly status: string;
  readonly attempts: number;
  readonly at?: string;
  readonly error?: { readonly name: string; readonly message: string; readonly category?: string };
  readonly caused: readonly string[];
}

/** What has become of the timer that an event announced, as a service tells the gateway. */
export interface TimerReport {
  readonly timerId: string;
  readonly type: string;
  readonly deliverAt: string;
  readonly status: 'scheduled' | 'released' | 'cancelled';
  /** Its time has come: what is due is waited for, what is not is merely listed. */
  readonly due: boolean;
  /** The id of the event that released or cancelled it. */
  readonly settledBy?: string;
}

/** Events of one type that an event has caused in a service, as it tells the gateway. */
export interface CausedReport {
  readonly type: string;
  readonly ids: readonly string[];
  /** Whether there are others. */
  readonly more: boolean;
}

/** What a service answers about an event. */
export interface EffectsReport {
  readonly effects: readonly EffectReport[];
  /** Whatever it has recorded because of the event; a replica of an older version names only what stands in `effects`. */
  readonly caused?: readonly CausedReport[];
  /** Of an event of its own that announced a timer. */
  readonly timer?: TimerReport;
}

/** An event, and where the log of its service has it. */
export interface PlacedEvent {
  readonly slot: number;
  readonly pos: number;
  readonly event: EventEnvelope;
}

/** A page of one service's events, as it tells the gateway. */
export interface PlacedEvents {
  readonly items: readonly PlacedEvent[];
  /** Whether there is more than had room. */
  readonly more: boolean;
}

/** Which events the gateway asks for: those of which all that is said is true. One of the first three is said. */
export interface EventQuestion {
  readonly correlationId?: string | undefined;
  readonly subject?: string | undefined;
  readonly types?: readonly string[] | undefined;
  /** A person's id: only what they have caused. */
  readonly causedBy?: string | undefined;
}

/** What {@link eventRoutes} reads: `createEvents` of `@causeway/events` fits. */
export interface EventReader {
  findEvent(id: string): Promise<EventEnvelope | undefined>;
  effectsOf(event: EventEnvelope): Promise<readonly EffectReport[]>;
  causedBy(event: EventEnvelope): Promise<readonly CausedReport[]>;
  timerOf(event: EventEnvelope): Promise<TimerReport | undefined>;
  /** Absent where the service handles no events. */
  readonly redrives?: ParkedEvents | undefined;
  readonly replays?: PastEvents | undefined;
  readonly rebuilds?: ReadModels | undefined;
  readonly log: {
    findEvents(
      question: EventQuestion,
      after: ReadonlyMap<number, number>,
      room: { readonly events: number; readonly bytes?: number },
    ): Promise<{ readonly rows: readonly PlacedEvent[]; readonly more: boolean }>;
  } & ReadableLog;
}

/** Largest event as JSON, with room for its envelope: an event is stored in at most 2 MiB. */
const eventBytes = 4 * 1024 * 1024;

/** An event, as another service hands it over; it was checked when it was recorded. */
const eventSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  sequence: z.string(),
  time: z.string(),
  data: z.unknown(),
});

const limit = z.coerce.number().int().min(1).max(500).default(100);

const placed = z.object({ slot: z.number(), pos: z.number(), event: eventSchema });

const after = z
  .string()
  .transform((text, context) => {
    const places = parsePlaces(text);
    if (places !== undefined) return places;
    context.addIssue({ code: 'custom', message: 'These are no places of a log.' });
    return z.NEVER;
  })
  .optional();

/**
 * What each service that records events tells the others: an event, its effects here, the log. For internal callers, who
 * decide themselves what they show to whom.
 *
 * @param reader - the service's events
 */
export const eventRoutes = (reader: EventReader): Route[] => [
  ...(reader.redrives === undefined ? [] : parkedRoutes(reader.redrives)),
  ...(reader.replays === undefined ? [] : replayRoutes(reader.replays)),
  ...(reader.rebuilds === undefined ? [] : rebuildRoutes(reader.rebuilds)),
  internalRoute({
    method: 'get',
    path: '/internal/events/{id}',
    operationId: 'internalFindEvent',
    summary: 'An event of this service, published or not yet',
    params: z.object({ id: z.string().max(100) }),
    responses: { 200: { description: 'The event', schema: eventSchema } },
    faults: [faults.notFound],
    async handle({ params }) {
      const event = await reader.findEvent(params.id);
      if (event === undefined) throw faults.notFound();
      return { status: 200, body: event };
    },
  }),
  internalRoute({
    method: 'get',
    path: '/internal/events',
    operationId: 'internalListEvents',
    summary: 'Published events of a correlation id, a subject, or of types',
    description:
      'Of which all that is said is true. Slot by slot, after the places that were read before. A page ends early where it has `bytes` of events, or 4 MiB.',
    query: z
      .object({
        correlationId: z.string().max(200).optional(),
        subject: z.string().max(400).optional(),
        types: z
          .string()
          .max(4_000)
          .transform((text) => text.split(','))
          .optional(),
        causedBy: z.string().max(200).optional(),
        after,
        limit,
        bytes: z.coerce.number().int().min(1).optional(),
      })
      .refine(({ correlationId, subject, types }) => correlationId ?? subject ?? types, {
        message: 'One of `correlationId`, `subject` and `types` is needed.',
      }),
    responses: {
      200: { description: 'Events', schema: z.object({ items: z.array(placed), more: z.boolean() }) },
    },
    async handle({ query }) {
      const { after: places = new Map<number, number>(), limit: events, bytes, ...question } = query;
      const room = { events, ...(bytes !== undefined && { bytes }) };
      const { rows, more } = await reader.log.findEvents(question, places, room);
      const body: PlacedEvents = { items: rows.map(({ slot, pos, event }) => ({ slot, pos, event })), more };
      return { status: 200, body };
    },
  }),
  internalRoute({
    method: 'post',
    path: '/internal/effects',
    operationId: 'internalEffects',
    summary: 'What the handlers of this service have done with an event',
    body: eventSchema,
    bodyLimitBytes: eventBytes,
    responses: {
      200: {
        description: 'By handler; what it has caused; and what became of the timer that it announced',
        schema: z.object({
          effects: z.array(z.unknown()),
          caused: z.array(z.unknown()),
          timer: z.unknown().optional(),
        }),
      },
    },
    async handle({ body }) {
      const event = body as unknown as EventEnvelope;
      const [effects, timer] = await Promise.all([reader.effectsOf(event), reader.timerOf(event)]);
      // Only now: by the time that a handler is done, all that it has recorded is there to be found.
      const caused = await reader.causedBy(event);
      const report: EffectsReport = { effects, caused, ...(timer !== undefined && { timer }) };
      return { status: 200, body: report };
    },
  }),
  ...logRoutes(reader.log),
];
