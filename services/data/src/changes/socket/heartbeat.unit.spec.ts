import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';

import type { WebSocket } from '@causeway/service';

import { startHeartbeat } from './heartbeat.ts';

describe('the heartbeat of a socket', () => {
  const beat = (answers: (pings: number) => boolean) => {
    const state = { pings: 0, silences: 0 };
    const socket = Object.assign(new EventEmitter(), {
      ping: () => {
        state.pings += 1;
        if (answers(state.pings)) socket.emit('pong');
      },
    });
    const onSilence = (): void => void (state.silences += 1);
    const stop = startHeartbeat(socket as unknown as WebSocket, { helloMs: 1, heartbeatMs: 15_000 }, onSilence);
    return { state, stop };
  };

  it('goes on as long as pings are answered, now and then', ({ mock }) => {
    mock.timers.enable({ apis: ['setInterval'] });
    const { state, stop } = beat((pings) => pings % 3 === 0);
    for (let turn = 0; turn < 30; turn += 1) mock.timers.tick(15_000);
    assert.deepEqual(state, { pings: 30, silences: 0 });
    stop();
    mock.timers.tick(150_000);
    assert.equal(state.pings, 30);
  });

  it('says so when three in a row are not', ({ mock }) => {
    mock.timers.enable({ apis: ['setInterval'] });
    const { state, stop } = beat((pings) => pings === 1);
    for (let turn = 0; turn < 4; turn += 1) mock.timers.tick(15_000);
    assert.deepEqual(state, { pings: 4, silences: 0 });
    mock.timers.tick(15_000);
    assert.deepEqual(state, { pings: 4, silences: 1 });
    stop();
  });
});
