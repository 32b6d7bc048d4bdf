import type { ServiceRoute } from './routing-table.ts';

/** Not a record or a collection that is called `changes`. */
const feedPath = /^\/v1\/data\/[^/]+\/changes$/;

/**
 * Whether a call waits for what will happen: it holds a connection for as long as somebody listens.
 *
 * @param route - of the call
 * @param method - of the request
 * @param path - without its query
 */
export const isFeed = (route: ServiceRoute, method: string, path: string): boolean =>
  route.service === 'data' && method === 'GET' && feedPath.test(path);
