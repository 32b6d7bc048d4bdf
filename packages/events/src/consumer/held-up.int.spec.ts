import { newEventId, topicOf } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { toBinary } from '../envelope/binary-mode.ts';
import type { Events } from '../events.ts';
import { limits } from '../recording/limits.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { heldKafka, type HeldKafka } from '../testing/held-kafka.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { onEvent } from './handler.ts';
import type { HandledRow } from './inbox.ts';

describe('an event whose handler needs what is not published yet', () => {
  let world: TestWorld;
  let held: HeldKafka;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  let tries = 0;

  beforeEach(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    held = heldKafka(world.kafka);
    tries = 0;
    const write = onEvent.transaction({
      name: 'write',
      on: [contracts.created],
      async handle(event, { session, cause }) {
        if (event.data.tag !== 'write') return;
        tries += 1;
        const change = () => ({
          state: { text: 'in the end' },
          event: draft(contracts.updated, { text: 'in the end' }),
        });
        await notes.update(cause, 'full', change, { session });
      },
    });
    const erase = onEvent.external({
      name: 'erase',
      on: [contracts.created],
      async handle(event) {
        if (event.data.tag !== 'erase') return;
        tries += 1;
        await events.redaction.published();
      },
    });
    events = world.replica({ handlers: [write, erase], kafka: held.kafka, partitions: 1 });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
  });
  afterEach(async () => {
    held.release();
    await world.end();
  });

  const create = async (id: string) => {
    const state = { text: id };
    return (await notes.create(testCause(), { _id: id, state, event: draft(contracts.created, state) })).event;
  };
  const rowOf = (handler: string, event: string) =>
    events.db.collection<HandledRow>('handled').findOne({ _id: { handler, event } });

  /** Sends an event by which a handler does its work, and sees it wait for longer than five tries take. */
  const waits = async (handler: string): Promise<void> => {
    const like = await create('like');
    await eventually('the way there', async () =>
      (await rowOf(handler, like.id))?.status === 'done' ? true : undefined,
    );
    held.hold();
    await create('full');
    const touch = (text: string) =>
      notes.update(testCause(), 'full', () => ({ state: { text }, event: draft(contracts.updated, { text }) }));
    for (let turn = 2; turn <= limits.outboxEvents; turn += 1) await touch(`turn ${turn}`);
    const event = { ...like, id: newEventId(), subject: 'note/due', data: { text: 'due', tag: handler } };
    const producer = await world.kafka.producer();
    await producer.send([{ topic: topicOf(world.service), partition: 0, ...toBinary(event) }]);
    await producer.close();
    await eventually('more tries than count', () => (tries > 5 ? true : undefined), 60_000);
    assert.equal(await rowOf(handler, event.id), null);
    held.release();
    const row = await eventually('its effect', async () => {
      const now = await rowOf(handler, event.id);
      return now?.status === 'done' ? now : undefined;
    });
    assert.equal(row.attempts, 1);
  };

  it('waits for a document that takes no more events, and is not parked', async () => {
    await waits('write');
    assert.equal((await notes.native.findOne({ _id: 'full' }))?.text, 'in the end');
  });

  it('waits for what an erasure needs published, and is not parked', () => waits('erase'));
});
