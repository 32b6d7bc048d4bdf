import { defineEvent, eventVersion, schemaUrn } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';

import type { Events } from '../events.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import { eventually, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { onEvent } from './handler.ts';
import type { HandledRow, HandledStatus } from './inbox.ts';

/** One event in two releases of the same contract. */
const releasesOf = (service: string) => {
  const common = { type: `${service}.note.created`, thing: 'note', description: 'A note, in a test.' };
  const data = { text: z.string() };
  return {
    one: defineEvent({ ...common, version: 1, data }),
    two: defineEvent({
      ...common,
      version: 2,
      data: { words: z.array(z.string()) },
      earlier: eventVersion({ version: 1, data }),
      upcast: ({ text }) => ({ words: text.split(' ') }),
    }),
  };
};

describe('versions of a contract', () => {
  let world: TestWorld;
  let releases: ReturnType<typeof releasesOf>;
  let events: Events;
  let notes: RecordedCollection<Note>;
  const seen = new Map<string, unknown>();

  before(async () => {
    world = await openWorld();
    releases = releasesOf(world.service);
    const handlers = [
      onEvent.transaction({
        name: 'one',
        on: [releases.one],
        handle: async ({ id, data, dataschema }) => void seen.set(`one/${id}`, { text: data.text, dataschema }),
      }),
      onEvent.transaction({
        name: 'two',
        on: [releases.two],
        handle: async ({ id, data, dataschema, recordedschema }) =>
          void seen.set(`two/${id}`, { words: data.words, dataschema, recordedschema }),
      }),
      onEvent.projection({
        name: 'one-copies',
        on: [releases.one],
        collection: 'copies',
        project: ({ subject, data: { text } }) => ({ _id: subject, set: { text } }),
      }),
      onEvent.external({
        name: 'one-calls',
        on: [releases.one],
        handle: async ({ id }) => void seen.set(`one-calls/${id}`, true),
      }),
      onEvent.batch({
        name: 'one-batches',
        on: [releases.one],
        handle: async (given) => given.forEach(({ id }) => seen.set(`one-batches/${id}`, true)),
      }),
    ];
    events = world.replica({ handlers });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
  });
  after(() => world.end());

  const settled = (handler: string, event: string, status: HandledStatus): Promise<HandledRow> =>
    eventually(`${status} at ${handler}`, async () => {
      const row = await events.db.collection<HandledRow>('handled').findOne({ _id: { handler, event } });
      return row?.status === status ? row : undefined;
    });

  it('an event of the first is handled by a reader of the second, in the form of the second', async () => {
    const text = 'one two';
    const { event } = await notes.create(testCause(), {
      _id: 'n1',
      state: { text },
      event: draft(releases.one, { text }),
    });
    await Promise.all([settled('one', event.id, 'done'), settled('two', event.id, 'done')]);
    assert.equal(event.dataschema, schemaUrn(releases.one));
    assert.deepEqual(seen.get(`two/${event.id}`), {
      words: ['one', 'two'],
      dataschema: schemaUrn(releases.two),
      recordedschema: event.dataschema,
    });
    assert.deepEqual(seen.get(`one/${event.id}`), { text, dataschema: event.dataschema });
  });

  it('an event of the second is parked by a reader of the first at once, and the cause says what to deploy', async () => {
    const words = ['three'];
    const state = { text: 'three' };
    const { event } = await notes.create(testCause(), { _id: 'n2', state, event: draft(releases.two, { words }) });
    const row = await settled('one', event.id, 'parked');
    assert.equal(row.attempts, 1);
    assert.equal(row.error?.name, 'ContractViolation');
    assert.match(
      row.error.message,
      /of version 2, and this reader knows 1 at most: deploy this reader with version 2 first/,
    );
    assert.deepEqual(row.payload?.data, { words });
    await settled('two', event.id, 'done');
    assert.equal(seen.has(`one/${event.id}`), false);
  });

  for (const handler of ['one-copies', 'one-calls', 'one-batches']) {
    it(`a version that ${handler} does not know is parked by it too, whatever kind it is of`, async () => {
      const state = { text: handler };
      const event = draft(releases.two, { words: [handler] });
      const written = await notes.create(testCause(), { _id: handler, state, event });
      const row = await settled(handler, written.event.id, 'parked');
      assert.deepEqual([row.attempts, row.error?.name], [1, 'ContractViolation']);
      assert.equal(seen.has(`${handler}/${written.event.id}`), false);
      assert.equal(await events.db.collection<{ _id: string }>('copies').findOne({ _id: `note/${handler}` }), null);
    });
  }
});
