import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createSharedRoom } from './shared-room.ts';

describe('room in Redis', () => {
  const roomAt = (clock: () => number) =>
    createSharedRoom({ maxBytes: 2_700, maxTextLength: 1_000, ttlMs: 1_000, clock });
  const text = 'x'.repeat(1_000);

  it('is had for what is not too long, as long as there is some', () => {
    const room = roomAt(() => 0);
    assert.equal(room.take(`${text}x`), false);
    assert.deepEqual([room.take(text), room.take(text), room.take(text)], [true, true, false]);
    assert.ok(room.take(''), 'what is short may still fit');
  });

  it('is counted in bytes', () => {
    assert.equal(roomAt(() => 0).take('€'.repeat(900)), false);
  });

  it('is free again once the values have ended, and no sooner', () => {
    let now = 0;
    const room = roomAt(() => now);
    room.take(text);
    now = 500;
    room.take(text);
    now = 999;
    assert.equal(room.take(text), false);
    now = 1_100;
    assert.deepEqual([room.take(text), room.take(text)], [true, false]);
  });
});
