import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { draft } from '../recording/recorded-document.ts';
import { heldKafka, type HeldKafka } from '../testing/held-kafka.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';

describe('the backlog', () => {
  let world: TestWorld;
  let held: HeldKafka;
  let events: Events;
  before(async () => {
    world = await openWorld();
    held = heldKafka(world.kafka);
    events = world.replica({ kafka: held.kafka });
  });
  after(async () => {
    held.release();
    await world.end();
  });

  it('is what waits to be published, in all collections and of what is deleted, up to a limit', async () => {
    const contracts = noteEvents(world.service);
    const [notes, others] = ['notes', 'others'].map((name) => events.collection<Note>(name, { thing: 'note' }));
    assert.ok(notes && others);
    await events.start();
    const reaches = (count: number) =>
      eventually(`a backlog of ${count}`, async () => ((await events.backlog(100)) === count ? true : undefined));
    await reaches(0);
    held.hold();
    const create = (to: typeof notes, id: string) =>
      to.create(testCause(), { _id: id, state: { text: id }, event: draft(contracts.created, { text: id }) });
    for (const id of ['a', 'b', 'c']) await create(notes, id);
    await create(others, 'd');
    assert.equal(await events.backlog(100), 4);
    await notes.delete(testCause(), 'a', () => draft(contracts.deleted, {}));
    // It has gone with its events to its tombstone.
    assert.equal(await events.backlog(100), 4);
    assert.equal(await events.backlog(3), 3);
    held.release();
    await reaches(0);
  });
});
