import { faults, type Cause } from '@causeway/contracts';
import { z } from 'zod';

import { internalRoute, type Route } from '../http/route.ts';
import { causeOf, principal, progressRoute } from './administrator.ts';

/** What {@link rebuildRoutes} lead to: `rebuilds` of `createEvents` of `@causeway/events` fits. */
export interface ReadModels {
  request(cause: Cause, handler: string, options: { readonly ratePerSecond?: number | undefined }): Promise<object>;
  decide(cause: Cause, id: string, decision: 'swap' | 'drop'): Promise<object | undefined>;
  find(id: string): Promise<unknown>;
}

const anything = z.looseObject({});
const params = z.object({ id: z.string().max(100) });

/**
 * Builds read models of this service anew. For the gateway, which decides who may.
 *
 * @param models - the service's rebuilds
 */
export const rebuildRoutes = (models: ReadModels): Route[] => [
  internalRoute({
    method: 'post',
    path: '/internal/rebuilds',
    operationId: 'internalRebuild',
    summary: 'Build a read model anew',
    body: z.object({
      handler: z.string().max(500),
      ratePerSecond: z.number().int().min(1).max(100_000).optional(),
      principal,
    }),
    responses: { 202: { description: 'It has begun', schema: anything } },
    async handle({ body: { handler, ratePerSecond, principal: who }, requestId }) {
      return { status: 202, body: await models.request(causeOf(requestId, who), handler, { ratePerSecond }) };
    },
  }),
  progressRoute({
    path: '/internal/rebuilds/{id}',
    operationId: 'internalReadRebuild',
    summary: 'A rebuild, and how far it is',
    find: (id) => models.find(id),
  }),
  internalRoute({
    method: 'post',
    path: '/internal/rebuilds/{id}/decision',
    operationId: 'internalDecideRebuild',
    summary: 'Have a read model that was built anew swapped in, or dropped',
    params,
    body: z.object({ decision: z.enum(['swap', 'drop']), principal }),
    responses: { 202: { description: 'It is decided', schema: anything } },
    faults: [faults.notFound],
    async handle({ params: { id }, body: { decision, principal: who }, requestId }) {
      const decided = await models.decide(causeOf(requestId, who), id, decision);
      if (decided === undefined) throw faults.notFound();
      return { status: 202, body: decided };
    },
  }),
];
