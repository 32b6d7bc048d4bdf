import { randomUUID } from 'node:crypto';
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { defineFault, Fault, faults } from '@causeway/contracts';

import type { ProblemDescription } from '../openapi/openapi.ts';
import { problemMediaType, problemOf } from './problem.ts';
import { RequestTimeout } from './request-timeout.ts';
import { keepUnsentAnswers } from './unsent-answers.ts';
import { asksForWebSocket, takeUpgrades } from './upgrade.ts';

/** What a server is made of. */
export interface HttpServerOptions {
  readonly listener: RequestListener;
  readonly publicUrl: string;
}

/** Time for a request's headers to arrive: a slow caller holds no connection (Slowloris). */
const headersTimeoutMs = 15_000;
/** Longer than the pool of the gateway keeps a connection, so that it never sends into one that is being closed. */
const keepAliveTimeoutMs = 75_000;
/** A connection in the middle of something on which nothing moves, in either direction: feeds say something every 15 s. */
const silentTimeoutMs = 300_000;
const idleCheckMs = 25;
const largestHeadersBytes = 16_384;

const headersTooLarge = defineFault({
  code: 'headers-too-large',
  category: 'payload-too-large',
  title: 'The request headers are too large',
  description: `The headers of a request, its path included, may hold at most ${largestHeadersBytes} bytes. Where a query makes the path that long, send it as a body, as \`POST /v1/data/{collection}/query\` takes it.`,
});

const tooLongAHead = (): Fault =>
  headersTooLarge({
    detail: `The request line and the headers may hold at most ${largestHeadersBytes} bytes. Send a long query as a body instead.`,
    extensions: { limitBytes: largestHeadersBytes },
  });

/** What goes wrong before there is a request; RFC 6585 §5 and RFC 9110 §15.5.9 give two of them their own status. */
const wireFault = (code: string | undefined): { readonly status: number; readonly fault: Fault } => {
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, fault: tooLongAHead() };
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, fault: new RequestTimeout() };
  return { status: 400, fault: faults.invalidRequest({ detail: 'This is not HTTP as RFC 9112 has it.' }) };
};

const answerOnWire = (error: NodeJS.ErrnoException, socket: Duplex, publicUrl: string): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, fault } = wireFault(error.code);
  const requestId = randomUUID();
  const text = JSON.stringify({ ...problemOf(fault, publicUrl, requestId), status });
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      `Content-Type: ${problemMediaType}`,
      `Content-Length: ${Buffer.byteLength(text)}`,
      'X-Content-Type-Options: nosniff',
      'Cache-Control: no-store',
      `X-Request-Id: ${requestId}`,
      'Connection: close',
      '',
      text,
    ].join('\r\n'),
  );
};

const expectationFailed = defineFault({
  code: 'expectation-failed',
  category: 'invalid-request',
  title: 'This expectation is not met here',
  description: 'The only expectation that a request may state in `Expect` is `100-continue`.',
});

/** What a message may be refused with before any route is known; for the pages about problems. */
export const wireProblems: readonly ProblemDescription[] = [
  { status: 431, ...headersTooLarge.declaration },
  { status: 417, ...expectationFailed.declaration },
].map(({ code, status, title, description }) => ({ code, status, title, description }));

const hostCount = ({ rawHeaders }: IncomingMessage): number => {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
};

/** RFC 9112 §3.2: of HTTP/1.1 a request has one Host, and none has two. */
const isHostPlain = (request: IncomingMessage): boolean => {
  const hosts = hostCount(request);
  return hosts === 1 || (hosts === 0 && request.httpVersion === '1.0');
};

/** Refuses a request whose message is wrong, whatever it asks for; what follows on its connection is not read. */
const refuse = (response: ServerResponse, status: number, fault: Fault, publicUrl: string): void => {
  const requestId = randomUUID();
  const text = JSON.stringify({ ...problemOf(fault, publicUrl, requestId), status });
  response.writeHead(status, {
    'Content-Type': problemMediaType,
    'Content-Length': Buffer.byteLength(text),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    'X-Request-Id': requestId,
    Connection: 'close',
  });
  response.end(text);
};

/**
 * Makes an HTTP server whose waits all have a bound, and which answers with a problem document even to what is no HTTP.
 *
 * @param options - the listener, and the start of problem types
 */
export const createHttpServer = (options: HttpServerOptions): Server => {
  const { listener, publicUrl } = options;
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      // An import streams as long as it takes; who reads a body as a whole bounds that (`readBody`).
      requestTimeout: 0,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: largestHeadersBytes,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
      // Node would refuse with no word why; the listener below says it.
      requireHostHeader: false,
      shouldUpgradeCallback: asksForWebSocket,
    },
    (request, response) => {
      if (isHostPlain(request)) listener(request, response);
      else
        refuse(response, 400, faults.invalidRequest({ detail: 'A request has exactly one Host header.' }), publicUrl);
    },
  );
  server.timeout = silentTimeoutMs;
  keepUnsentAnswers(server);
  takeUpgrades(server);
  // RFC 9110 §10.1.1.
  server.on('checkExpectation', (_request, response) => refuse(response, 417, expectationFailed(), publicUrl));
  server.on('clientError', (error, socket) => answerOnWire(error, socket, publicUrl));
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
 * Stops taking connections and resolves when the requests that have begun are answered. Those that are not in time are cut off.
 *
 * @param server - that listens
 * @param withinMs - how long is waited for them
 * @returns whether all were answered
 */
export const closeServer = async (server: Server, withinMs: number): Promise<boolean> => {
  if (!server.listening) return true;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  // A connection that is kept alive becomes idle when its last answer is out, and would be waited for in vain.
  const idle = setInterval(() => server.closeIdleConnections(), idleCheckMs);
  let inTime = true;
  const late = setTimeout(() => {
    inTime = false;
    server.closeAllConnections();
  }, withinMs);
  server.close(() => resolve(undefined));
  server.closeIdleConnections();
  await promise;
  clearInterval(idle);
  clearTimeout(late);
  return inTime;
};
