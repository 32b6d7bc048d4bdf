import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Upgrade } from '@causeway/service';

/** The two ends of a connection that goes on as something else than HTTP. */
export interface JoinedSockets {
  /** The client's, with what it has sent already. */
  readonly client: Upgrade;
  readonly upstream: Duplex;
  /** How long nothing may move between us and either side. */
  readonly silenceMs: number;
}

/** For the client to close its side, once it has been sent everything. */
const closingMs = 2_000;

const boundSilence = (socket: Duplex, silenceMs: number): void => {
  if (socket instanceof Socket) socket.setTimeout(silenceMs, () => void socket.destroy());
};

/**
 * Passes bytes both ways, as fast as each side takes them, until either goes; what the service has said by then still reaches the client.
 */
export const joinSockets = ({ client: { socket: client, head }, upstream, silenceMs }: JoinedSockets): void => {
  for (const each of [client, upstream]) boundSilence(each, silenceMs);
  upstream.on('error', () => upstream.destroy());
  client.once('close', () => upstream.destroy());
  upstream.once('close', () => {
    if (!client.writableEnded) client.end();
    setTimeout(() => client.destroy(), closingMs).unref();
  });
  if (head.length > 0) upstream.write(head);
  client.pipe(upstream).pipe(client);
};
