import { createServer, STATUS_CODES, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { defineFault, Fault, faults } from '@causeway/contracts';

import { problemMediaType, problemOf } from './problem.ts';

/** What a server is made of. */
export interface HttpServerOptions {
  readonly listener: RequestListener;
  readonly publicUrl: string;
  /** Time for a whole request to arrive; 5 minutes by default, since imports stream. */
  readonly requestTimeoutMs?: number;
}

/** Time for a request's headers to arrive: a slow caller holds no connection (Slowloris). */
const headersTimeoutMs = 15_000;
/** Longer than the pool of the gateway keeps a connection, so that it never sends into one that is being closed. */
const keepAliveTimeoutMs = 75_000;
const idleCheckMs = 25;
const largestHeadersBytes = 16_384;

const headersTooLarge = defineFault({
  code: 'headers-too-large',
  category: 'payload-too-large',
  title: 'The request headers are too large',
  description: `The headers of a request, its path included, may hold at most ${largestHeadersBytes} bytes.`,
});

const requestTimeout = defineFault({
  code: 'request-timeout',
  category: 'invalid-request',
  title: 'The request did not arrive in time',
  description: 'The request was begun and not completed. Send it again.',
});

/** What goes wrong before there is a request; RFC 6585 §5 and RFC 9110 §15.5.9 give two of them their own status. */
const wireFault = (code: string | undefined): { readonly status: number; readonly fault: Fault } => {
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, fault: headersTooLarge() };
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, fault: requestTimeout() };
  return { status: 400, fault: faults.invalidRequest({ detail: 'This is not HTTP as RFC 9112 has it.' }) };
};

const answerOnWire = (error: NodeJS.ErrnoException, socket: Duplex, publicUrl: string): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, fault } = wireFault(error.code);
  const text = JSON.stringify({ ...problemOf(fault, publicUrl), status });
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      `Content-Type: ${problemMediaType}`,
      `Content-Length: ${Buffer.byteLength(text)}`,
      'X-Content-Type-Options: nosniff',
      'Connection: close',
      '',
      text,
    ].join('\r\n'),
  );
};

/**
 * Makes an HTTP server whose waits all have a bound, and which answers with a problem document even to what is no HTTP.
 *
 * @param options - the listener, and the start of problem types
 */
export const createHttpServer = (options: HttpServerOptions): Server => {
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: options.requestTimeoutMs ?? 300_000,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: largestHeadersBytes,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
    },
    options.listener,
  );
  server.on('clientError', (error, socket) => answerOnWire(error, socket, options.publicUrl));
  return server;
};

/**
 * Listens.
 *
 * @param port - 0 lets the system choose
 * @returns the port
 * @throws Error that names the address where it is taken
 */
export const listen = (server: Server, port: number, host: string): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const onError = (error: NodeJS.ErrnoException): void =>
    reject(
      error.code === 'EADDRINUSE' ? new Error(`${host}:${port} is in use by another process`, { cause: error }) : error,
    );
  server.once('error', onError);
  server.listen(port, host, () => {
    server.off('error', onError);
    resolve((server.address() as AddressInfo).port);
  });
  return promise;
};

/**
 * Stops taking connections and resolves when the requests that have begun are answered.
 *
 * @param server - that listens
 */
export const closeServer = (server: Server): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (!server.listening) return Promise.resolve();
  // A connection that is kept alive becomes idle when its last answer is out, and would be waited for in vain.
  const idle = setInterval(() => server.closeIdleConnections(), idleCheckMs);
  server.close(() => {
    clearInterval(idle);
    resolve(undefined);
  });
  server.closeIdleConnections();
  return promise;
};
