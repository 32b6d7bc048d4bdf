import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Timestamp } from 'mongodb';

import { draft } from '../recording/recorded-document.ts';
import type { Events } from '../events.ts';
import { noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';

describe('what has been committed for certain', () => {
  let world: TestWorld;
  let one: Events;
  let other: Events;
  const seen = new Set<string>();

  const write = async (events: Events, id: string): Promise<void> => {
    const { created } = noteEvents(world.service);
    const event = draft(created, { text: 'A' });
    await events
      .collection<Note>('notes', { thing: 'note' })
      .create(testCause(), { _id: id, state: { text: 'A' }, event });
  };

  before(async () => {
    world = await openWorld();
    [one, other] = [world.replica(), world.replica()];
    for (const each of [one, other]) each.collection<Note>('notes', { thing: 'note' });
    one.stream.subscribe(({ id }) => seen.add(id));
    await Promise.all([one.start(), other.start()]);
  });
  after(() => world.end());

  it('has been given to the listeners of every replica, whichever wrote it', async () => {
    for (let round = 0; round < 30; round += 1) {
      const ids = Array.from({ length: 5 }, (_, index) => `note-${round}-${index}`);
      await Promise.all(
        ids.map(async (id) => {
          await write(other, id);
          await one.settled(5_000);
          assert.ok(seen.has(id), `${id} was written before it was asked`);
        }),
      );
    }
  });

  it('stands before a mark, which is never older than the call, though others are on their way', async () => {
    const worker = async (): Promise<void> => {
      const session = world.client.startSession({ causalConsistency: true });
      for (let round = 0; round < 20; round += 1) {
        await world.client.db(world.database).collection('others').insertOne({}, { session });
        const mark = await one.mark(5_000);
        assert.ok(
          mark.greaterThan(session.operationTime!),
          'the mark of another call, that had begun before, was taken',
        );
      }
      await session.endSession();
    };
    await Promise.all(Array.from({ length: 10 }, worker));
  });

  it('is asked for together by the calls of one moment', async () => {
    const db = world.client.db(world.database);
    const { operationTime } = (await db.command({ ping: 1 })) as { operationTime: Timestamp };
    await one.settled(5_000);
    await Promise.all(Array.from({ length: 100 }, () => one.settled(5_000)));
    const last = await db.collection<{ _id: string; mark: string }>('beacons').findOne({ _id: 'mark' });
    const marks = new Set<string>();
    const writes = db.watch([{ $match: { 'documentKey._id': 'mark' } }], { startAtOperationTime: operationTime });
    while (last !== null && !marks.has(last.mark)) {
      const write = (await writes.next()) as { updateDescription?: { updatedFields: { mark: string } } };
      marks.add(write.updateDescription?.updatedFields.mark ?? '');
    }
    await writes.close();
    assert.ok(marks.size >= 2 && marks.size <= 4, `${marks.size} marks`);
  });

  it('is not known where the stream does not tell', async () => {
    const silent = world.replica();
    await assert.rejects(silent.settled(200), /not come up/);
  });
});
