import { newEventId } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { openWorld, type TestWorld } from '../testing/test-events.ts';

describe('persons', () => {
  let world: TestWorld;
  let events: Events;
  const at = new Date();

  before(async () => {
    world = await openWorld();
    events = world.replica();
    await events.db.createCollection('persons');
    await events.db.createCollection('things');
  });
  after(() => world.end());

  const close = (id: string) => events.transaction((session) => events.persons.close(id, at, session));
  const enter = (id: string) => events.transaction((session) => events.persons.enter(id, session));

  it('lets anybody in who is not erased, and nobody who is, for good', async () => {
    const id = newEventId();
    assert.equal(await enter(id), true);
    assert.equal(await enter(id), true);
    assert.equal(await events.persons.isErased(id), false);
    await close(id);
    assert.equal(await enter(id), false);
    assert.equal(await enter(id), false);
    assert.equal(await events.persons.isErased(id), true);
  });

  it('keeps out who was never there before', async () => {
    const id = newEventId();
    await close(id);
    assert.equal(await enter(id), false);
  });

  it('lets no creation slip past an erasure beside it, whichever commits first', async () => {
    const things = events.db.collection<{ _id: string }>('things');
    for (const known of [true, false]) {
      for (let round = 0; round < 15; round += 1) {
        const id = newEventId();
        if (known) await enter(id);
        const started = Promise.withResolvers<undefined>();
        const creation = events.transaction(async (session) => {
          // Its snapshot is as old as the erasure's: in it nobody is erased.
          await things.findOne({ _id: id }, { session });
          started.resolve(undefined);
          if (await events.persons.enter(id, session)) await things.insertOne({ _id: id }, { session });
        });
        const erasure = events.transaction(async (session) => {
          await started.promise;
          await events.persons.close(id, at, session);
          await things.deleteOne({ _id: id }, { session });
        });
        await Promise.all([creation, erasure]);
        assert.equal(await things.findOne({ _id: id }), null, `round ${round}, ${known ? 'known' : 'unknown'}`);
      }
    }
  });
});
