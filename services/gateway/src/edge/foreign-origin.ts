import type { IncomingMessage } from 'node:http';
import { defineFault } from '@causeway/contracts';
import { upgradeOf } from '@causeway/service';

import type { Cors } from '../cors/cors.ts';

/** A WebSocket that a page of an origin opens whose pages may not read our answers. */
export const foreignOrigin = defineFault({
  code: 'foreign-origin',
  category: 'forbidden',
  title: 'Pages of this origin may not read this',
  description:
    'Browsers let any page open a WebSocket, and say in `Origin` whose it is. It is opened for pages of our own origin, and of those that `CORS_ORIGINS` names. Clients that are no browser send no Origin.',
});

/**
 * Makes what refuses WebSockets that pages of other origins open (RFC 6455 §10.2): what CORS is for answers, which it does not cover.
 *
 * @param publicUrl - whose origin is ours
 * @returns throws fault `foreign-origin`
 */
export const createDemandOrigin = (publicUrl: string, cors: Pick<Cors, 'allows'>) => {
  const { origin: own } = new URL(publicUrl);
  return (request: IncomingMessage): void => {
    const { origin } = request.headers;
    if (origin === undefined || upgradeOf(request) === undefined || origin === own || cors.allows(origin)) return;
    throw foreignOrigin();
  };
};
