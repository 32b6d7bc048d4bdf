import { faults, redriveScope, services as serviceNames } from '@causeway/contracts';
import { redriveFaults, replayFaults, type Redrive } from '@causeway/events';
import { defineRoute, type Route } from '@causeway/service';
import { z } from 'zod';

import { principalOf, type Administration } from '../services/administer.ts';
import { orUnavailable, type ServiceClient } from '../services/service-client.ts';
import { parsedCursor, parkedCursor } from './parked-cursor.ts';
import { formatParkedId, parseParkedId, type ParkedId } from './parked-id.ts';
import { listParked, parkedIn, type ParkedAt } from './parked-services.ts';

const tag = 'events';

const parkedEvent = z.object({
  id: z.string(),
  service: z.string(),
  handler: z.string(),
  eventId: z.string(),
  type: z.string().optional().describe('Absent where the bytes could not be read.'),
  subject: z.string(),
  sequence: z.string(),
  parkedAt: z.iso.datetime(),
  attempts: z.number().int().describe('0: never tried, since an earlier event of its subject is parked.'),
  error: z.string().optional(),
});

const redriveSchema = z.object({
  id: z.string(),
  service: z.string(),
  handler: z.string(),
  scope: redriveScope,
  eventId: z.string(),
  subject: z.string(),
  ratePerSecond: z.number().int(),
  status: z.enum(['running', 'ended']),
  redriven: z.number().int(),
  failed: z.number().int().describe('They stay parked, and what is behind them.'),
  requestedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
});

const extentSchema = z.object({
  dryRun: z.literal(true),
  events: z.number().int(),
  subjects: z.number().int(),
});

const params = z.object({ id: z.string().max(2_000) });

const parkedIdOf = (id: string): ParkedId => {
  const parked = parseParkedId(id);
  if (parked === undefined) throw faults.notFound();
  return parked;
};

const shown = ({ error, ...rest }: ParkedAt): z.output<typeof parkedEvent> => ({
  id: formatParkedId(rest),
  ...rest,
  ...(error !== undefined && { error: `${error.name}: ${error.message}` }),
});

const recorded = { 'Causeway-Event': { description: 'The event that was recorded.' } };

const listRoute = (parked: Administration): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/parked',
    operationId: 'listParked',
    tag,
    summary: 'Events that a handler could not handle, and those that wait behind them',
    description:
      'Of all services, by service, handler and subject; within a subject in order. A service that does not answer is named, and what is ' +
      'parked in the others is listed.',
    access: 'admin',
    query: z.object({
      service: z.enum(serviceNames).optional(),
      handler: z.string().min(1).max(200).optional(),
      eventId: z.string().min(1).max(500).optional().describe('One event, at whichever handlers it is parked.'),
      cursor: z.string().max(4_000).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(20),
    }),
    responses: {
      200: {
        description: 'The parked events.',
        schema: z.object({
          items: z.array(parkedEvent),
          nextCursor: z.string().nullable(),
          unavailable: z
            .array(z.enum(serviceNames))
            .describe('Services that were asked and did not answer: what is parked there is not in the list.'),
        }),
      },
    },
    faults: [replayFaults.unknownHandler],
    handle: async ({ query: { service, handler, eventId, cursor, limit }, requestId, signal }) => {
      const scope = { service, handler, eventId };
      const after = cursor === undefined ? undefined : parsedCursor(scope, cursor);
      const { items: found, unavailable } = await listParked(parked, { ...scope, after, limit }, { requestId, signal });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const nextCursor = found.length > limit && last !== undefined ? parkedCursor(scope, last) : null;
      return { status: 200, body: { items: items.map(shown), nextCursor, unavailable } };
    },
  });

const redriveRoute = (parked: Administration): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/parked/{id}/redrive',
    operationId: 'redrive',
    tag,
    summary: 'Have a parked event handled again, its subject, or all of its handler',
    description:
      'In order, and in the background: `Location` tells how far it is. One event of an ordered handler takes the earlier ones of ' +
      'its subject along. With `dryRun` nothing happens, and the answer is how much it would be.',
    access: 'admin',
    params,
    body: z.object({
      scope: redriveScope.default('subject'),
      ratePerSecond: z
        .number()
        .int()
        .min(1)
        .max(1_000)
        .optional()
        .describe('Events in a second, at most; 50 by default.'),
      dryRun: z.boolean().default(false),
    }),
    responses: {
      200: { description: 'How much it would be.', schema: extentSchema },
      202: {
        description: 'It has begun.',
        schema: redriveSchema,
        headers: { ...recorded, Location: { description: 'Where it tells how far it is.' } },
      },
    },
    faults: [faults.notFound, ...Object.values(redriveFaults)],
    handle: async ({ params: { id }, body: wanted, principal, requestId, signal }) => {
      const { service, ...name } = parkedIdOf(id);
      const body = { ...name, ...wanted, principal: principalOf(principal) };
      const question = { method: 'POST', path: '/internal/parked/redrive', body, requestId, signal } as const;
      if (wanted.dryRun) {
        const extent = await orUnavailable(parked.tell<object>(service, question));
        return { status: 200, body: { dryRun: true, ...extent } };
      }
      const answer = parked.tell<{ readonly redrive: Redrive; readonly eventId: string }>(service, question);
      const { redrive, eventId } = await orUnavailable(answer);
      const headers = { Location: `/v1/redrives/${redrive.id}`, 'Causeway-Event': eventId };
      return { status: 202, headers, body: { service, ...redrive } };
    },
  });

const discardRoute = (parked: Administration): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/parked/{id}/discard',
    operationId: 'discard',
    tag,
    summary: 'Give up a parked event',
    description: 'It will never have its effect. What is behind it stays parked until it is redriven.',
    access: 'admin',
    params,
    body: z.object({ reason: z.string().trim().min(3).max(500).describe('Why: it is recorded, with who says so.') }),
    responses: {
      200: {
        description: 'It is discarded.',
        schema: z.object({ id: z.string(), status: z.literal('discarded') }),
        headers: recorded,
      },
    },
    faults: [faults.notFound, redriveFaults.notParked],
    handle: async ({ params: { id }, body: { reason }, principal, requestId, signal }) => {
      const { service, ...name } = parkedIdOf(id);
      const body = { ...name, reason, principal: principalOf(principal) };
      const question = { method: 'POST', path: '/internal/parked/discard', body, requestId, signal } as const;
      const { eventId } = await orUnavailable(parked.tell<{ readonly eventId: string }>(service, question));
      return { status: 200, headers: { 'Causeway-Event': eventId }, body: { id, status: 'discarded' } };
    },
  });

const readRedriveRoute = (parked: Administration): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/redrives/{id}',
    operationId: 'readRedrive',
    tag,
    summary: 'A redrive, and how far it is',
    access: 'admin',
    params: z.object({ id: z.string().max(100) }),
    responses: { 200: { description: 'The redrive.', schema: redriveSchema } },
    faults: [faults.notFound],
    handle: async ({ params: { id }, requestId, signal }) => {
      const path = `/internal/redrives/${encodeURIComponent(id)}`;
      const redrive = await orUnavailable(parked.find<Redrive>({ method: 'GET', path, requestId, signal }));
      if (redrive === undefined) throw faults.notFound();
      return { status: 200, body: redrive };
    },
  });

/**
 * The calls about what is parked; for administrators.
 *
 * @param client - asks the services
 */
export const parkedRoutes = (client: ServiceClient): readonly Route[] => [
  listRoute(parkedIn(client)),
  redriveRoute(parkedIn(client)),
  discardRoute(parkedIn(client)),
  readRedriveRoute(parkedIn(client)),
];
