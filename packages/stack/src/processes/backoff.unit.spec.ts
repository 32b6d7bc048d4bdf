import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backoffMs } from './backoff.ts';

describe('backoffMs', () => {
  const with_ = (random: number) => ({ firstMs: 100, longestMs: 1000, random: () => random });

  it('doubles, up to the longest', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6].map((attempt) => backoffMs(attempt, with_(1))),
      [100, 200, 400, 800, 1000, 1000],
    );
  });

  it('draws the upper half only, so that there is always a wait', () => {
    assert.equal(backoffMs(1, with_(0)), 50);
    assert.equal(backoffMs(1, with_(0.5)), 75);
  });
});
