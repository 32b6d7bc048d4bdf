import { createServer, Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** One address for whichever member of a replica set is the primary, for clients that connect to one server. */
export interface WayToPrimary {
  readonly port: number;
  /** From now on; connections to the one before end. */
  lead(port: number): void;
  close(): Promise<void>;
}

const host = '127.0.0.1';

/** @param port - of the primary now */
export async function wayToPrimary(port: number): Promise<WayToPrimary> {
  const open = new Set<Socket>();
  let target = port;
  const endAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  const listener = createServer((client) => {
    const server = new Socket().connect({ host, port: target });
    for (const socket of [client, server]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        open.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    server.pipe(client);
  });
  await new Promise<void>((resolve) => listener.listen(0, host, resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    lead(next) {
      target = next;
      endAll();
    },
    close() {
      endAll();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}
