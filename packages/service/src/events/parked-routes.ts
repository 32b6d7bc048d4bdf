import { faults, redriveScope, type Cause } from '@causeway/contracts';
import { z } from 'zod';

import { internalRoute, type Route } from '../http/route.ts';
import { causeOf, principal, progressRoute } from './administrator.ts';

interface ParkedPlace {
  readonly handler: string;
  readonly subject: string;
  readonly sequence: string;
  readonly eventId: string;
}

interface RedriveRequest {
  readonly handler: string;
  readonly eventId: string;
  readonly scope: z.output<typeof redriveScope>;
  readonly ratePerSecond?: number;
}

/** What {@link parkedRoutes} lead to: `redrives` of `createEvents` of `@causeway/events` fits. */
export interface ParkedEvents {
  list(question: {
    readonly handler?: string | undefined;
    readonly eventId?: string | undefined;
    readonly after?: ParkedPlace | undefined;
    readonly limit: number;
  }): Promise<readonly unknown[]>;
  extent(request: RedriveRequest): Promise<{ readonly events: number; readonly subjects: number }>;
  request(cause: Cause, request: RedriveRequest): Promise<{ readonly redrive: unknown; readonly eventId: string }>;
  find(id: string): Promise<unknown>;
  discard(cause: Cause, name: { readonly handler: string; readonly eventId: string }, reason: string): Promise<string>;
}

const text = z.string().max(500);
const place = z.object({ handler: text, subject: text, sequence: text, eventId: text });

const anything = z.looseObject({});

/** What a page after a place is asked for with; JSON in a parameter. */
const afterPlace = z
  .string()
  .max(3_000)
  .transform((value, context) => {
    try {
      return place.parse(JSON.parse(value));
    } catch {
      context.addIssue({ code: 'custom', message: 'Must be the JSON of a place.' });
      return z.NEVER;
    }
  });

/**
 * What is parked in this service, and what administrators do about it. For the gateway, which decides who may.
 *
 * @param parked - the service's parking lot
 */
export const parkedRoutes = (parked: ParkedEvents): Route[] => [
  internalRoute({
    method: 'get',
    path: '/internal/parked',
    operationId: 'internalListParked',
    summary: 'Events that are parked in this service',
    query: z.object({
      handler: text.optional(),
      eventId: text.optional(),
      after: afterPlace.optional(),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
    responses: {
      200: { description: 'By handler and subject, in order', schema: z.object({ items: z.array(anything) }) },
    },
    handle: async ({ query }) => ({ status: 200, body: { items: await parked.list(query) } }),
  }),
  internalRoute({
    method: 'post',
    path: '/internal/parked/redrive',
    operationId: 'internalRedrive',
    summary: 'Have parked events handled again',
    body: z.object({
      handler: text,
      eventId: text,
      scope: redriveScope,
      ratePerSecond: z.number().int().min(1).max(1_000).optional(),
      dryRun: z.boolean(),
      principal,
    }),
    responses: {
      200: { description: 'How much it would be', schema: anything },
      202: { description: 'It has begun', schema: anything },
    },
    faults: [faults.notFound],
    async handle({ body: { dryRun, principal: who, ratePerSecond, ...rest }, requestId }) {
      const request = { ...rest, ...(ratePerSecond === undefined ? {} : { ratePerSecond }) };
      if (dryRun) return { status: 200, body: await parked.extent(request) };
      return { status: 202, body: await parked.request(causeOf(requestId, who), request) };
    },
  }),
  internalRoute({
    method: 'post',
    path: '/internal/parked/discard',
    operationId: 'internalDiscard',
    summary: 'Give up a parked event',
    body: z.object({ handler: text, eventId: text, reason: z.string().min(1).max(500), principal }),
    responses: { 200: { description: 'The event that says so', schema: anything } },
    faults: [faults.notFound],
    async handle({ body: { reason, principal: who, ...name }, requestId }) {
      return { status: 200, body: { eventId: await parked.discard(causeOf(requestId, who), name, reason) } };
    },
  }),
  progressRoute({
    path: '/internal/redrives/{id}',
    operationId: 'internalReadRedrive',
    summary: 'A redrive, and how far it is',
    find: (id) => parked.find(id),
  }),
];
