import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { delayOf, guessRules, heldOf, longestDelayMs, memoryOf } from './guess-rules.ts';

const rules = guessRules({ perBlock: 100, overall: 600 });
const hourMs = 3_600_000;

describe('rules of guessing', () => {
  it('leave an account 100 guesses in a row at most, whoever makes them', () => {
    assert.equal(rules.strangers.places + rules.known.places, 100);
  });

  it('cost nothing at first, then a second, then twice as long each time up to a quarter of an hour', () => {
    const delays = [0, 1, 4, 5, 6, 7, 8, 14, 15, 79].map((held) => delayOf(rules.strangers, held));
    assert.deepEqual(delays, [0, 0, 0, 1_000, 2_000, 4_000, 8_000, 512_000, longestDelayMs, longestDelayMs]);
    assert.deepEqual([delayOf(rules.known, 9), delayOf(rules.known, 10)], [0, 1_000]);
  });

  it('make whoever uses all places of strangers up wait for most of a day', () => {
    const waits = Array.from({ length: rules.strangers.places - 1 }, (_, held) => delayOf(rules.strangers, held + 1));
    assert.ok(waits.reduce((sum, wait) => sum + wait, 0) > 16 * hourMs);
  });

  it('hold what is neither forgiven nor given back', () => {
    assert.equal(heldOf({ taken: 7, cleared: 3, givenBack: 1 }), 3);
    assert.equal(heldOf({ taken: 7, cleared: 7, givenBack: 1 }), 0);
  });

  it('remember no guess for less than a day, and allow no more over a long time than one a day', () => {
    const days = [0, 1, 2, 30, 80].map((held) => memoryOf(held) / 24 / hourMs);
    assert.deepEqual(days, [1, 1, 2, 30, 30]);
  });
});
