import { newEventId, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { onEvent } from '../consumer/handler.ts';
import type { Events } from '../events.ts';
import type { LoggedEvent } from '../log/event-log.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { mostIds } from './caused-by.ts';

describe('what an event has caused', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;

  const echo = (cause: Parameters<typeof notes.create>[0], text: string) => {
    const event = draft(contracts.echoed, { text });
    return notes.create(cause, { _id: `${text} echo ${newEventId()}`, state: { text }, event });
  };

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    const handlers = [
      onEvent.external({
        name: 'outside',
        on: [contracts.created],
        async handle({ data }, { cause }) {
          await echo(cause, data.text);
        },
      }),
      onEvent.transaction({
        name: 'apart',
        on: [contracts.updated],
        writesByItself: true,
        async handle({ data }, { cause }) {
          await echo(cause, data.text);
        },
      }),
    ];
    events = world.replica({ handlers });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
  });
  after(() => world.end());

  const create = async (id: string): Promise<EventEnvelope> => {
    const event = draft(contracts.created, { text: id });
    return (await notes.create(testCause(), { _id: id, state: { text: id }, event })).event;
  };
  const done = (event: EventEnvelope) =>
    eventually(`the effects of ${event.type}`, async () => {
      const effects = await events.effectsOf(event);
      return effects.every(({ status }) => status === 'done') ? true : undefined;
    });
  /** By type: how many are named, and whether there are more. */
  const found = async (event: EventEnvelope) =>
    (await events.causedBy(event)).map(({ type, ids, more }) => [type.split('.').at(-1), ids.length, more]);

  it('has all of it the moment that a handler is done which writes outside of a transaction', async () => {
    const event = await create('first');
    await done(event);
    const [caused, ...rest] = await events.causedBy(event);
    assert.deepEqual([caused?.type, caused?.ids.length, rest], [contracts.echoed.type, 1, []]);
    const echoed = await events.findEvent(caused?.ids[0] ?? '');
    assert.equal(echoed?.causationid, event.id);
    const event2 = (
      await notes.update(testCause(), 'first', () => ({
        state: { text: 'second' },
        event: draft(contracts.updated, { text: 'second' }),
      }))
    )?.event;
    assert.ok(event2);
    await done(event2);
    assert.deepEqual(await found(event2), [['echoed', 1, false]]);
    assert.deepEqual(await events.causedBy(echoed), [], 'nobody takes it');
  });

  it('has what an attempt has left that died, published or not', async () => {
    const event = await create('died');
    await done(event);
    // The relay knows nothing of it yet: no bell has rung.
    const left = { id: newEventId(), type: contracts.echoed.type, causationid: event.id, subject: 'note/left' };
    const rows = events.db.collection<{ _id: string; outbox: object[] }>('left_notes');
    await rows.insertOne({ _id: 'left', outbox: [left, { ...left, id: newEventId(), causationid: newEventId() }] });
    const replica = world.replica({
      handlers: [onEvent.external({ name: 'outside', on: [contracts.created], handle: () => Promise.resolve() })],
    });
    replica.collection('left_notes', { thing: 'note' });
    const [caused] = await replica.causedBy(event);
    assert.equal(caused?.ids.length, 2);
    assert.ok(caused.ids.includes(left.id));
  });

  it('names a bounded number of each type, and of each type some', async () => {
    const event = await create('much');
    await done(event);
    const rows = Array.from({ length: mostIds + 500 }, (_, index) => {
      const id = newEventId();
      return {
        _id: id,
        slot: 1_000,
        pos: index + 1,
        at: new Date(),
        event: { id, type: 'x.y.z', causationid: event.id },
      };
    });
    await events.log.collection.insertMany(rows as unknown as LoggedEvent[]);
    assert.deepEqual(new Set((await found(event)).map(String)), new Set([`z,${mostIds},true`, 'echoed,1,false']));
  });
});
