import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Backoff, pause, settledWithin } from './backoff.ts';

describe('Backoff', () => {
  it('doubles up to its limit, with jitter over the upper half, and starts again after a reset', () => {
    const backoff = new Backoff(100, 1_000);
    for (const ceiling of [100, 200, 400, 800, 1_000, 1_000]) {
      const delayMs = backoff.nextMs();
      assert.ok(delayMs >= ceiling / 2 && delayMs <= ceiling, `${delayMs} of ${ceiling}`);
    }
    backoff.reset();
    assert.ok(backoff.nextMs() <= 100);
  });

  it('stops waiting when it is told', async () => {
    const stop = new AbortController();
    const waiting = new Backoff(60_000, 60_000).wait(stop.signal);
    stop.abort();
    await waiting;
    await pause(60_000, stop.signal);
  });
});

describe('settledWithin', () => {
  it('tells whether a promise settled in time', async () => {
    assert.equal(await settledWithin(Promise.resolve('x'), 60_000), true);
    assert.equal(await settledWithin(new Promise(() => undefined), 1), false);
  });

  it('passes on a rejection that comes in time, and swallows one that comes late', async () => {
    await assert.rejects(settledWithin(Promise.reject(new Error('early')), 60_000), /early/);
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise((_, reject) => (fail = reject));
    assert.equal(await settledWithin(late, 1), false);
    fail(new Error('late'));
  });
});
