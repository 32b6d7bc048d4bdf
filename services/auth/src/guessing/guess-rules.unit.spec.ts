import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { budgetNames } from './counters.ts';
import { delayOf, guessRules, isFull, longestDelayMs, memoryOf } from './guess-rules.ts';

const rules = guessRules({ perBlock: 100, overall: 600 });
const hourMs = 3_600_000;

describe('rules of guessing', () => {
  it('leave an account 100 guesses in a row at most, whoever makes them', () => {
    assert.equal(
      budgetNames.reduce((sum, name) => sum + rules[name].places, 0),
      100,
    );
  });

  it('leave a device places of its own, whatever one other does that is known by as much', () => {
    for (const name of ['mailed', 'known', 'proven'] as const) {
      const { places, perDevice = places } = rules[name];
      // A password and a code, and one of each that is mistyped.
      assert.ok(perDevice >= 4 && places - perDevice >= perDevice, name);
    }
    assert.equal(rules.strangers.perDevice, undefined);
  });

  it('leave one sign-in with a code to each of seven devices where it was shown, however much the others take', () => {
    const taken = Array.from({ length: 8 }, () => 0);
    for (const device of taken.keys()) {
      const held = () => taken.reduce((sum, own) => sum + own, 0);
      while (!isFull(rules.proven, held(), taken[device])) taken[device] = (taken[device] ?? 0) + 1;
    }
    assert.deepEqual(taken, [5, 5, 2, 2, 2, 2, 2, 0]);
    // Of the others anybody has as many as they please who has one.
    for (const name of ['strangers', 'mailed', 'known'] as const) assert.equal(rules[name].reserve, undefined);
  });

  it('cost nothing at first, then a second, then twice as long each time up to a quarter of an hour', () => {
    const delays = [0, 1, 4, 5, 6, 7, 8, 14, 15, 54].map((held) => delayOf(rules.strangers, held));
    assert.deepEqual(delays, [0, 0, 0, 1_000, 2_000, 4_000, 8_000, 512_000, longestDelayMs, longestDelayMs]);
  });

  it('make whoever uses all places of strangers up wait for ten hours', () => {
    const waits = Array.from({ length: rules.strangers.places - 1 }, (_, held) => delayOf(rules.strangers, held + 1));
    assert.ok(waits.reduce((sum, wait) => sum + wait, 0) > 10 * hourMs);
  });

  it('remember no guess for less than a day, and allow no more over a long time than one a day', () => {
    const days = [0, 1, 2, 30, 80].map((held) => memoryOf(held) / 24 / hourMs);
    assert.deepEqual(days, [1, 1, 2, 30, 30]);
  });
});
