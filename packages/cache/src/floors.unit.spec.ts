import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createFloors } from './floors.ts';

describe('floors', () => {
  it('are the highest that was told of, for their time', () => {
    let now = 0;
    const floors = createFloors({ keepMs: 100, most: 10, clock: () => now });
    assert.equal(floors.of('a'), 0);
    floors.raise('a', 5);
    floors.raise('a', 3);
    assert.equal(floors.of('a'), 5);
    now = 99;
    assert.equal(floors.of('a'), 5);
    now = 100;
    assert.equal(floors.of('a'), 0);
    assert.ok(floors.complete);
  });

  it('are bounded, and it is said for how long one is missing that was forgotten early', () => {
    let now = 0;
    const floors = createFloors({ keepMs: 100, most: 2, clock: () => now });
    floors.raise('a', 2);
    now = 10;
    floors.raise('b', 2);
    // Told of once more, it is no longer the first to go.
    floors.raise('a', 3);
    assert.ok(floors.complete);
    floors.raise('c', 2);
    assert.deepEqual(['a', 'b', 'c'].map(floors.of), [3, 0, 2]);
    assert.equal(floors.complete, false);
    now = 109;
    assert.equal(floors.complete, false);
    now = 110;
    assert.ok(floors.complete);
  });
});
