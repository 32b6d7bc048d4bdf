import type { Telemetry } from '@causeway/telemetry';

import { defineRoute, type Route } from './route.ts';

/**
 * `/metrics`, for the operations port alone.
 *
 * @param telemetry - whose metrics
 */
export const metricsRoute = (telemetry: Telemetry): Route =>
  defineRoute({
    method: 'get',
    path: '/metrics',
    operationId: 'getMetrics',
    tag: 'operations',
    summary: 'Metrics for Prometheus',
    access: 'anonymous',
    responses: { 200: { description: 'Text exposition format.', mediaTypes: ['text/plain'] } },
    handle: async () => ({
      status: 200,
      headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
      json: await telemetry.metricsText(),
    }),
  });
