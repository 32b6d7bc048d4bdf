import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { EventEnvelope } from '@causeway/contracts';

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
    const named = (queue: readonly string[]) => queue.map((id) => ({ collection: 'notes', id }));
    const load = async (queues: readonly (readonly string[])[], queueBytes: number) => {
      const { loaded, left } = await rows.load(queues.map(named), queueBytes);
      return { loaded: loaded.map(({ id }) => id), left: left.map(({ id }) => id) };
    };
    const all = [...ids, 'gone'];
    const first = await load([all], 10.5 * size);
    assert.equal(first.loaded.length, 11, 'the oldest one, and what there is room for');
    assert.deepEqual(new Set([...first.loaded, ...first.left]), new Set(all));
    const upsideDown = ids.toReversed();
    assert.deepEqual((await load([upsideDown], 1)).loaded, ['note-59'], 'the oldest one is there, whatever its size');
    assert.deepEqual(await load([['gone']], size), { loaded: [], left: [] });
    // One queue takes nothing from another.
    const [one, two] = [ids.slice(0, 30), ids.slice(30)];
    const both = await load([one, two], 4.5 * size);
    for (const queue of [one, two]) {
      assert.equal(both.loaded.filter((id) => queue.includes(id)).length, 5);
      assert.ok(both.loaded.includes(queue[0] ?? ''));
      assert.deepEqual(
        both.left.filter((id) => queue.includes(id)),
        queue.filter((id) => !both.loaded.includes(id)),
        'in their order',
      );
    }
    // What is in memory takes the room that is left, and nothing from the oldest one.
    const [oldest = '', ...younger] = ids;
    const outbox = [{ data: text }] as unknown as EventEnvelope[];
    const queue = [...named([oldest]), ...named(younger).map((row) => ({ ...row, outbox }))];
    const { loaded } = await rows.load([queue], 2.5 * size);
    assert.deepEqual(
      loaded.map(({ id }) => id),
      ids.slice(0, 3),
    );
    let [waiting, rounds] = [first.left, 1];
    for (; waiting.length > 0; rounds += 1) ({ left: waiting } = await load([waiting], 10.5 * size));
    assert.ok(rounds >= count / 11 && rounds <= count / 10 + 1, `${rounds} rounds`);

    held.release();
    await eventually('an empty backlog', async () => ((await events.backlog(100)) === 0 ? true : undefined));
    assert.equal(
      await events.log.collection.countDocuments({ 'event.subject': { $in: ids.map((id) => `note/${id}`) } }),
      count,
    );
  });
});
