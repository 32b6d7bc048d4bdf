import { newEventId, topicOf, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import type { LoggedEvent } from '../log/event-log.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import {
  drivers,
  eventually,
  noteEvents,
  openWorld,
  testCause,
  type Note,
  type TestWorld,
} from '../testing/test-events.ts';
import { slotOf } from './slot.ts';

for (const driver of drivers) {
  describe(`the relay, on ${driver}`, () => {
    let world: TestWorld;
    let contracts: ReturnType<typeof noteEvents>;
    beforeEach(async () => {
      world = await openWorld(driver);
      contracts = noteEvents(world.service);
    });
    afterEach(() => world.end());

    const notesOf = (events: Events) => events.collection<Note>('notes', { thing: 'note' });
    const create = (notes: RecordedCollection<Note>, id: string) =>
      notes.create(testCause(), { _id: id, state: { text: id }, event: draft(contracts.created, { text: id }) });
    const touch = (notes: RecordedCollection<Note>, id: string, text: string) =>
      notes.update(testCause(), id, () => ({ state: { text }, event: draft(contracts.updated, { text }) }));

    /** First occurrences by subject: duplicates are allowed, gaps and swaps are not. */
    const firstSequences = (events: readonly EventEnvelope[]): Map<string, number[]> => {
      const bySubject = new Map<string, number[]>();
      for (const { subject, sequence } of events) {
        const seen = bySubject.get(subject) ?? [];
        if (!seen.includes(Number(sequence))) seen.push(Number(sequence));
        bySubject.set(subject, seen);
      }
      return bySubject;
    };
    const assertDense = (bySubject: ReadonlyMap<string, number[]>) => {
      for (const [subject, seen] of bySubject) {
        assert.deepEqual(
          seen,
          seen.map((_, index) => index + 1),
          `${subject} arrived as ${seen.join(', ')}`,
        );
      }
    };
    const allArrived = (count: number) =>
      eventually(`${count} distinct events`, () => {
        const ids = new Set(world.records.map(({ headers }) => headers.ce_id));
        return ids.size >= count ? ids : undefined;
      });

    it('publishes what was written while no relay ran, deletes and what they buried included', async () => {
      const events = world.replica();
      const notes = notesOf(events);
      for (const id of ['x', 'y', 'z']) await create(notes, id);
      await touch(notes, 'x', 'later');
      await notes.delete(testCause(), 'y', () => draft(contracts.deleted, {}));
      await events.start();
      await world.follow();
      await allArrived(5);
      assertDense(firstSequences(world.events()));
    });

    it('shares the slots between replicas, and hands those of a replica that died to the other', async () => {
      const first = world.replica();
      const second = world.replica();
      const [a, b] = [notesOf(first), notesOf(second)];
      await first.start();
      await second.start();
      await world.follow();
      await eventually('two leaders', async () => {
        const rows = await first.db.collection('leases').find().toArray();
        return new Set(rows.map((row) => row.owner as string | null)).size === 2 ? true : undefined;
      });
      const ids = Array.from({ length: 24 }, (_, index) => `s${index}`);
      await Promise.all(ids.map((id, index) => create(index % 2 === 0 ? a : b, id)));
      await allArrived(24);
      // Gone without a word: its leases are not given back.
      await first.db
        .collection<{ _id: string; owner: string }>('leases')
        .updateMany({}, [{ $set: { owner: 'a-dead-replica' } }]);
      await Promise.all(ids.map((id) => touch(b, id, 'after')));
      await allArrived(48);
      assertDense(firstSequences(world.events()));
    });

    it('publishes everything soon while replicas come and go', async () => {
      const lasting = world.replica();
      const notes = notesOf(lasting);
      await lasting.start();
      await world.follow();
      for (let turn = 1; turn <= 5; turn += 1) {
        const guest = world.replica();
        const own = notesOf(guest);
        await guest.start();
        await Promise.all(Array.from({ length: 8 }, (_, index) => create(own, `guest${turn}.${index}`)));
        await guest.stop();
        await Promise.all(Array.from({ length: 8 }, (_, index) => create(notes, `host${turn}.${index}`)));
        await allArrived(turn * 16);
      }
      assertDense(firstSequences(world.events()));
    });

    it('never lets two leaders write one place of the log: the one that comes second gives up', async () => {
      const events = world.replica({ sweepMs: 500 });
      const notes = notesOf(events);
      await events.start();
      await world.follow();
      const { event } = await create(notes, 'first');
      await allArrived(1);
      const slot = slotOf(event.subject, 4);
      // A zombie has taken the next place of the slot, behind the back of the leader.
      const stolen = await touch(notes, 'first', 'mine');
      await allArrived(2);
      const rows = events.db.collection<LoggedEvent>('events');
      const last = await rows.findOne({ _id: stolen?.event?.id ?? '' });
      const foreign = { ...event, id: newEventId(), subject: 'note/foreign' };
      await rows.insertOne({ _id: foreign.id, slot, pos: (last?.pos ?? 0) + 1, at: new Date(), event: foreign });
      await touch(notes, 'first', 'again');
      // The zombie had appended, and never produced: whoever leads next does it in its place.
      await allArrived(4);
      const log = await rows.find({ slot }).sort({ pos: 1 }).toArray();
      assert.deepEqual(
        log.map(({ pos }) => pos),
        [1, 2, 3, 4],
      );
      assertDense(firstSequences(world.events()));
    });

    it('publishes again from its log what Kafka has lost', async () => {
      const events = world.replica();
      const notes = notesOf(events);
      await events.start();
      const ids = Array.from({ length: 10 }, (_, index) => `k${index}`);
      for (const id of ids) await create(notes, id);
      await eventually('empty outboxes', async () =>
        (await notes.native.countDocuments({ 'outbox.0': { $exists: true } })) === 0 ? true : undefined,
      );
      await events.stop();
      await world.kafka.deleteTopics([topicOf(world.service)]);
      const again = world.replica();
      notesOf(again);
      await again.start();
      await world.follow();
      await allArrived(10);
    });

    it('refuses to start with another number of slots than it was created with', async () => {
      const events = world.replica();
      await events.start();
      await events.stop();
      const other = world.replica({ partitions: 6 });
      await assert.rejects(other.start(), /created with 4 slots, and KAFKA_PARTITIONS says 6/);
    });

    it('goes on where somebody’s transaction holds a row for a while', async () => {
      const events = world.replica();
      const notes = notesOf(events);
      await events.start();
      await world.follow();
      await create(notes, 'held');
      await allArrived(1);
      const session = world.client.startSession();
      session.startTransaction();
      await world.client
        .db(world.database)
        .collection<{ _id: string }>('notes')
        .updateOne({ _id: 'held' }, { $set: { text: 'held' } }, { session });
      await Promise.all(Array.from({ length: 20 }, (_, index) => create(notes, `free${index}`)));
      await allArrived(21);
      await session.abortTransaction();
      await session.endSession();
      await eventually('empty outboxes', async () =>
        (await notes.native.countDocuments({ 'outbox.0': { $exists: true } })) === 0 ? true : undefined,
      );
    });
  });
}
