import { internalRoute, type Route } from '../http/route.ts';
import { openApiOf } from './openapi.ts';

/**
 * `GET /internal/openapi.json`: what the gateway assembles the documentation from.
 *
 * @param title - the service's name
 * @param routes - all that it serves
 */
export const openApiRoute = (title: string, routes: readonly Route[]): Route => {
  let text: string | undefined;
  return internalRoute({
    method: 'get',
    path: '/internal/openapi.json',
    operationId: 'getOpenApi',
    summary: 'The OpenAPI document of this service',
    responses: { 200: { description: 'OpenAPI 3.1.', mediaTypes: ['application/json'] } },
    handle: () => {
      text ??= JSON.stringify(openApiOf(title, routes));
      return { status: 200, json: text };
    },
  });
};
