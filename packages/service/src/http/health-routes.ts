import { z } from 'zod';

import type { Readiness } from '../lifecycle/health.ts';
import { defineRoute, type Route } from './route.ts';

const readinessShape = z.object({
  status: z.enum(['ready', 'not-ready']),
  notReady: z.array(z.string()),
  degraded: z.array(z.string()),
});

/**
 * `/healthz` and `/readyz`: the process lives; it takes traffic.
 *
 * @param ready - what is not ready now
 */
export const healthRoutes = (ready: () => Promise<Readiness>): readonly Route[] => [
  defineRoute({
    method: 'get',
    path: '/healthz',
    operationId: 'getHealth',
    tag: 'operations',
    summary: 'Whether the process lives',
    access: 'anonymous',
    responses: { 200: { description: 'It lives.', schema: z.object({ status: z.literal('alive') }) } },
    handle: () => ({ status: 200, body: { status: 'alive' } }),
  }),
  defineRoute({
    method: 'get',
    path: '/readyz',
    operationId: 'getReadiness',
    tag: 'operations',
    summary: 'Whether the service takes traffic',
    access: 'anonymous',
    responses: {
      200: { description: 'It does.', schema: readinessShape },
      503: { description: 'It does not; `notReady` names what is missing.', schema: readinessShape },
    },
    handle: async () => {
      const answer = await ready();
      return { status: answer.status === 'ready' ? 200 : 503, body: answer };
    },
  }),
];
