import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createFirstDeliveries } from './first-deliveries.ts';

describe('the first deliveries of events', () => {
  it('count, and none of the later ones, for each handler by itself', () => {
    const { note, cameAgain } = createFirstDeliveries();
    note('one', 'a', false);
    note('one', 'a', true);
    note('two', 'a', true);
    note('two', 'a', false);
    assert.deepEqual([cameAgain('one', 'a'), cameAgain('two', 'a'), cameAgain('three', 'a')], [false, true, false]);
    assert.equal(cameAgain('one', 'b'), false);
  });

  it('are those since the event was last the first of its subject', () => {
    const { begin, note, cameAgain } = createFirstDeliveries();
    note('one', 'a', false);
    begin('a');
    assert.equal(cameAgain('one', 'a'), false);
    note('one', 'a', true);
    assert.equal(cameAgain('one', 'a'), true);
  });

  it('are forgotten of those that were brought longest ago', () => {
    const { note, cameAgain } = createFirstDeliveries();
    for (let count = 0; count <= 2_000; count += 1) note('one', `e${count}`, true);
    assert.deepEqual([cameAgain('one', 'e0'), cameAgain('one', 'e1'), cameAgain('one', 'e2000')], [false, true, true]);
  });
});
