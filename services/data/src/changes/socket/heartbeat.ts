import type { WebSocket } from '@causeway/service';

/** How long a socket is waited for. */
export interface SocketTimes {
  /** For its greeting. */
  readonly helloMs: number;
  /** Between pings; after the third in a row that is not answered it is closed. */
  readonly heartbeatMs: number;
}

/** Shorter than what lies between cuts off a connection that says nothing. */
export const socketTimes: SocketTimes = { helloMs: 5_000, heartbeatMs: 15_000 };

const mostMissed = 2;

/**
 * Pings a socket, as long as it is open.
 *
 * @param onSilence - it does not answer
 * @returns stops it
 */
export function startHeartbeat(socket: WebSocket, { heartbeatMs }: SocketTimes, onSilence: () => void): () => void {
  let missed = 0;
  socket.on('pong', () => (missed = 0));
  const timer = setInterval(() => {
    if (missed > mostMissed) {
      onSilence();
      return;
    }
    missed += 1;
    socket.ping();
  }, heartbeatMs).unref();
  return () => clearInterval(timer);
}
