import { newEventId } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { onEvent } from './handler.ts';
import { createInbox, type HandledRow } from './inbox.ts';
import { createParking } from './parking.ts';

describe('a subject that another process has parked', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    const handler = onEvent.transaction({
      name: 'echo',
      on: [contracts.created, contracts.updated],
      handle: () => Promise.resolve(),
    });
    events = world.replica({ handlers: [handler], partitions: 1 });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
  });
  after(() => world.end());

  /** Changes the note, and tells what becomes of the event. */
  const change = async (): Promise<string> => {
    const write = await notes.update(testCause(), 'a', () => ({
      state: { text: 'b' },
      event: draft(contracts.updated, { text: 'b' }),
    }));
    const _id = { handler: 'echo', event: write?.event?.id ?? '' };
    const row = await eventually('its end', async () => {
      const now = await events.db.collection<HandledRow>('handled').findOne({ _id });
      return now ?? undefined;
    });
    return row.status;
  };

  it('is learnt of by whoever has its partition, so that later events wait behind it', async () => {
    const state = { text: 'a' };
    const { event } = await notes.create(testCause(), { _id: 'a', state, event: draft(contracts.created, state) });
    assert.equal(await change(), 'done');
    // As a replay does that runs elsewhere.
    const { db, transaction } = events;
    const now = () => new Date();
    const elsewhere = createParking({ db, inbox: createInbox(db, now), now, transaction });
    const error = { name: 'Error', message: 'failed again' };
    await elsewhere.park('echo', { ...event, id: newEventId() }, 5, error, true);
    await eventually('a later event behind it', async () => ((await change()) === 'parked' ? true : undefined));
    assert.equal(await change(), 'parked');
  });
});
