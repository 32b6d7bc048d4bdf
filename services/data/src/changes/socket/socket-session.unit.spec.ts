import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';

import type { WebSocket } from '@causeway/service';

import type { SocketSessionOptions } from './socket-session.ts';
import { serveSocket } from './socket-session.ts';

describe('a socket, before it is known who it is', () => {
  /** One whose token is being verified, for as long as the test lasts. */
  const greeting = async (act: (socket: EventEmitter) => void): Promise<string | undefined> => {
    const socket = Object.assign(new EventEmitter(), {
      closed: undefined as string | undefined,
      bufferedAmount: 0,
      close(code: number, reason: string) {
        socket.closed ??= `${code} ${reason}`;
      },
      ping: () => undefined,
      pong: () => undefined,
    });
    const options = {
      hub: { watch: () => () => undefined },
      authenticate: () => new Promise(() => undefined),
      draining: new AbortController().signal,
      times: { helloMs: 60_000, heartbeatMs: 60_000 },
    };
    const served = serveSocket(socket as unknown as WebSocket, options as unknown as SocketSessionOptions);
    socket.emit('message', Buffer.from('{"type":"hello","token":"t"}'), false);
    act(socket);
    socket.emit('close');
    await served;
    return socket.closed;
  };
  const say = (socket: EventEmitter, bytes: number): void =>
    void socket.emit('message', Buffer.alloc(bytes, 32), false);

  it('has 256 KiB that wait for that, and no more', async () => {
    const full = (more: number) => (socket: EventEmitter) => {
      for (let turn = 0; turn < 4; turn += 1) say(socket, 65_000);
      say(socket, more);
    };
    assert.equal(await greeting(full(1)), undefined);
    assert.equal(await greeting(full(65_000)), '4429 too-much-waits');
  });

  it('is closed where it answers pings that nobody sent, without end', async () => {
    const answering = (times: number) => (socket: EventEmitter) => {
      for (let turn = 0; turn < times; turn += 1) socket.emit('pong');
    };
    assert.equal(await greeting(answering(299)), undefined);
    assert.equal(await greeting(answering(300)), '4429 too-many-messages');
  });
});
