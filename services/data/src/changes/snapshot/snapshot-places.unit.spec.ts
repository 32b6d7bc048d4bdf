import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import { createSnapshotPace } from './snapshot-pace.ts';
import { createSnapshotPlaces } from './snapshot-places.ts';

const { signal } = new AbortController();
const isBusy = (error: unknown): boolean => error instanceof Fault && error.code === 'snapshot-busy';

describe('the places for snapshots', () => {
  it('are given in turn, each to one at a time', async () => {
    const places = createSnapshotPlaces({ limit: 1 });
    const first = await places.take(signal);
    const given: string[] = [];
    const waiting = ['second', 'third'].map(async (name) => {
      const release = await places.take(signal);
      given.push(name);
      return release;
    });
    first();
    const second = await waiting[0];
    assert.deepEqual(given, ['second']);
    // A place that was given back twice is one place.
    first();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(given, ['second']);
    second?.();
    (await waiting[1])?.();
    (await places.take(signal))();
  });

  it('are refused to who has waited for too long, and to who comes when too many wait', async () => {
    const places = createSnapshotPlaces({ limit: 1, waitMs: 10, mostWaiting: 1 });
    const release = await places.take(signal);
    const waits = places.take(signal);
    await assert.rejects(places.take(signal), isBusy);
    await assert.rejects(waits, isBusy);
    release();
    (await places.take(signal))();
  });

  it('are not handed to who has gone', async () => {
    const places = createSnapshotPlaces({ limit: 1 });
    const release = await places.take(signal);
    const gone = new AbortController();
    const waits = places.take(gone.signal);
    gone.abort();
    release();
    await assert.rejects(waits, { name: 'AbortError' });
    (await places.take(signal))();
    await assert.rejects(places.take(gone.signal), { name: 'AbortError' });
    (await places.take(signal))();
  });
});

describe('the pace of a feed’s snapshots', () => {
  it('lets five begin within a minute', () => {
    let now = 0;
    const pace = createSnapshotPace(() => now);
    assert.deepEqual(
      Array.from({ length: 7 }, () => pace.begin()),
      [true, true, true, true, true, false, false],
    );
    now = 60_000;
    assert.equal(pace.begin(), true);
  });
});
