import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { draft } from '../recording/recorded-document.ts';
import type { Events } from '../events.ts';
import { noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';

describe('the commit stream', () => {
  let world: TestWorld;
  let events: Events;

  const write = async (id: string): Promise<void> => {
    const event = draft(noteEvents(world.service).created, { text: 'A' });
    await events
      .collection<Note>('notes', { thing: 'note' })
      .create(testCause(), { _id: id, state: { text: 'A' }, event });
  };

  before(async () => {
    world = await openWorld();
    events = world.replica();
    events.collection<Note>('notes', { thing: 'note' });
    await events.start();
  });
  after(() => world.end());

  it('brings each change once to all who listen, though one throws over some', async () => {
    const heard: string[] = [];
    const others: string[] = [];
    events.stream.subscribe(
      ({ id }) => {
        if (id === 'note-1') throw new Error('refused');
        heard.push(id);
      },
      () => void heard.push('gap'),
    );
    events.stream.subscribe(({ id }) => void others.push(id));
    for (const id of ['note-0', 'note-1', 'note-2']) await write(id);
    await events.settled(60_000);
    assert.deepEqual(heard, ['note-0', 'gap', 'note-2']);
    assert.deepEqual(others, ['note-0', 'note-1', 'note-2']);
  });

  it('says that changes are missing where one cannot be read, and goes on', async () => {
    const heard: string[] = [];
    events.stream.subscribe(
      ({ id }) => void heard.push(id),
      () => void heard.push('gap'),
    );
    // As none of our code writes it.
    await events.db
      .collection<{ _id: string }>('notes')
      .insertOne({ _id: 'note-x', revision: 1, outbox: 'none' } as never);
    await write('note-3');
    await events.settled(60_000);
    assert.deepEqual(heard, ['gap', 'note-3']);
  });

  it('says at each change of a transaction that more of it may follow, and no longer once something has', async () => {
    const heard: [string, boolean][] = [];
    events.stream.subscribe(({ id }) => void heard.push([id, events.stream.midTransaction]));
    const notes = events.collection<Note>('notes', { thing: 'note' });
    const event = draft(noteEvents(world.service).created, { text: 'A' });
    await events.transaction(async (session) => {
      for (const id of ['note-4', 'note-5', 'note-6']) {
        await notes.create(testCause(), { _id: id, state: { text: 'A' }, event }, { session });
      }
    });
    await write('note-7');
    await events.settled(60_000);
    assert.deepEqual(heard, [
      ['note-4', true],
      ['note-5', true],
      ['note-6', true],
      ['note-7', false],
    ]);
    assert.equal(events.stream.midTransaction, false);
  });
});
