import type { WebSocket } from '@causeway/service';

/** Sends what one socket is told, and knows how much of it is on its way. */
export interface Outlet {
  /** @param sent - when it has been taken, or never will be */
  send(text: string, sent?: () => void): void;
  readonly unsentBytes: number;
  /** Calls whenever something has been taken. @returns calls no longer */
  onTaken(listener: () => void): () => void;
}

/** Makes the outlet of a socket. */
export function createOutlet(socket: Pick<WebSocket, 'send' | 'bufferedAmount'>): Outlet {
  const listeners = new Set<() => void>();
  return {
    send(text, sent) {
      socket.send(text, () => {
        sent?.();
        for (const listener of [...listeners]) listener();
      });
    },
    get unsentBytes() {
      return socket.bufferedAmount;
    },
    onTaken(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
