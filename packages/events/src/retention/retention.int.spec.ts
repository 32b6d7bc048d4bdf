import { newEventId } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import type { HandledRow } from '../consumer/inbox.ts';
import type { Events, EventsOptions } from '../events.ts';
import { draft, type Tombstone } from '../recording/recorded-document.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { onEvent } from '../consumer/handler.ts';
import { heldKafka } from '../testing/held-kafka.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { reapDeletions, reapReplicas, reapTombstones } from './reap-deleted.ts';
import { reapInbox } from './reap-inbox.ts';
import { reapLog, type Reaped } from './reap-log.ts';

const dayMs = 24 * 3_600_000;
const longAgo = new Date(Date.now() - 60 * dayMs);
const countOf = async (steps: AsyncIterable<Reaped>): Promise<number> => {
  let sum = 0;
  for await (const { count } of steps) sum += count;
  return sum;
};

describe('retention', () => {
  let world: TestWorld;
  let contracts: ReturnType<typeof noteEvents>;
  beforeEach(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
  });
  afterEach(() => world.end());

  const open = async (options: Partial<EventsOptions> = {}) => {
    const events = world.replica(options);
    const notes = events.collection<Note>('notes', { thing: 'note', reusableIds: true });
    await events.start();
    return { events, notes };
  };
  const create = (notes: RecordedCollection<Note>, id: string) =>
    notes.create(testCause(), { _id: id, state: { text: id }, event: draft(contracts.created, { text: id }) });
  const touch = (notes: RecordedCollection<Note>, id: string, text: string) =>
    notes.update(testCause(), id, () => ({ state: { text }, event: draft(contracts.updated, { text }) }));
  const logOf = ({ log }: Events) => log.collection.find().sort({ slot: 1, pos: 1 }).toArray();
  /** As if everything had been logged long ago. */
  const age = ({ log }: Events) => log.collection.updateMany({}, { $set: { at: longAgo } });
  /** Also that: what a row still carries has not been in the log for long, and a new leader that does not find it logs it again. */
  const ageTold = async ({ log }: Events, { native }: RecordedCollection<Note>) => {
    const carried = await native.distinct('outbox.id');
    await log.collection.updateMany({ _id: { $nin: carried as string[] } }, { $set: { at: longAgo } });
  };
  const known = (events: Events, count: number) =>
    eventually('progress of the slots', async () => {
      const rows = await events.db.collection<{ _id: number; pos: number }>('slots').find().toArray();
      return rows.reduce((sum, { pos }) => sum + pos, 0) === count ? true : undefined;
    });
  const emptied = (notes: RecordedCollection<Note>) =>
    eventually('empty outboxes', async () =>
      (await notes.native.countDocuments({ 'outbox.0': { $exists: true } })) === 0 ? true : undefined,
    );

  it('takes old events from the log but for the last of each slot, where the next goes on', async () => {
    const { events, notes } = await open();
    await world.follow();
    const ids = Array.from({ length: 20 }, (_, index) => `n${index}`);
    for (const id of ids) await create(notes, id);
    await known(events, 20);
    const before = await logOf(events);
    assert.equal(await countOf(reapLog({ db: events.db, slots: 4, before: longAgo })), 0, 'nothing is old yet');
    await age(events);
    const slots = new Set(before.map(({ slot }) => slot));
    assert.equal(await countOf(reapLog({ db: events.db, slots: 4, before: new Date() })), 20 - slots.size);
    const left = await logOf(events);
    assert.deepEqual(
      left.map(({ slot, pos }) => `${slot}/${pos}`),
      before.filter((row, at) => before[at + 1]?.slot !== row.slot).map(({ slot, pos }) => `${slot}/${pos}`),
    );
    // Another leader begins where the log ends.
    await events.stop();
    const next = await open();
    for (const id of ids) await touch(next.notes, id, 'again');
    await known(next.events, 40);
    const after = await logOf(next.events);
    for (const slot of slots) {
      const first = left.find((row) => row.slot === slot)?.pos ?? NaN;
      const own = after.filter((row) => row.slot === slot).map(({ pos }) => pos);
      assert.deepEqual(
        own,
        own.map((_, index) => first + index),
      );
    }
    await eventually('all on Kafka', () => (world.events().length >= 40 ? true : undefined));
    assert.equal(world.events().length, 40);
  });

  it('never takes what is not known to be in Kafka, nor what Kafka has lost', async () => {
    const held = heldKafka(world.kafka);
    const { events, notes } = await open({ kafka: held.kafka });
    await create(notes, 'one');
    await touch(notes, 'one', 'two');
    await known(events, 2);
    held.hold();
    await touch(notes, 'one', 'three');
    await touch(notes, 'one', 'four');
    await eventually('a log that is ahead', async () => ((await logOf(events)).length >= 3 ? true : undefined));
    await age(events);
    const slots = events.db.collection<{ _id: number; lostFrom?: number }>('slots');
    await slots.updateMany({}, { $set: { lostFrom: 1 } });
    assert.equal(await countOf(reapLog({ db: events.db, slots: 4, before: new Date() })), 0, 'lost');
    await slots.updateMany({}, { $unset: { lostFrom: '' } });
    assert.equal(await countOf(reapLog({ db: events.db, slots: 4, before: new Date() })), 2, 'the two in Kafka');
    held.release();
    await world.follow();
    await eventually('all four', () => (world.events().length >= 4 ? true : undefined));
    assert.deepEqual(
      world.events().map(({ sequence }) => Number(sequence)),
      [1, 2, 3, 4],
    );
  });

  it('takes what is done and what is discarded from the inbox, never what is parked or under way', async () => {
    const { events } = await open();
    const inbox = events.db.collection<HandledRow>('handled');
    const idAt = (time: Date): string => {
      const hex = time.getTime().toString(16).padStart(12, '0');
      return `${hex.slice(0, 8)}-${hex.slice(8)}${newEventId().slice(13)}`;
    };
    const rowsOf = (handler: string, count: number, status: HandledRow['status'], at: Date) =>
      Array.from({ length: count }, (): HandledRow => ({ _id: { handler, event: idAt(longAgo) }, status, at }));
    const recent = new Date();
    await inbox.insertMany([
      ...rowsOf('a', 1_203, 'done', longAgo),
      ...rowsOf('a', 2, 'parked', longAgo),
      ...rowsOf('a', 2, 'retrying', longAgo),
      ...rowsOf('retired', 3, 'discarded', longAgo),
      // Nobody is there who would try it again.
      ...rowsOf('retired', 5, 'retrying', longAgo),
      ...rowsOf('retired', 1, 'retrying', recent),
      // Handled just now, such as one that was redriven: its duplicates may still be on their way.
      ...rowsOf('retired', 4, 'done', recent),
      { _id: { handler: 'retired', event: newEventId() }, status: 'done', at: recent },
      { _id: { handler: '*', event: 'causeway.x/0/1' }, status: 'parked', at: longAgo },
      { _id: { handler: '*', event: 'causeway.x/0/2' }, status: 'discarded', at: longAgo },
    ]);
    const steps: Reaped[] = [];
    for await (const step of reapInbox(events.db, new Date(Date.now() - 36 * dayMs), ['a'])) steps.push(step);
    assert.equal(
      steps.reduce((sum, { count }) => sum + count, 0),
      1_203 + 3 + 5 + 1,
    );
    assert.ok(steps.length >= 4 && steps.every(({ count }) => count <= 500), 'in chunks');
    const left = await inbox
      .aggregate<{ _id: string; count: number }>([
        { $group: { _id: '$status', count: { $sum: 1 } } },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    assert.deepEqual(
      left.map(({ _id, count }) => [_id, count]),
      [
        ['done', 5],
        ['parked', 3],
        ['retrying', 3],
      ],
    );
  });

  it('takes tombstones that have told everything, and what projections keep of the deleted', async () => {
    const held = heldKafka(world.kafka);
    const copy = onEvent.projection({
      name: 'copy',
      on: [contracts.created, contracts.deleted],
      collection: 'copies',
      project: ({ subject, data }) =>
        'text' in data ? { _id: subject, set: { text: data.text } } : { _id: subject, deleted: true },
    });
    const { events, notes } = await open({ kafka: held.kafka, handlers: [copy] });
    await create(notes, 'told');
    await create(notes, 'alive');
    await notes.delete(testCause(), 'told', () => draft(contracts.deleted, {}));
    const graves = events.db.collection<Tombstone>('tombstones');
    await eventually('a tombstone that has told everything', async () =>
      (await graves.findOne({ _id: 'notes/told' }))?.outbox.length === 0 ? true : undefined,
    );
    const copies = events.db.collection<{ _id: string; deleted?: Date }>('copies');
    await eventually('its copy', async () => (await copies.findOne({ _id: 'note/told' }))?.deleted ?? undefined);
    held.hold();
    await create(notes, 'untold');
    await notes.delete(testCause(), 'untold', () => draft(contracts.deleted, {}));
    assert.equal(await countOf(reapTombstones(events.db, longAgo)), 0);
    await graves.updateMany({}, { $set: { deletedAt: longAgo } });
    await copies.updateMany({ deleted: { $exists: true } }, { $set: { deleted: longAgo } });
    assert.equal(await countOf(reapTombstones(events.db, new Date())), 1);
    assert.deepEqual(
      (await graves.find().toArray()).map(({ id }) => id),
      ['untold'],
    );
    assert.equal(await countOf(reapDeletions(events.db, 'copies', new Date())), 1);
    assert.deepEqual(
      (await copies.find().toArray()).map(({ _id }) => _id),
      ['note/alive'],
    );
    held.release();
  });

  it('takes replicas that died without a word', async () => {
    const { events } = await open();
    const relays = events.db.collection<{ _id: string; seenAt: Date }>('relays');
    await relays.insertOne({ _id: 'dead', seenAt: longAgo });
    assert.equal(await countOf(reapReplicas(events.db, new Date(Date.now() - dayMs))), 1);
    assert.equal(await relays.countDocuments(), 1);
  });

  it('is applied by the leader, beside the relays of two replicas that go on', async () => {
    const first = await open({ reapMs: 60 });
    const second = await open({ reapMs: 60 });
    await world.follow();
    const { db } = first.events;
    await db.collection<HandledRow>('handled').insertOne({
      _id: { handler: 'gone', event: '0000' },
      status: 'done',
      at: longAgo,
    });
    const ids = Array.from({ length: 60 }, (_, index) => `r${index}`);
    for (const [index, id] of ids.entries()) {
      await create(index % 2 === 0 ? first.notes : second.notes, id);
      // All that is told is old at once: only what is not published, and the ends, may stay.
      if (index % 10 === 9) await ageTold(first.events, first.notes);
    }
    await emptied(first.notes);
    await known(first.events, 60);
    await age(first.events);
    await eventually('a short log', async () => {
      const rows = await logOf(first.events);
      return rows.length === new Set(rows.map(({ slot }) => slot)).size ? true : undefined;
    });
    await eventually('a short inbox', async () =>
      (await db.collection('handled').countDocuments({})) === 0 ? true : undefined,
    );
    await eventually('all on Kafka', () => (world.events().length >= 60 ? true : undefined));
    assert.equal(world.events().length, 60);
    const slots = await db.collection<{ _id: number; pos: number }>('slots').find().toArray();
    assert.equal(
      slots.reduce((sum, { pos }) => sum + pos, 0),
      60,
      'dense to the end',
    );
  });

  it('is refused where the log would not outlive Kafka', () => {
    assert.throws(() => world.replica({ retentionDays: 7 }), /EVENTS_RETENTION_DAYS is 7/);
  });
});
