import { createServer, type Server, Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { redirectConnections } from '../../testing/redirect-connections.ts';

/**
 * The network between this process and one broker, to be cut. A broker tells clients its own address, so that a proxy on another port
 * would be passed by: here every connection that the process opens to the broker's port goes through the proxy, whoever opens it.
 */
export class BrokerLinkProxy {
  readonly #brokerPort: number;
  readonly #brokerHost: string;
  readonly #server: Server;
  #endRedirect: () => void = () => undefined;
  readonly #pairs = new Set<[Socket, Socket]>();
  #losingAnswers = false;
  #cut = false;

  private constructor(brokerHost: string, brokerPort: number) {
    this.#brokerHost = brokerHost;
    this.#brokerPort = brokerPort;
    this.#server = createServer((client) => this.#bridge(client));
  }

  static async open(broker: string): Promise<BrokerLinkProxy> {
    const [host = '', port = ''] = broker.split(':');
    const proxy = new BrokerLinkProxy(host, Number(port));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    proxy.#endRedirect = redirectConnections(Number(port), (proxy.#server.address() as AddressInfo).port);
    return proxy;
  }

  /** Connections break, and new ones are refused. */
  cut(): void {
    this.#cut = true;
    for (const [client, broker] of this.#pairs) {
      client.resetAndDestroy();
      broker.destroy();
    }
  }

  /** Requests arrive; the connection breaks in place of the next answer. */
  loseAnswers(): void {
    this.#losingAnswers = true;
  }

  restore(): void {
    this.#cut = false;
    this.#losingAnswers = false;
  }

  async close(): Promise<void> {
    this.#endRedirect();
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #bridge(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#cut) {
      client.resetAndDestroy();
      return;
    }
    const options = { host: this.#brokerHost, port: this.#brokerPort, direct: true };
    const broker = new Socket().connect(options);
    const pair: [Socket, Socket] = [client, broker];
    this.#pairs.add(pair);
    broker.on('error', () => undefined);
    client.pipe(broker);
    broker.on('data', (chunk) => {
      if (this.#losingAnswers) {
        this.#losingAnswers = false;
        client.resetAndDestroy();
      } else {
        client.write(chunk);
      }
    });
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      broker.destroy();
    };
    client.once('close', end);
    broker.once('close', end);
  }
}
