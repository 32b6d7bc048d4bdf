import { defineEvent, newEventId, type Cause, type EventContract } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';

import { onEvent } from '../consumer/handler.ts';
import type { Events } from '../events.ts';
import type { LoggedEvent } from '../log/event-log.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import { eventually, noteEvents, openWorld, type Note, type TestWorld } from '../testing/test-events.ts';

describe('what follows from what somebody did who is erased', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  let due: EventContract<{ text: string }>;
  /** On whose behalf the external handler was called, by the event's id. */
  const called = new Map<string, Cause['principal']>();
  const by = (id: string): Cause => ({ correlationId: newEventId(), principal: { type: 'app_user', id } });

  const handlers = () => [
    onEvent.transaction({
      name: 'one',
      on: [contracts.created, due],
      async handle({ id }, { cause, session }) {
        const event = draft(contracts.updated, { text: 'one' });
        await seen().create(cause, { _id: `one-${id}`, state: { text: 'one' }, event }, { session });
      },
    }),
    onEvent.batch({
      name: 'batch',
      on: [contracts.created, due],
      async handle(given, { session, causeOf }) {
        for (const each of given) {
          const event = draft(contracts.updated, { text: 'batch' });
          const creation = { _id: `batch-${each.id}`, state: { text: 'batch' }, event };
          await seen().create(causeOf(each), creation, { session });
        }
      },
    }),
    onEvent.external({
      name: 'external',
      on: [contracts.created, due],
      handle({ id }, { cause }) {
        called.set(id, cause.principal);
        return Promise.resolve();
      },
    }),
  ];
  let seenNotes: RecordedCollection<Note> | undefined;
  const seen = (): RecordedCollection<Note> => seenNotes ?? assert.fail('nothing runs yet');

  /** Who is named by an event, and by all that followed from it in the three ways. */
  const namedBy = async (event: string): Promise<(string | undefined)[]> => {
    const logged = (filter: object): Promise<LoggedEvent> =>
      eventually(
        `${JSON.stringify(filter)} in the log`,
        async () => (await events.log.collection.findOne(filter)) ?? undefined,
      );
    const rows = [
      { _id: event },
      ...['one', 'batch'].map((handler) => ({ 'event.subject': `note/${handler}-${event}` })),
    ];
    const named = await Promise.all(rows.map(async (row) => (await logged(row)).event));
    assert.deepEqual([...new Set(named.map(({ authtype }) => authtype))], ['app_user']);
    const external = await eventually('the call', () => Promise.resolve(called.get(event)));
    return [...named.map(({ authid }) => authid), external.id];
  };
  const erase = (id: string): Promise<unknown> =>
    events.transaction((session) => events.persons.close(id, new Date(), session));
  const create = async (id: string, cause: Cause): Promise<string> => {
    const event = draft(contracts.created, { text: 'done' });
    return (await notes.create(cause, { _id: id, state: { text: 'done' }, event })).event.id;
  };

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    due = defineEvent({
      ...{ version: 1, thing: 'timer', description: 'In a test.', type: `${world.service}.reminder.due` },
      data: { text: z.string() },
    });
    events = world.replica({ handlers: handlers() });
    notes = events.collection<Note>('notes', { thing: 'note' });
    seenNotes = events.collection<Note>('seen', { thing: 'note' });
    await events.start();
  });
  after(() => world.end());

  it('says whose it was of everybody who is there', async () => {
    await erase('usr_SOMEBODY_ELSE');
    const event = await create('n1', by('usr_ADA'));
    assert.deepEqual(await namedBy(event), ['usr_ADA', 'usr_ADA', 'usr_ADA', 'usr_ADA']);
  });

  it('does not name them where an event is handled later', async () => {
    await erase('usr_BOB');
    const event = await create('n2', by('usr_BOB'));
    assert.deepEqual(await namedBy(event), ['usr_BOB', undefined, undefined, undefined]);
  });

  it('does not name them where a timer is due later', async () => {
    const text = 'asked for';
    const { timerId } = await events.schedule(by('usr_EVE'), { contract: due, data: { text }, afterMs: 700 });
    await erase('usr_EVE');
    const filter = { 'event.subject': `timer/${timerId}`, 'event.type': due.type };
    const { _id } = await eventually(
      'the timer',
      async () => (await events.log.collection.findOne(filter)) ?? undefined,
    );
    assert.deepEqual(await namedBy(_id), [undefined, undefined, undefined, undefined]);
  });
});
