import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { linkPath } from '@causeway/service';

/** A service as the gateway sees one, which offers no links: a bare HTTP server that a test commands. */
export interface Upstream extends AsyncDisposable {
  readonly url: string;
  /** Requests that arrived, in order, but for links. */
  readonly seen: readonly IncomingMessage[];
  /** Ends every connection at once, as a crash does. */
  cut(): void;
}

/**
 * Starts an upstream on a free port.
 *
 * @param listener - what it answers
 */
export const startUpstream = async (listener: RequestListener): Promise<Upstream> => {
  const seen: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    if (request.url === linkPath) {
      response.writeHead(404).end();
      return;
    }
    seen.push(request);
    listener(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => resolve(undefined));
  await promise;
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    cut,
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<undefined>();
      server.close(() => closed.resolve(undefined));
      cut();
      await closed.promise;
    },
  };
};
