import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { bySystem } from '@causeway/service';

import { createForgetPending } from './forget-factors.ts';

describe('factors that nobody has confirmed', () => {
  it('go after a quarter of an hour, all of them, until the service stops', async () => {
    const waiting = Array.from({ length: 45 }, (_, index) => `fac_${index}`);
    const now = new Date('2026-01-01T00:15:00Z');
    const forget = createForgetPending({
      now: () => now,
      factorQueries: {
        pendingIdsBefore: (before, limit) => {
          assert.equal(before.toISOString(), '2026-01-01T00:00:00.000Z');
          return Promise.resolve(waiting.slice(0, limit));
        },
      },
      factors: {
        delete: (_cause, id) => {
          waiting.splice(waiting.indexOf(id), 1);
          return Promise.resolve(undefined);
        },
      },
    });
    await forget(bySystem(), AbortSignal.abort());
    assert.equal(waiting.length, 45);
    await forget(bySystem(), new AbortController().signal);
    assert.deepEqual(waiting, []);
  });
});
