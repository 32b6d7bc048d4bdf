import { connect, type Socket } from 'node:net';
import type { Logger } from 'kafkajs';
import Broker from 'kafkajs/src/broker/index.js';
import connectionPoolBuilder from 'kafkajs/src/cluster/connectionPoolBuilder.js';

export interface BrokerLinkOptions {
  host: string;
  port: number;
  clientId: string;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  logger: Logger;
}

/** The connections to one broker, and a way to drop them at once: kafkajs would wait for every answer that is still due. */
export class BrokerLink {
  readonly #broker: Promise<Broker>;
  readonly #sockets = new Set<Socket>();
  #dropped = false;

  constructor(options: BrokerLinkOptions) {
    this.#broker = this.#connect(options);
    this.#broker.catch(() => undefined);
  }

  /** Rejects with kafkajs' own errors if it cannot be reached. */
  async broker(): Promise<Broker> {
    return await this.#broker;
  }

  /** Fails whatever is under way. */
  drop(): void {
    this.#dropped = true;
    // With an error: of a socket that ends in silence kafkajs does not tell its requests.
    for (const socket of this.#sockets) socket.destroy(new Error('connection dropped'));
  }

  async #connect({
    host,
    port,
    clientId,
    connectTimeoutMs,
    requestTimeoutMs,
    logger,
  }: BrokerLinkOptions): Promise<Broker> {
    const builder = connectionPoolBuilder({
      brokers: [`${host}:${port}`],
      clientId,
      connectionTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      enforceRequestTimeout: true,
      logger,
      socketFactory: (target) => {
        const socket = connect({ host: target.host, port: target.port }, target.onConnect);
        socket.setKeepAlive(true, 60_000).setNoDelay(true);
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        if (this.#dropped) socket.destroy(new Error('connection dropped'));
        return socket;
      },
    });
    const connectionPool = await builder.build({ host, port });
    const broker = new Broker({ connectionPool, logger, allowAutoTopicCreation: false });
    await broker.connect();
    return broker;
  }
}
