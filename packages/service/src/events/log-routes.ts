import type { EventEnvelope } from '@causeway/contracts';
import { z } from 'zod';

import { internalRoute, type Route } from '../http/route.ts';

/** What {@link logRoutes} read: the log of `createEvents` of `@causeway/events` fits. */
export interface ReadableLog {
  positionAfter(eventId: string): Promise<number>;
  read(
    slot: number,
    from: number,
    limit: number,
  ): Promise<readonly { readonly slot: number; readonly pos: number; readonly event: EventEnvelope }[]>;
  extent(question: {
    readonly slot: number;
    readonly since?: Date | undefined;
    readonly upTo?: string | undefined;
  }): Promise<{ readonly from: number; readonly to: number }>;
}

const events = { 200: { description: 'Events, in order', schema: z.object({ items: z.array(z.looseObject({})) }) } };

const slot = z.coerce.number().int().min(0);
const limit = z.coerce.number().int().min(1).max(500).default(100);

/**
 * A service's log for the other services, who handle its events: after an event, where Kafka's retention has overtaken them; by
 * position, where they begin anew.
 *
 * @param log - the service's
 */
export const logRoutes = (log: ReadableLog): Route[] => [
  internalRoute({
    method: 'get',
    path: '/internal/log',
    operationId: 'internalReadLog',
    summary: 'The log of one slot, after an event',
    description:
      'For consumers that Kafka’s retention has overtaken. Without `after`, or where the log does not know it, from the beginning.',
    query: z.object({ slot, after: z.string().max(100).optional(), limit }),
    responses: events,
    async handle({ query }) {
      const from = query.after === undefined ? 1 : await log.positionAfter(query.after);
      const rows = await log.read(query.slot, from, query.limit);
      return { status: 200, body: { items: rows.map(({ event }) => event) } };
    },
  }),
  internalRoute({
    method: 'get',
    path: '/internal/log/{slot}',
    operationId: 'internalReadLogFrom',
    summary: 'The log of one slot, from a position on',
    description: 'With their positions. A page has fewer than it may where they are large, and none only at the end.',
    params: z.object({ slot }),
    query: z.object({ from: z.coerce.number().int().min(1), limit }),
    responses: events,
    async handle({ params, query }) {
      const rows = await log.read(params.slot, query.from, query.limit);
      return { status: 200, body: { items: rows.map(({ slot: of, pos, event }) => ({ slot: of, pos, event })) } };
    },
  }),
  internalRoute({
    method: 'get',
    path: '/internal/log/{slot}/extent',
    operationId: 'internalLogExtent',
    summary: 'Where a part of a slot lies in the log',
    description: 'What was logged since a time, up to an event; `to` is below `from` where there is none.',
    params: z.object({ slot }),
    query: z.object({ since: z.iso.datetime().optional(), upTo: z.string().max(100).optional() }),
    responses: {
      200: { description: 'First and last position', schema: z.object({ from: z.number(), to: z.number() }) },
    },
    async handle({ params, query: { since, upTo } }) {
      const question = { slot: params.slot, since: since === undefined ? undefined : new Date(since), upTo };
      return { status: 200, body: await log.extent(question) };
    },
  }),
];
