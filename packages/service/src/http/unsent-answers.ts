import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Makes a server's `closeIdleConnections`, and so its `close`, leave a connection alone until its answer is out. Node takes one
 * for idle as soon as the answer has been handed to the socket, and cuts off what the client has not taken yet.
 *
 * @param server - that does not listen yet
 */
export const keepUnsentAnswers = (server: Server): void => {
  const unsent = new Map<Socket, number>();
  const count = (socket: Socket, change: number): void => {
    const answers = unsent.get(socket);
    if (answers !== undefined) unsent.set(socket, answers + change);
  };
  server.on('connection', (socket) => {
    unsent.set(socket, 0);
    socket.once('close', () => unsent.delete(socket));
  });
  server.prependListener('request', ({ socket }, response) => {
    count(socket, 1);
    response.on('close', () => count(socket, -1));
  });
  server.closeIdleConnections = () => {
    for (const [socket, answers] of unsent) if (answers === 0) socket.destroy();
  };
};
