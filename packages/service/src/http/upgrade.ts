import { ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A connection that may go on as something else than HTTP. */
export interface Upgrade {
  readonly socket: Duplex;
  /** What came behind the request, and belongs to what the connection becomes. */
  readonly head: Buffer;
  /** Has the server of the request serve a connection that is carried within this one. */
  readonly inject: (connection: Duplex) => void;
  /** Whether a request that came over such a connection is still being answered. */
  readonly isAnswering: (connection: Duplex) => boolean;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/** The connection of a request that asks to go on as a WebSocket; undefined of any other. */
export const upgradeOf = (request: IncomingMessage): Upgrade | undefined => upgrades.get(request);

/**
 * Whether a request asks to go on as a WebSocket (RFC 6455 §4.1). Whatever else a client offers, such as HTTP/2 without TLS, is not taken
 * up (RFC 9110 §7.8): it is answered as if nothing had been offered.
 */
export const asksForWebSocket = ({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean =>
  method === 'GET' &&
  headers.upgrade?.toLowerCase() === 'websocket' &&
  headers['content-length'] === undefined &&
  headers['transfer-encoding'] === undefined;

/** A connection on which nothing moves, in either direction, before whoever takes it over says otherwise. */
const silentTimeoutMs = 300_000;

/**
 * Has a server bring requests for WebSockets to its listener as any other: whatever refuses a request refuses these with the same answer.
 * The answer is not over before the connection is: its `close` says that the WebSocket has ended, and whatever counts answers counts it.
 *
 * @param server - that takes no other upgrades, by `shouldUpgradeCallback`
 */
export const takeUpgrades = (server: Server): void => {
  const open = new Set<Duplex>();
  const answering = new WeakMap<Duplex, number>();
  const isAnswering = (connection: Duplex): boolean => (answering.get(connection) ?? 0) > 0;
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.set(socket, (answering.get(socket) ?? 0) + 1);
    response.on('close', () => answering.set(socket, (answering.get(socket) ?? 1) - 1));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // One that is carried within another does not become anything else.
    if (!(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    // Sent behind a request that is still being answered: that answer has the connection, and to hand it to another throws where nobody catches it.
    if (isAnswering(socket)) {
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(silentTimeoutMs, () => socket.destroy());
    upgrades.set(request, {
      socket,
      head,
      inject: (connection) => void server.emit('connection', connection),
      isAnswering,
    });
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => socket.destroySoon());
    server.emit('request', request, response);
  });
  const closeAll = server.closeAllConnections.bind(server);
  server.closeAllConnections = () => {
    closeAll();
    for (const each of open) each.destroy();
  };
};
