import { faults, type Cause } from '@causeway/contracts';
import { z } from 'zod';

import { internalRoute, type Route } from '../http/route.ts';
import { causeOf, principal, progressRoute } from './administrator.ts';

interface ReplayRequest {
  readonly handler?: string | undefined;
  readonly since: Date;
  readonly external: boolean;
  readonly ratePerSecond?: number | undefined;
}

/** What {@link replayRoutes} lead to: `replays` of `createEvents` of `@causeway/events` fits. */
export interface PastEvents {
  extent(request: ReplayRequest): Promise<object>;
  request(cause: Cause, request: ReplayRequest): Promise<{ readonly replay: unknown; readonly eventId: string }>;
  find(id: string): Promise<unknown>;
  requestStop(cause: Cause, id: string): Promise<object | undefined>;
}

const anything = z.looseObject({});

/**
 * Has handlers of this service go through past events again. For the gateway, which decides who may.
 *
 * @param past - the service's replays
 */
export const replayRoutes = (past: PastEvents): Route[] => [
  internalRoute({
    method: 'post',
    path: '/internal/replays',
    operationId: 'internalReplay',
    summary: 'Have handlers go through past events again',
    body: z.object({
      handler: z.string().max(500).optional(),
      since: z.iso.datetime(),
      external: z.boolean(),
      ratePerSecond: z.number().int().min(1).max(1_000).optional(),
      dryRun: z.boolean(),
      principal,
    }),
    responses: {
      200: { description: 'How much it would be', schema: anything },
      202: { description: 'It has begun', schema: anything },
    },
    async handle({ body: { dryRun, principal: who, since, ...rest }, requestId }) {
      const request = { ...rest, since: new Date(since) };
      if (dryRun) return { status: 200, body: await past.extent(request) };
      return { status: 202, body: await past.request(causeOf(requestId, who), request) };
    },
  }),
  progressRoute({
    path: '/internal/replays/{id}',
    operationId: 'internalReadReplay',
    summary: 'A replay, and how far it is',
    find: (id) => past.find(id),
  }),
  internalRoute({
    method: 'post',
    path: '/internal/replays/{id}/stop',
    operationId: 'internalStopReplay',
    summary: 'Have a replay end at the next event',
    params: z.object({ id: z.string().max(100) }),
    body: z.object({ principal }),
    responses: { 202: { description: 'It ends', schema: anything } },
    faults: [faults.notFound],
    async handle({ params: { id }, body: { principal: who }, requestId }) {
      const stopped = await past.requestStop(causeOf(requestId, who), id);
      if (stopped === undefined) throw faults.notFound();
      return { status: 202, body: stopped };
    },
  }),
];
