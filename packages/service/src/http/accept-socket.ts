import type { IncomingMessage } from 'node:http';
import { defineFault, faults } from '@causeway/contracts';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

import type { Exchange } from './exchange.ts';
import { upgradeOf } from './upgrade.ts';

/** What becomes of a request that goes on as a WebSocket. */
export interface SocketAnswer {
  /** The subprotocol (RFC 6455 §1.9). Who names none is served too; who names others alone is refused. */
  readonly protocol: string;
  /** Of a message; 64 KiB where nothing is said. */
  readonly largestMessageBytes?: number;
  /**
   * Serves it, until it has ended. Pings are not answered for it: it knows how much may be on its way. Whatever it throws ends the
   * WebSocket.
   */
  readonly serve: (socket: WebSocket) => Promise<void>;
}

/** A call that is for WebSockets alone. */
export const upgradeRequired = defineFault({
  code: 'upgrade-required',
  category: 'invalid-request',
  title: 'This is for WebSockets',
  description:
    'Open this address as a WebSocket (RFC 6455): with `Upgrade: websocket`, and version 13 of the protocol.',
});

/** A message, in bytes, and the pieces that it may come in. */
const defaultMessageBytes = 65_536;
const mostFragments = 64;
const mostBufferedChunks = 1_024;
/** For the other side to answer our closing; it is cut off then. */
const closeTimeoutMs = 2_000;
/** RFC 6455 §4.1: 16 bytes in base64. */
const keyForm = /^[+/0-9A-Za-z]{22}==$/;
const internalError = 1_011;

const namesOf = (header: string): string[] => header.split(',').map((each) => each.trim());

const demandHandshake = ({ headers }: IncomingMessage, protocol: string): void => {
  const { 'sec-websocket-version': version, 'sec-websocket-key': key = '' } = headers;
  // RFC 6455 §4.4.
  if (version !== '13') throw upgradeRequired({ headers: { 'Sec-WebSocket-Version': '13' } });
  const { 'sec-websocket-protocol': offered } = headers;
  const errors = [
    ...(keyForm.test(key)
      ? []
      : [{ parameter: 'Sec-WebSocket-Key', code: 'invalid-key', message: 'Send 16 random bytes in base64.' }]),
    ...(offered === undefined || namesOf(offered).includes(protocol)
      ? []
      : [{ parameter: 'Sec-WebSocket-Protocol', code: 'unknown-protocol', message: `Offer ${protocol}, or none.` }]),
  ];
  if (errors.length > 0) throw faults.invalidRequest({ errors });
};

const serverFor = (protocol: string, maxPayload: number): WebSocketServer => {
  const options = {
    noServer: true,
    clientTracking: false,
    // What compresses keeps hundreds of kilobytes for each connection.
    perMessageDeflate: false,
    autoPong: false,
    maxPayload,
    maxFragments: mostFragments,
    maxBufferedChunks: mostBufferedChunks,
    closeTimeout: closeTimeoutMs,
    handleProtocols: (offered: Set<string>) => (offered.has(protocol) ? protocol : false),
  };
  return new WebSocketServer(options);
};

const servers = new Map<string, WebSocketServer>();

const untilClosed = async (socket: WebSocket, serve: SocketAnswer['serve']): Promise<void> => {
  // What is wrong with what comes closes it, with a code that says what.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  try {
    await serve(socket);
  } catch (error) {
    socket.close(internalError);
    throw error;
  } finally {
    await closed;
  }
};

/**
 * Goes on as a WebSocket.
 *
 * @param exchange - whose answer has not begun
 * @param answer - who serves it
 * @returns when it has ended
 * @throws Fault `upgrade-required`, `invalid-request` where the request is none for a WebSocket; nothing more once it is one
 */
export const acceptSocket = async (
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  { protocol, largestMessageBytes = defaultMessageBytes, serve }: SocketAnswer,
): Promise<void> => {
  const upgrade = upgradeOf(request);
  if (upgrade === undefined) throw upgradeRequired({ headers: { Upgrade: 'websocket' } });
  demandHandshake(request, protocol);
  const server = servers.get(protocol) ?? serverFor(protocol, largestMessageBytes);
  servers.set(protocol, server);
  // For the trace and the metrics: the head is written by the library.
  response.statusCode = 101;
  let serving: Promise<void> | undefined;
  // At once: what the client has sent already is not waited with.
  server.handleUpgrade(request, upgrade.socket, upgrade.head, (socket) => {
    serving = untilClosed(socket, serve);
  });
  await serving;
};
