import { newEventId, topicOf } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import type { LoggedEvent } from '../log/logged-event.ts';
import { draft } from '../recording/recorded-document.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { createPublisher, slotProgress, type SlotRow } from './publisher.ts';

describe('what is told of a slot’s progress', () => {
  let world: TestWorld;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.end());

  /** An event that is in the log, and the slots' rows. */
  const publishOne = async () => {
    const events = world.replica();
    const notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    const { created } = noteEvents(world.service);
    await notes.create(testCause(), { _id: 'one', state: { text: '1' }, event: draft(created, { text: '1' }) });
    // As it is written: without a majority.
    const slots = events.db.collection<SlotRow>(slotProgress, { readConcern: { level: 'local' } });
    const { _id: slot, epoch } = await eventually('progress', async () => (await slots.findOne()) ?? undefined);
    const logged = await events.log.collection.findOne({ slot });
    assert.ok(logged);
    return { events, logged, slot, epoch, slots };
  };

  it('by a leader of before is passed over, once a later one has told of its own', async () => {
    const { events, logged, slot, epoch, slots } = await publishOne();
    assert.ok(epoch > 0, 'that of the lease');
    const open = () =>
      createPublisher({
        db: events.db,
        kafka: world.kafka,
        topic: topicOf(world.service),
        metrics: { sent: () => undefined },
      });
    const [earlier, later] = [await open(), await open()];
    const at = (pos: number): LoggedEvent => ({ ...logged, _id: newEventId(), pos });
    const told = async (publisher: typeof later, ownEpoch: number, positions: readonly number[]) => {
      await publisher.send(new Map([[slot, { epoch: ownEpoch, events: positions.map(at) }]]));
      // Reads it back once it is kept.
      await publisher.progressOf([slot]);
      const row = await slots.findOne({ _id: slot });
      return [row?.pos, row?.offset, row?.epoch];
    };
    try {
      assert.deepEqual(await told(later, epoch + 2, [2, 3]), [3, 2, epoch + 2]);
      assert.deepEqual(await told(earlier, epoch + 1, [2]), [3, 2, epoch + 2]);
      assert.deepEqual(await told(later, epoch + 2, [4]), [4, 4, epoch + 2]);
      assert.deepEqual(await told(later, epoch + 2, [2]), [2, 5, epoch + 2], 'what is published again is told again');
    } finally {
      await Promise.all([earlier.close(), later.close()]);
    }
  });
});
