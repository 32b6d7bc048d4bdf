import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import type { FeedBlock } from './event-stream.ts';
import { eventually } from './eventually.ts';
import { addressOf } from './platform.ts';

/** A message of `GET /v1/changes`. */
export interface SocketMessage {
  readonly type: string;
  readonly id?: string;
  readonly cursor?: string;
  readonly data?: unknown;
  readonly problem?: { readonly status: number; readonly code: string };
}

/** A socket that has greeted, and been welcomed. */
export interface FeedSocket {
  readonly messages: readonly SocketMessage[];
  readonly send: (message: object) => void;
  /** Hears each message as it comes; of those before, nothing. */
  readonly onMessage: (listener: (message: SocketMessage) => void) => void;
  /** Code and reason, once it is closed. */
  readonly closed: () => string | undefined;
  /** Resolves with them. */
  readonly ended: (withinMs?: number) => Promise<string>;
  readonly close: () => void;
}

/**
 * Opens a socket at the gateway, or at a service.
 *
 * @param token - sent in the greeting
 * @throws where the handshake is refused
 */
export async function openFeedSocket(
  token?: string,
  { at = addressOf('gateway'), headers = {} }: { readonly at?: string; readonly headers?: Record<string, string> } = {},
): Promise<FeedSocket> {
  const socket = new WebSocket(`${at.replace(/^http/, 'ws')}/v1/changes`, ['causeway.v1'], { headers });
  const messages: SocketMessage[] = [];
  const listeners = new Set<(message: SocketMessage) => void>();
  let closed: string | undefined;
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as SocketMessage;
    messages.push(message);
    for (const listener of listeners) listener(message);
  });
  socket.on('close', (code, reason) => (closed = `${code} ${reason.toString()}`.trim()));
  const opened = Promise.withResolvers<undefined>();
  socket.once('open', () => opened.resolve(undefined));
  socket.on('error', opened.reject);
  await opened.promise;
  const send = (message: object): void => socket.send(JSON.stringify(message));
  send({ type: 'hello', ...(token === undefined ? {} : { token }) });
  await eventually(() => assert.ok(messages.length > 0 || closed !== undefined, 'nothing has come'), { everyMs: 5 });
  return {
    messages,
    send,
    onMessage: (listener) => void listeners.add(listener),
    closed: () => closed,
    ended: (withinMs = 10_000) =>
      eventually(
        () => {
          assert.ok(closed !== undefined, 'the socket is still open');
          return closed;
        },
        { withinMs },
      ),
    close: () => socket.terminate(),
  };
}

/** A message as the block that an event stream has in its place. */
export const blockOf = ({ type, cursor, data }: SocketMessage): FeedBlock => ({
  ...(type === 'place' ? {} : { event: type }),
  ...(cursor === undefined ? {} : { id: cursor }),
  ...(data === undefined ? {} : { data: JSON.stringify(data) }),
  readAt: performance.now(),
});
