import { createUpDownCounter } from '@causeway/telemetry';
import type { WebSocket } from 'ws';

import { internalRoute, type Route } from '../http/route.ts';
import { upgradeOf } from '../http/upgrade.ts';
import { endWhenSilent, largestMessageBytes } from './link.ts';
import { ServiceLink, type LinkLogger, type ServiceLinkOptions } from './service-link.ts';

/** Where a service has links opened to it. */
export const linkPath = '/internal/channels';

/** The subprotocol; another one once the frames are others. */
export const linkProtocol = 'causeway-channels.v1';

/** The caller pings three times in this. */
export const linkSilenceMs = 30_000;

/** RFC 6455 §7.4.1, and the registry of its §11.7: connect again. */
const serviceRestart = 1_012;
const idleCheckMs = 25;

/** Serves a link, until it has ended. Once the service drains, that is when nothing is told over it any more, and all that was asked is answered. */
async function serveLink(socket: WebSocket, options: ServiceLinkOptions, draining: AbortSignal): Promise<void> {
  const link = new ServiceLink(socket, options);
  let idle: NodeJS.Timeout | undefined;
  const endWhenIdle = (): void => {
    idle = setInterval(() => {
      // What has been said goes first: it is sent at the end of a turn.
      if (link.isIdle) setImmediate(() => socket.close(serviceRestart));
    }, idleCheckMs);
  };
  endWhenSilent(socket, linkSilenceMs);
  socket.on('ping', (data) => socket.pong(data));
  if (draining.aborted) endWhenIdle();
  else draining.addEventListener('abort', endWhenIdle, { once: true });
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  draining.removeEventListener('abort', endWhenIdle);
  clearInterval(idle);
  link.cut();
}

/**
 * Where another service of the installation opens links: WebSockets that carry connections of HTTP, whose streamed answers go on over the
 * link itself, so that thousands of them need no connection of their own, and what many are told goes over it once.
 */
export const linkRoute = ({ logger }: { readonly logger: LinkLogger }): Route => {
  const count = createUpDownCounter('causeway.links', { description: 'Links to this service that are open.' });
  return internalRoute({
    method: 'get',
    path: linkPath,
    operationId: 'openLink',
    summary: 'Open a link for many streamed answers',
    responses: { 101: { description: 'It is a link from here on.' } },
    handle({ request, draining }) {
      const server = upgradeOf(request);
      return {
        status: 101,
        socket: {
          protocol: linkProtocol,
          largestMessageBytes,
          serve: async (socket) => {
            logger.debug('a link is open');
            count.add(1);
            try {
              if (server !== undefined) await serveLink(socket, { server, logger }, draining);
            } finally {
              count.add(-1);
            }
          },
        },
      };
    },
  });
};
