import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createKeepAlive } from './keep-alive.ts';

describe('who is to hear something now and then', () => {
  it('comes once a round, not all at once, and no more once it has gone', () => {
    const keepAlive = createKeepAlive<number>(10);
    for (let member = 0; member < 95; member += 1) keepAlive.add(member);
    keepAlive.add(0);
    const round = (): number[][] => Array.from({ length: 10 }, () => [...keepAlive.next()]);
    for (let rounds = 0; rounds < 2; rounds += 1) {
      const turns = round();
      assert.equal(new Set(turns.flat()).size, 95);
      assert.equal(turns.flat().length, 95);
      assert.ok(turns.every(({ length }) => length <= 10));
    }
    for (let member = 0; member < 90; member += 1) keepAlive.remove(member);
    assert.deepEqual(round().flat().sort(), [90, 91, 92, 93, 94]);
  });
});
