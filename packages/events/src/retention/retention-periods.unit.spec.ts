import { eventRetentionMs } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { retentionPeriods } from './retention-periods.ts';

describe('retention', () => {
  it('is refused where the log would not outlive Kafka', () => {
    for (const days of [0, 1, eventRetentionMs / (24 * 3_600_000), 7.5, NaN]) {
      assert.throws(() => retentionPeriods(days), /EVENTS_RETENTION_DAYS is .*outlive Kafka's 7 days/);
    }
    assert.equal(retentionPeriods(8).logMs, 8 * 24 * 3_600_000);
  });

  it('keeps each thing for as long as what could bring it back', () => {
    const { logMs, tooOldMs, inboxMs, deletionMs, tombstoneMs } = retentionPeriods();
    assert.ok(logMs < tooOldMs, 'what a log still has is handled');
    assert.ok(tooOldMs < inboxMs, 'what is not too old is remembered, by clocks that are apart');
    assert.ok(deletionMs < tombstoneMs, 'a projection forgets a deletion before its id may begin anew');
    assert.ok(logMs < deletionMs, 'a late duplicate meets the deletion');
  });
});
