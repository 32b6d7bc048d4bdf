import { Fault, newEventId } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { eventually, openWorld, type TestWorld } from '../testing/test-events.ts';
import { writingMs } from './persons.ts';

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
    await events.persons.written(id);
  });

  it('tells who of many is erased', async () => {
    const [erased, known, unknown] = [newEventId(), newEventId(), newEventId()];
    await close(erased);
    await enter(known);
    const enterAll = (ids: readonly string[]) => events.transaction((session) => events.persons.enterAll(ids, session));
    assert.deepEqual([...(await enterAll([unknown, erased, known, erased]))], [erased]);
    assert.equal((await enterAll([])).size, 0);
    const rows = events.db.collection<{ _id: string; entered?: number }>('persons');
    assert.equal((await rows.findOne({ _id: known }))?.entered, 2);
    assert.equal((await rows.findOne({ _id: unknown }))?.entered, 1);
  });

  it('lets an erasure and many who enter not pass by each other', async () => {
    const id = newEventId();
    const [entering, closing] = [world.client.startSession(), world.client.startSession()];
    try {
      for (const session of [entering, closing]) session.startTransaction({ readConcern: { level: 'snapshot' } });
      assert.equal((await events.persons.enterAll([newEventId(), id], entering)).size, 0);
      await assert.rejects(events.persons.close(id, at, closing), { codeName: 'WriteConflict' });
    } finally {
      for (const session of [entering, closing]) await session.endSession();
    }
  });

  it('keeps out who was never there before', async () => {
    const id = newEventId();
    await close(id);
    assert.equal(await enter(id), false);
  });

  describe('what is written on behalf of somebody outside of a transaction', () => {
    const isFault = (error: unknown): boolean => error instanceof Fault && error.code === 'unavailable';
    const rows = () => events.db.collection<{ _id: string; writing: { until: Date }[] }>('persons');

    it('is waited for by an erasure that began meanwhile, and begins no more after it', async () => {
      for (const known of [true, false]) {
        const id = newEventId();
        if (known) await enter(id);
        const [begun, end] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
        const writing = events.persons.writing(id, async () => {
          begun.resolve(undefined);
          await end.promise;
        });
        await begun.promise;
        await close(id);
        await assert.rejects(events.persons.written(id), isFault);
        const written = events.persons.written(id);
        end.resolve(undefined);
        assert.equal(await writing, true);
        await written;
        assert.equal(await events.persons.writing(id, () => assert.fail('it was called')), false);
      }
    });

    it('does not wait for itself, but for each of several, however they end', async () => {
      const id = newEventId();
      const ends = [0, 1, 2].map(() => Promise.withResolvers<undefined>());
      const all = ends.map(({ promise }) => events.persons.writing(id, () => promise));
      await eventually('all', async () =>
        (await rows().findOne({ _id: id }))?.writing.length === 3 ? true : undefined,
      );
      await close(id);
      ends[0]?.resolve(undefined);
      ends[1]?.reject(new Error('it broke'));
      assert.deepEqual(
        (await Promise.allSettled(all.slice(0, 2))).map(({ status }) => status),
        ['fulfilled', 'rejected'],
      );
      await assert.rejects(events.persons.written(id), isFault);
      ends[2]?.resolve(undefined);
      await all[2];
      await events.persons.written(id);
    });

    it('is waited for no longer than a minute, by the clock of the database', async () => {
      const id = newEventId();
      const end = Promise.withResolvers<undefined>();
      const writing = events.persons.writing(id, () => end.promise);
      const begun = await eventually('it', async () => (await rows().findOne({ _id: id })) ?? undefined);
      const { until } = begun.writing[0] ?? assert.fail();
      const { localTime } = (await events.db.admin().command({ hello: 1 })) as { localTime: Date };
      assert.ok(Math.abs(until.getTime() - localTime.getTime() - writingMs) < writingMs / 4);
      await close(id);
      // Its process has died, a minute ago.
      await rows().updateOne({ _id: id }, { $set: { 'writing.0.until': localTime } });
      await events.persons.written(id);
      end.resolve(undefined);
      await writing;
    });
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
