import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { recordCreated } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';
import type { Change } from '@causeway/events';
import { Timestamp } from 'mongodb';

import { createChangeHistory } from './change-history.ts';
import { followProgress } from './stream-progress.ts';

const at = (t: number): Timestamp => new Timestamp({ t, i: 1 });

const change = (t: number, id: string, transaction?: string): Change => ({
  collection: 'records_col_a',
  id: `rec_${id}`,
  revision: 1,
  event: {
    id,
    type: recordCreated.type,
    time: '2026-01-01T00:00:00.000Z',
    data: { fields: {} },
  } as unknown as EventEnvelope,
  document: undefined,
  deleted: false,
  clusterTime: at(t),
  transaction,
});

/** A process that has been brought some changes, and then nothing but the beacon. */
function progressOf(changes: readonly Change[], beacon?: number) {
  const history = createChangeHistory({ maxBytes: 1_000_000, maxAgeMs: 1_000, clock: () => 0 });
  const stream: { position: Timestamp | undefined } = { position: undefined };
  const progress = followProgress(stream, history);
  for (const each of changes) {
    stream.position = each.clusterTime;
    progress.note(each);
  }
  if (beacon !== undefined) stream.position = at(beacon);
  return { progress, history, stream };
}

describe('the progress of a commit stream', () => {
  const all = (t: number) => ({ position: at(t), eventId: undefined });

  it('has reached what lies before its position, and the position itself', () => {
    const { progress } = progressOf([change(3, 'a')]);
    assert.deepEqual(
      [2, 3, 4].map((t) => progress.hasReached(all(t))),
      [true, true, false],
    );
    assert.deepEqual(progress.place(), all(3));
  });

  it('has not reached the whole of a transaction, as long as more of it may come', () => {
    const { progress, stream } = progressOf([change(2, 'a'), change(3, 'b', 'x')]);
    assert.equal(progress.hasReached(all(3)), false);
    assert.equal(progress.hasReached(all(2)), true);
    assert.equal(progress.hasReached({ position: at(3), eventId: 'b' }), true);
    assert.equal(progress.hasReached({ position: at(3), eventId: 'c' }), false);
    assert.deepEqual(progress.place(), { position: at(3), eventId: 'b' });
    stream.position = at(4);
    assert.equal(progress.hasReached(all(3)), true);
  });

  it('knows no place after changes were missed, until there is a later position', () => {
    const { progress, history, stream } = progressOf([change(3, 'a')]);
    assert.equal(history.covers(all(3)), true);
    progress.miss();
    assert.equal(progress.place(), undefined);
    assert.equal(history.covers(all(3)), false);
    stream.position = at(5);
    assert.deepEqual(progress.place(), all(5));
    assert.equal(history.covers(all(4)), false);
    assert.equal(history.covers(all(5)), true);
  });

  it('begins with the first change, which is remembered', () => {
    const { progress, history } = progressOf([change(3, 'a')]);
    assert.deepEqual(
      history.after(all(2)).map(({ eventId }) => eventId),
      ['a'],
    );
    assert.deepEqual(progress.place(), all(3));
  });
});
