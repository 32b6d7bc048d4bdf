import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Timestamp } from 'mongodb';

import { createChangeHistory } from './change-history.ts';
import type { ChangeHistory } from './change-history.ts';
import { placeAfter } from './place.ts';
import type { Place } from './place.ts';
import type { RecordChange } from './record-change.ts';

const at = (t: number, i = 1): Timestamp => new Timestamp({ t, i });
const change = (position: Timestamp, eventId: string, inTransaction = false, text = ''): RecordChange => ({
  collectionId: 'col_1',
  id: `rec_${eventId}`,
  revision: 1,
  eventId,
  position,
  time: new Date(0),
  inTransaction,
  before: undefined,
  after: {
    _id: `rec_${eventId}`,
    revision: 1,
    fields: { text },
    createdAt: new Date(0),
    updatedAt: new Date(0),
  },
});

describe('the history of changes', () => {
  let now = 0;
  const history = (maxBytes = 1_000_000): ChangeHistory =>
    createChangeHistory({ maxBytes, maxAgeMs: 1_000, clock: () => now });
  const events = (of: ChangeHistory, place: Place): string[] => of.after(place).map(({ eventId }) => eventId);

  it('covers nothing before it begins', () => {
    const own = history();
    assert.equal(own.covers({ position: at(1), eventId: undefined }), false);
    own.reset(at(5));
    assert.equal(own.covers({ position: at(4, 9), eventId: undefined }), false);
    assert.equal(own.covers({ position: at(5), eventId: undefined }), true);
    own.reset(undefined);
    assert.equal(own.covers({ position: at(9), eventId: undefined }), false);
  });

  it('gives what lies after a place', () => {
    const own = history();
    own.reset(at(1));
    for (let t = 2; t <= 6; t += 1) own.add(change(at(t), `e${t}`));
    assert.deepEqual(events(own, { position: at(1), eventId: undefined }), ['e2', 'e3', 'e4', 'e5', 'e6']);
    assert.deepEqual(events(own, placeAfter(change(at(4), 'e4'))), ['e5', 'e6']);
    assert.deepEqual(events(own, { position: at(4, 2), eventId: undefined }), ['e5', 'e6']);
    assert.deepEqual(events(own, { position: at(9), eventId: undefined }), []);
  });

  it('goes on within a transaction', () => {
    const own = history();
    own.reset(at(1));
    own.add(change(at(2), 'a'));
    for (const id of ['b1', 'b2', 'b3']) own.add(change(at(3), id, true));
    own.add(change(at(4), 'c'));
    assert.deepEqual(events(own, placeAfter(change(at(3), 'b1', true))), ['b2', 'b3', 'c']);
    assert.deepEqual(events(own, placeAfter(change(at(3), 'b3', true))), ['c']);
    assert.deepEqual(events(own, placeAfter(change(at(2), 'a'))), ['b1', 'b2', 'b3', 'c']);
    assert.deepEqual(events(own, { position: at(3), eventId: undefined }), ['c']);
  });

  it('forgets by size, and knows that it did', () => {
    const own = history(5_000);
    own.reset(at(1));
    for (let t = 2; t <= 20; t += 1) own.add(change(at(t), `e${t}`, false, 'x'.repeat(300)));
    const kept = events(own, { position: at(1), eventId: undefined });
    assert.ok(kept.length > 0 && kept.length < 19);
    assert.equal(own.covers({ position: at(1), eventId: undefined }), false);
    const first = Number(kept[0]?.slice(1));
    assert.equal(own.covers({ position: at(first - 1), eventId: undefined }), true);
    assert.equal(own.covers({ position: at(first - 2), eventId: undefined }), false);
  });

  it('forgets by time', () => {
    const own = history();
    own.reset(at(1));
    own.add(change(at(2), 'old'));
    now += 2_000;
    own.add(change(at(3), 'new'));
    assert.equal(own.covers({ position: at(1), eventId: undefined }), false);
    assert.deepEqual(events(own, { position: at(2), eventId: undefined }), ['new']);
  });

  it('stays whole through many changes', () => {
    const own = history(100_000);
    own.reset(at(1));
    for (let t = 2; t <= 5_000; t += 1) {
      own.add(change(at(t), `e${t}`));
      assert.deepEqual(events(own, { position: at(t - 1), eventId: undefined }), [`e${t}`]);
    }
  });
});
