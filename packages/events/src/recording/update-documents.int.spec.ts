import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';

import type { Events } from '../events.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { DuplicateKey } from './errors.ts';
import type { RecordedCollection } from './recorded-collection.ts';
import { draft } from './recorded-document.ts';

describe('updates that come at once', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    events = world.replica();
    notes = events.collection<Note>('notes', { thing: 'note' });
    await notes.native.createIndex({ tag: 1 }, { unique: true, sparse: true }, undefined);
    await events.start();
    await world.follow();
  });
  after(() => world.end());

  const make = async (...ids: readonly string[]): Promise<Note[]> => {
    const made = ids.map((id) =>
      notes.create(testCause(), {
        _id: id,
        state: { text: 'v1', tag: `tag-${id}` },
        event: draft(contracts.created, { text: 'v1' }),
      }),
    );
    return (await Promise.all(made)).map(({ document }) => document);
  };
  const change = (current: Note, text: string, tag?: string) =>
    notes.update(
      testCause(),
      current._id,
      (now) => ({
        state: { text: `${now.text}${text}`, ...((tag ?? now.tag) === undefined ? {} : { tag: tag ?? now.tag }) },
        event: draft(contracts.updated, { text: `${now.text}${text}` }),
      }),
      { current },
    );
  const sequencesOf = (id: string, count: number) =>
    eventually(`${count} events of ${id}`, () => {
      const found = world.events().filter(({ subject }) => subject === `note/${id}`);
      return found.length >= count ? found.map(({ sequence }) => Number(sequence)) : undefined;
    });
  /** How many bulks were sent, and how large they were. */
  const watchBulks = (t: TestContext) => {
    const { mock } = t.mock.method(notes.native, 'bulkWrite');
    return () => mock.calls.map(({ arguments: [writes] }) => writes.length);
  };

  it('are written together, each with its own event', async (t) => {
    const all = await make(...Array.from({ length: 120 }, (_, index) => `many-${index}`));
    const bulks = watchBulks(t);
    const written = await Promise.all(all.map((each) => change(each, '+')));
    assert.deepEqual(bulks(), [100, 20]);
    for (const [index, each] of written.entries()) {
      assert.equal(each?.document._id, `many-${index}`);
      assert.deepEqual([each.document.revision, each.document.text], [2, 'v1+']);
      const row = await notes.native.findOne({ _id: each.document._id });
      assert.deepEqual([row?.revision, row?.text, row?.event], [2, 'v1+', each.event?.id]);
    }
    for (const { _id } of all) assert.deepEqual(await sequencesOf(_id, 2), [1, 2]);
  });

  it('stand or fall each by itself', async (t) => {
    const [fine, stale, taken, also] = await make('fine', 'stale', 'taken', 'also');
    assert.ok(fine && stale && taken && also);
    await change(stale, '!');
    const bulks = watchBulks(t);
    const outcomes = await Promise.allSettled([
      change(fine, '+'),
      change(stale, '+'),
      change(taken, '+', 'tag-fine'),
      change(also, '+'),
    ]);
    assert.deepEqual(bulks(), [4]);
    const texts = outcomes.map((each) => (each.status === 'fulfilled' ? each.value?.document.text : 'refused'));
    assert.deepEqual(texts, ['v1+', 'v1!+', 'refused', 'v1+']);
    const why: unknown = outcomes[2].status === 'rejected' ? outcomes[2].reason : undefined;
    assert.ok(why instanceof DuplicateKey);
    assert.deepEqual(why.keyPattern, { tag: 1 });
    assert.equal((await notes.native.findOne({ _id: 'taken' }))?.revision, 1);
    assert.deepEqual(await sequencesOf('stale', 3), [1, 2, 3]);
  });

  it('of one document follow one another', async () => {
    const [one] = await make('one');
    assert.ok(one);
    await Promise.all(['a', 'b', 'c'].map((letter) => change(one, letter)));
    const row = await notes.native.findOne({ _id: 'one' });
    assert.equal(row?.revision, 4);
    for (const letter of ['a', 'b', 'c']) assert.equal(row.text.split(letter).length, 2);
    assert.deepEqual(await sequencesOf('one', 4), [1, 2, 3, 4]);
  });

  it('are told as made where their document is deleted before anybody has looked', async (t) => {
    const [gone, stale] = await make('gone', 'stale-too');
    assert.ok(gone && stale);
    await change(stale, '!');
    const bulkWrite = notes.native.bulkWrite.bind(notes.native);
    t.mock.method(notes.native, 'bulkWrite', async (...args: Parameters<typeof bulkWrite>) => {
      const result = await bulkWrite(...args);
      await notes.delete(testCause(), 'gone', () => draft(contracts.deleted, {}));
      return result;
    });
    const [made] = await Promise.all([change(gone, '+'), change(stale, '+')]);
    assert.deepEqual([made?.document.revision, made?.document.text], [2, 'v1+']);
  });

  it('are not held up by one that waits for a transaction', async () => {
    const [held, free] = await make('held', 'free');
    assert.ok(held && free);
    const [wrote, end] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const transaction = events.transaction(async (session) => {
      const decide = () => ({ state: { text: 'own' }, event: draft(contracts.updated, { text: 'own' }) });
      await notes.update(testCause(), 'held', decide, { session });
      wrote.resolve(undefined);
      await end.promise;
    });
    await wrote.promise;
    const waits = change(held, '+');
    assert.equal((await change(free, '+'))?.document.text, 'v1+');
    end.resolve(undefined);
    await transaction;
    assert.deepEqual([(await waits)?.document.revision, (await waits)?.document.text], [3, 'own+']);
  });
});
