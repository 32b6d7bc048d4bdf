import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import type { Change } from '../stream/change.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import type { RecordedCollection } from './recorded-collection.ts';
import { draft } from './recorded-document.ts';

describe('what follows from the state of documents', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    events = world.replica();
    notes = events.collection<Note>('notes', { thing: 'note' });
  });
  after(() => world.end());

  const create = (id: string) =>
    notes.create(testCause(), { _id: id, state: { text: id }, event: draft(contracts.created, { text: id }) });
  const change = (id: string, text: string) =>
    notes.update(testCause(), id, () => ({ state: { text }, event: draft(contracts.updated, { text }) }));
  const read = async (id: string): Promise<Note> => (await notes.native.findOne({ _id: id })) ?? assert.fail(id);

  it('is counted among what is to be published only as what it follows from', async () => {
    for (const id of ['one', 'two', 'three']) await create(id);
    await notes.delete(testCause(), 'three', () => draft(contracts.deleted, {}));
    await notes.annotate([{ id: 'one', revision: 1, set: { tag: 'x' } }]);
    assert.deepEqual([await events.backlog(10), await events.backlog(2)], [3, 2]);
    await events.start();
    await world.follow();
    await eventually('an empty backlog', async () => ((await events.backlog(10)) === 0 ? true : undefined));
  });

  it('is written without a revision, an event or a change, and goes with the next change', async () => {
    const changes: Change[] = [];
    const end = events.stream.subscribe((each) => void changes.push(each));
    await create('noted');
    const before = await read('noted');
    await notes.annotate([{ id: 'noted', revision: 1, set: { tag: 'follows' } }]);
    const { tag, revision, event, updatedAt } = await read('noted');
    assert.deepEqual(
      { tag, revision, event, updatedAt },
      { tag: 'follows', revision: 1, event: before.event, updatedAt: before.updatedAt },
    );
    await change('noted', 'changed');
    assert.equal((await read('noted')).tag, undefined);
    const seen = await eventually('two changes', () => {
      const own = changes.filter(({ id }) => id === 'noted');
      return own.length >= 2 ? own : undefined;
    });
    assert.deepEqual(
      seen.map((each) => each.revision),
      [1, 2],
    );
    end();
  });

  it('is taken out, and left alone where the document has moved on', async () => {
    await create('moved');
    await notes.annotate([{ id: 'moved', revision: 1, set: { tag: 'a' } }]);
    await notes.annotate([{ id: 'moved', revision: 2, set: { tag: 'of a revision to come' } }]);
    assert.equal((await read('moved')).tag, 'a');
    await notes.annotate([{ id: 'moved', revision: 1, unset: ['tag'] }]);
    assert.equal((await read('moved')).tag, undefined);
    await change('moved', 'on');
    await notes.annotate([{ id: 'moved', revision: 1, set: { tag: 'late' } }]);
    assert.equal((await read('moved')).tag, undefined);
  });
});
