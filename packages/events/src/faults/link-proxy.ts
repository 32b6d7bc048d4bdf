import { createServer, Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Which way nothing gets through any more. */
export type LinkDirection = 'requests' | 'answers';

/** The way from one replica to one server. */
export interface LinkProxy {
  readonly port: number;
  /**
   * Nothing gets through in one direction, and nobody is told: neither an error nor an end. Connections that are open hang for
   * ever, as behind a firewall that has forgotten them; new ones until the link is mended.
   */
  hang(direction: LinkDirection): void;
  /** New connections get through again. */
  mend(): void;
  close(): Promise<void>;
}

/** Opens a proxy before a server. */
export const linkProxy = async (host: string, port: number): Promise<LinkProxy> => {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  let hanging: LinkDirection | undefined;

  const block = ({ client, server }: { client: Socket; server: Socket }, direction: LinkDirection): void => {
    const [from, to] = direction === 'requests' ? [client, server] : [server, client];
    from.unpipe(to);
    from.pause();
  };

  const listener = createServer((client) => {
    const server = new Socket().connect({ host, port });
    const pair = { client, server };
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.once('close', end);
    }
    client.pipe(server);
    server.pipe(client);
    if (hanging !== undefined) block(pair, hanging);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));

  return {
    port: (listener.address() as AddressInfo).port,
    hang(direction) {
      hanging = direction;
      for (const pair of pairs) block(pair, direction);
    },
    mend() {
      hanging = undefined;
    },
    close() {
      for (const { client, server } of pairs) {
        client.destroy();
        server.destroy();
      }
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
};
