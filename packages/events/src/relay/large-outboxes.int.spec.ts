import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { draft } from '../recording/recorded-document.ts';
import { heldKafka, type HeldKafka } from '../testing/held-kafka.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { createOutboxRows } from './outbox-rows.ts';

describe('large outboxes', () => {
  let world: TestWorld;
  let held: HeldKafka;
  before(async () => {
    world = await openWorld();
    held = heldKafka(world.kafka);
  });
  after(async () => {
    held.release();
    await world.end();
  });

  const size = 1_000_000;
  const count = 60;

  it('are read as far as there is room, the others later, and all are published', async () => {
    const contracts = noteEvents(world.service);
    const events = world.replica({ kafka: held.kafka });
    const notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    held.hold();
    const text = 'x'.repeat(size);
    const ids = Array.from({ length: count }, (_, at) => `note-${at}`);
    for (const id of ids) {
      await notes.create(testCause(), { _id: id, state: { text: id }, event: draft(contracts.created, { text }) });
    }

    const rows = createOutboxRows(events.db);
    const load = async (waiting: readonly { readonly id: string }[], mostBytes: number) => {
      const { loaded, left } = await rows.load(
        waiting.map(({ id }) => ({ collection: 'notes', id })),
        mostBytes,
      );
      return { loaded: loaded.map(({ id }) => id), left };
    };
    const named = [...ids.map((id) => ({ id })), { id: 'gone' }];
    const first = await load(named, 10.5 * size);
    assert.equal(first.loaded.length, 10);
    assert.deepEqual(new Set([...first.loaded, ...first.left.map(({ id }) => id)]), new Set(named.map(({ id }) => id)));
    assert.equal((await load(named, 1)).loaded.length, 1, 'one is there, whatever its size');
    assert.deepEqual(await load([{ id: 'gone' }], size), { loaded: [], left: [] });
    let [waiting, rounds] = [first.left, 1];
    for (; waiting.length > 0; rounds += 1) ({ left: waiting } = await load(waiting, 10.5 * size));
    assert.ok(rounds >= count / 10 && rounds <= count / 10 + 1, `${rounds} rounds`);

    held.release();
    await eventually('an empty backlog', async () => ((await events.backlog(100)) === 0 ? true : undefined));
    assert.equal(
      await events.log.collection.countDocuments({ 'event.subject': { $in: ids.map((id) => `note/${id}`) } }),
      count,
    );
  });
});
