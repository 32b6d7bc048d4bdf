import type { ServiceRoute } from './routing-table.ts';

/** Not a record or a collection that is called `changes`. */
const feedPath = /^\/v1\/data\/[^/]+\/changes$/;

/** Where feeds are told over WebSockets. */
const socketPath = '/v1/changes';

/**
 * Whether a call waits for what will happen: it holds a connection for as long as somebody listens.
 *
 * @param route - of the call
 * @param method - of the request
 * @param path - without its query
 */
export const isFeed = (route: ServiceRoute, method: string, path: string): boolean =>
  route.service === 'data' && method === 'GET' && (path === socketPath || feedPath.test(path));

/** Whether a call may go on as a WebSocket. */
export const takesSockets = (route: ServiceRoute, path: string): boolean =>
  route.service === 'data' && path === socketPath;
