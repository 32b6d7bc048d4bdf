import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { mailDelaysMs, nextAttemptAfter } from './mail-schedule.ts';

describe('the schedule of a mail', () => {
  it('tries again ever more seldom, for a day, and then no more', () => {
    const after = Array.from({ length: 9 }, (_each, index) => nextAttemptAfter(index + 1, mailDelaysMs, 0));
    assert.deepEqual(
      after.map((ms) => (ms === undefined ? undefined : ms / 60_000)),
      [0.5, 2, 10, 60, 180, 360, 720, undefined, undefined],
    );
    const hours = mailDelaysMs.reduce((sum, ms) => sum + ms, 0) / 3_600_000;
    assert.ok(hours > 20 && hours < 30, `${hours} hours`);
  });

  it('spreads mails that failed together', () => {
    assert.equal(nextAttemptAfter(1, [1_000], 1), 1_250);
    for (let time = 0; time < 100; time += 1) {
      const ms = nextAttemptAfter(1, [1_000]) ?? 0;
      assert.ok(ms >= 1_000 && ms <= 1_250, `${ms}`);
    }
  });
});
