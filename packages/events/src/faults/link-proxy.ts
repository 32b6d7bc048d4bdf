import { createServer, Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';

import { writeOf } from './mongodb-wire.ts';

/** Which way nothing gets through any more. */
export type LinkDirection = 'requests' | 'answers';

/** A write to MongoDB whose writer learns only that its connection broke: at once, or, where it does not come late, once it is made. */
export interface LostWrite {
  /** It is under way until this resolves. */
  readonly late?: Promise<unknown>;
  /** It is made: its connection ends when this resolves. */
  readonly made?: () => Promise<unknown> | undefined;
}

/** Asked of each write, by the name of its command: whether its answer is lost. It waits for that. */
export type LosingWrites = (command: string) => LostWrite | undefined | Promise<LostWrite | undefined>;

/** The way from one replica to one server. */
export interface LinkProxy {
  readonly port: number;
  /**
   * Nothing gets through in one direction, and nobody is told: neither an error nor an end. Connections that are open hang for
   * ever, as behind a firewall that has forgotten them; new ones until the link is mended.
   */
  hang(direction: LinkDirection): void;
  /** Answers to writes are lost, and their connections end, until the link is mended; everything else gets through. */
  loseAnswers(losing: LosingWrites): void;
  /** New connections get through again, and answers. */
  mend(): void;
  close(): Promise<void>;
}

/** A connection, and what it goes through on its way to the server. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly requests: Transform;
  /** Its writer has gone, and something is still under way. */
  isLate: boolean;
}

/** Opens a proxy before a server. */
export const linkProxy = async (host: string, port: number): Promise<LinkProxy> => {
  const pairs = new Set<Pair>();
  let hanging: LinkDirection | undefined;
  let losing: LosingWrites | undefined;

  const end = (pair: Pair): void => {
    pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  };

  const block = ({ client, server, requests }: Pair, direction: LinkDirection): void => {
    if (direction === 'requests') client.unpipe(requests).pause();
    else server.unpipe(client).pause();
  };

  /** Resolves when the write may go on to the server. */
  const lose = async (pair: Pair, { late, made }: LostWrite): Promise<void> => {
    const { client, server } = pair;
    server.unpipe(client).resume();
    server.once('data', () => void Promise.resolve(made?.()).finally(() => end(pair)));
    if (late === undefined) return;
    pair.isLate = true;
    client.destroy();
    await late;
  };

  const onWrite = async (pair: Pair, command: string): Promise<void> => {
    const lost = await losing?.(command);
    if (lost !== undefined) await lose(pair, lost);
  };

  const listener = createServer((client) => {
    const server = new Socket().connect({ host, port });
    const requests = new Transform({
      transform(piece: Buffer, _encoding, done) {
        const command = losing === undefined ? undefined : writeOf(piece);
        if (command === undefined) done(undefined, piece);
        else void onWrite(pair, command).then(() => done(undefined, piece));
      },
    });
    const pair: Pair = { client, server, requests, isLate: false };
    pairs.add(pair);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
    }
    client.once('close', () => {
      if (!pair.isLate) end(pair);
    });
    server.once('close', () => end(pair));
    client.pipe(requests).pipe(server);
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
    loseAnswers(how) {
      losing = how;
    },
    mend() {
      hanging = undefined;
      losing = undefined;
    },
    close() {
      for (const pair of pairs) end(pair);
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
};
