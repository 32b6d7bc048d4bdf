import assert from 'node:assert/strict';
import { once } from 'node:events';

import { WebSocket } from 'ws';

/** A message of the server, as it came. */
export interface SocketMessage {
  readonly type: string;
  readonly id?: string;
  readonly cursor?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly problem?: { readonly status: number; readonly code: string; readonly errors?: readonly object[] };
  readonly [other: string]: unknown;
}

/** A client of `GET /v1/changes`. */
export interface TestSocket {
  readonly socket: WebSocket;
  readonly messages: readonly SocketMessage[];
  /** Sends JSON, or text and bytes as they are. */
  send(message: object | string | Buffer): void;
  /** Waits for a message, for at most a minute. */
  next(what: string, isIt: (message: SocketMessage) => boolean): Promise<SocketMessage>;
  /** Waits until the server has closed it: `4401 session-ended`. */
  closed(): Promise<string>;
}

/** A handshake that was answered otherwise. */
export class SocketRefused extends Error {
  override readonly name = 'SocketRefused';
  readonly status: number;

  constructor(status: number) {
    super(`refused with ${status}`);
    this.status = status;
  }
}

const patienceMs = 60_000;

/**
 * Opens a socket, and greets where nothing else is said.
 *
 * @param port - of a service, or of the gateway
 */
export async function openSocket(
  port: number,
  options: {
    readonly token?: string | undefined;
    readonly greets?: boolean;
    readonly headers?: Readonly<Record<string, string>>;
    readonly protocols?: string[];
    readonly autoPong?: boolean;
  } = {},
): Promise<TestSocket> {
  const { token, greets = true, headers = {}, protocols = ['causeway.v1'], autoPong = true } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/changes`, protocols, { headers: { ...headers }, autoPong });
  const messages: SocketMessage[] = [];
  let ended: string | undefined;
  socket.on('message', (data: Buffer) => void messages.push(JSON.parse(data.toString()) as SocketMessage));
  socket.on('close', (code, reason) => (ended = `${code} ${reason.toString()}`.trim()));
  const refused = Promise.withResolvers<never>();
  socket.on('unexpected-response', (_request, response) => refused.reject(new SocketRefused(response.statusCode ?? 0)));
  socket.on('error', refused.reject);
  await Promise.race([once(socket, 'open'), refused.promise]);
  const until = async (what: string, isIt: () => boolean): Promise<void> => {
    const deadline = performance.now() + patienceMs;
    while (!isIt()) {
      const last = JSON.stringify(messages.slice(-3)).slice(0, 500);
      assert.ok(performance.now() < deadline, `waited in vain for ${what}; ${ended ?? 'open'}, the last ${last}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const client: TestSocket = {
    socket,
    messages,
    send: (message) =>
      socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message)),
    async next(what, isIt) {
      await until(what, () => messages.some(isIt));
      return messages.find(isIt) ?? assert.fail();
    },
    async closed() {
      await until('the end', () => ended !== undefined);
      return ended ?? '';
    },
  };
  if (greets) {
    client.send({ type: 'hello', ...(token === undefined ? {} : { token }) });
    await until('a welcome, or the end', () => messages.length > 0 || ended !== undefined);
  }
  return client;
}
