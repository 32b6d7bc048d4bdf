import { faults, newEventId, topicOf, type Cause, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import type { Events, EventsOptions } from '../events.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { createDoor } from '../testing/door.ts';
import {
  drivers,
  eventually,
  noteEvents,
  openWorld,
  testCause,
  type Note,
  type TestWorld,
} from '../testing/test-events.ts';
import { watchKafka } from '../testing/watched-kafka.ts';
import { onEvent, type BatchContext, type BatchHandler, type Handler } from './handler.ts';
import type { HandledRow } from './inbox.ts';

/** What a handler has done with a subject, written in its transaction. */
interface History {
  readonly _id: string;
  readonly texts: readonly string[];
}

type Given = EventEnvelope<{ readonly text: string }>;
type Decide = (events: readonly Given[], context: BatchContext) => Promise<void> | void;

const never = new AbortController().signal;

for (const driver of drivers) {
  describe(`a batch handler, on ${driver}`, () => {
    let world: TestWorld;
    let contracts: ReturnType<typeof noteEvents>;
    /** Writes, and handles nothing. */
    let writer: Events;
    let notes: RecordedCollection<Note>;
    let echoes: RecordedCollection<Note>;
    /** The texts of each batch that was given to the handler. */
    let batches: string[][];

    beforeEach(async () => {
      world = await openWorld(driver);
      contracts = noteEvents(world.service);
      batches = [];
      writer = world.replica({ partitions: 1 });
      notes = writer.collection<Note>('notes', { thing: 'note' });
      await writer.start();
      // Made in a transaction it would be made by one of several, and the others would be anew.
      await writer.db.createCollection('histories');
      await world.follow();
    });
    afterEach(() => world.end());

    const rows = () => world.client.db(world.database).collection<HandledRow>('handled');
    const histories = () => world.client.db(world.database).collection<History>('histories');
    const textsOf = async (id: string) => (await histories().findOne({ _id: `note/${id}` }))?.texts ?? [];
    const settled = (event: string, status = 'done') =>
      eventually(`${event} ${status}`, async () => {
        const row = await rows().findOne({ _id: { handler: 'batch', event } });
        return row?.status === status ? row : undefined;
      });
    /** One after the other: a relay may publish subjects in any order. */
    const published = (id: string) =>
      eventually(`${id} published`, () => (world.events().some((event) => event.id === id) ? id : undefined));
    const create = async (id: string, text: string): Promise<string> => {
      const creation = { _id: id, state: { text }, event: draft(contracts.created, { text }) };
      return published((await notes.create(testCause(), creation)).event.id);
    };
    const rename = async (id: string, text: string): Promise<string> => {
      const decide = () => ({ state: { text }, event: draft(contracts.updated, { text }) });
      return published((await notes.update(testCause(), id, decide))?.event?.id ?? assert.fail());
    };
    /** Writes down each event's effect before it decides what to acknowledge. */
    const batch = (
      decide: Decide,
      settings: Partial<Pick<BatchHandler, 'acknowledgement' | 'maxEvents'>> = {},
    ): Handler =>
      onEvent.batch({
        name: 'batch',
        on: [contracts.created, contracts.updated],
        ...settings,
        async handle(events, context) {
          batches.push(events.map(({ data }) => data.text));
          const effects = new Map<string, Given>(events.map((event) => [event.id, event]));
          const acknowledged = new Set<string>();
          const acknowledge: BatchContext['acknowledge'] = (event) => {
            acknowledged.add(event.id);
            context.acknowledge(event);
          };
          await decide(events, { ...context, acknowledge });
          for (const { id, subject, data } of effects.values()) {
            if (acknowledged.size > 0 && !acknowledged.has(id)) continue;
            const push = { $push: { texts: data.text } };
            await histories().updateOne({ _id: subject }, push, { session: context.session, upsert: true });
          }
        },
      });
    const open = async (handler: Handler, options: Partial<EventsOptions> = {}): Promise<Events> => {
      const events = world.replica({ partitions: 1, handlers: [handler], ...options });
      echoes = events.collection<Note>('echoes', { thing: 'note' });
      await events.start();
      return events;
    };

    it('takes what waits together, in order, has each effect once, and tells what each event has caused', async () => {
      const ids = [await create('a', 'a1'), await create('b', 'b1'), await rename('a', 'a2'), await create('c', 'c1')];
      const echo: Decide = async (events, { session, causeOf }) => {
        for (const event of events.filter(({ data }) => data.text !== 'b1')) {
          const state = { text: event.data.text };
          const creation = { _id: `echo-${event.data.text}`, state, event: draft(contracts.echoed, state) };
          await echoes.create(causeOf(event), creation, { session });
        }
      };
      await open(batch(echo));
      const done = [];
      for (const id of ids) done.push(await settled(id));
      assert.deepEqual(batches, [['a1', 'b1', 'a2', 'c1']]);
      assert.deepEqual(await textsOf('a'), ['a1', 'a2']);
      const eventOf = async (text: string) => (await echoes.native.findOne({ _id: `echo-${text}` }))?.event;
      assert.deepEqual(
        done.map(({ caused }) => caused),
        [[await eventOf('a1')], undefined, [await eventOf('a2')], [await eventOf('c1')]],
      );
    });

    it('takes what waits in all partitions, one batch at a time, where its batches are joint', async () => {
      const other = await openWorld(driver);
      try {
        const told = noteEvents(other.service);
        const options = { partitions: 4 };
        const replica = other.replica(options);
        const many = replica.collection<Note>('notes', { thing: 'note' });
        await replica.start();
        await replica.db.createCollection('histories');
        const creations = Array.from({ length: 24 }, (_, at) => {
          const state = { text: `n${at}` };
          return { _id: `n${at}`, state, event: draft(told.created, state) };
        });
        await many.createMany(testCause(), creations);
        const [running, seen] = [new Set<object>(), new Array<readonly string[]>()];
        let most = 0;
        const handler = onEvent.batch({
          ...{ name: 'batch', on: [told.created], jointEveryMs: 50 },
          async handle(events, { session }) {
            // One that is alone goes by itself, beside the others.
            if (events.length > 1) running.add(session);
            most = Math.max(most, running.size);
            const rows = events.map(({ id, data }) => ({ _id: id, texts: [data.text] }));
            try {
              await replica.db.collection<History>('histories').insertMany(rows, { session });
            } finally {
              running.delete(session);
            }
            if (events.length > 1) seen.push(events.map(({ data }) => data.text));
          },
        });
        await other.replica({ ...options, handlers: [handler] }).start();
        await eventually('all of them', async () =>
          (await replica.db.collection('histories').countDocuments()) === creations.length ? true : undefined,
        );
        assert.ok(seen.length > 0, 'some went together');
        assert.equal(most, 1);
      } finally {
        await other.end();
      }
    });

    it('takes no more at once than it says', async () => {
      const ids: string[] = [];
      for (let at = 0; at < 7; at += 1) ids.push(await create(`n${at}`, `n${at}`));
      await open(batch(() => undefined, { maxEvents: 3 }));
      for (const id of ids) await settled(id);
      assert.deepEqual(
        batches.map(({ length }) => length),
        [3, 3, 1],
      );
    });

    it('is given what it has not acknowledged once more, alone; of it nothing has happened before', async () => {
      const ids = [await create('a', 'a1'), await create('b', 'b1'), await create('c', 'c1'), await rename('b', 'b2')];
      let status: string | undefined = 'none';
      const decide: Decide = async (events, { acknowledge }) => {
        if (events.length === 1 && events[0]?.data.text === 'b1')
          status = (await rows().findOne({ _id: { handler: 'batch', event: ids[1] ?? '' } }))?.status;
        const wanted = events.length === 1 ? events : events.filter(({ subject }) => subject !== 'note/b');
        wanted.forEach(acknowledge);
      };
      await open(batch(decide, { acknowledgement: 'each' }));
      for (const id of ids) await settled(id);
      assert.deepEqual(batches, [['a1', 'b1', 'c1', 'b2'], ['b1'], ['b2']]);
      assert.equal(status, undefined);
      assert.deepEqual(await textsOf('b'), ['b1', 'b2']);
      assert.deepEqual(await textsOf('a'), ['a1']);
    });

    it('may not acknowledge an event before an earlier one of its subject: all of it goes one by one', async () => {
      const ids = [await create('a', 'a1'), await rename('a', 'a2'), await create('b', 'b1')];
      const decide: Decide = (events, { acknowledge }) => {
        const wanted = events.length === 1 ? events : events.filter(({ data }) => data.text !== 'a1');
        wanted.forEach(acknowledge);
      };
      await open(batch(decide));
      for (const id of ids) await settled(id);
      assert.deepEqual(await textsOf('a'), ['a1', 'a2']);
      assert.deepEqual(await textsOf('b'), ['b1']);
      assert.equal(batches.length, 4);
    });

    it('has failed where it must acknowledge each, and leaves out the one that it is given', async () => {
      const id = await create('a', 'a1');
      await open(batch(() => undefined, { acknowledgement: 'each' }));
      const row = await settled(id, 'parked');
      assert.equal(row.error?.name, 'NotAcknowledged');
      assert.equal(row.attempts, 5);
    });

    it('parks poison alone, with its cause, and what is behind it; others are done once; redrive goes one by one', async () => {
      const a = await create('a', 'a1');
      const bad = await create('bad', 'poison');
      const behind = await rename('bad', 'behind');
      const b = await create('b', 'b1');
      let broken = true;
      const handler = () =>
        batch((given) => {
          if (broken && given.some(({ data }) => data.text === 'poison')) throw faults.unprocessable();
        });
      const first = await open(handler());
      for (const id of [a, b]) await settled(id);
      const parked = await settled(bad, 'parked');
      assert.deepEqual([parked.attempts, parked.error?.category], [1, 'unprocessable']);
      await settled(behind, 'parked');
      assert.deepEqual(await textsOf('a'), ['a1']);
      assert.deepEqual(await textsOf('bad'), []);
      // Its subject is parked, also after a restart: what comes later does not pass in a batch.
      await first.stop();
      const others = [await create('c', 'c1')];
      const later = await rename('bad', 'later');
      others.push(await create('d', 'd1'));
      batches.length = 0;
      const events = await open(handler());
      for (const id of others) await settled(id);
      await settled(later, 'parked');
      assert.deepEqual(batches, [['c1', 'd1']]);
      broken = false;
      batches.length = 0;
      const admin: Cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ADMIN' } };
      const redrives = events.redrives ?? assert.fail();
      await redrives.request(admin, { handler: 'batch', scope: 'subject', eventId: bad });
      await settled(later);
      assert.deepEqual(await textsOf('bad'), ['poison', 'behind', 'later']);
      assert.deepEqual(batches, [['poison'], ['behind'], ['later']]);
    });

    it('has each effect once where a replica dies before its offsets are committed', async () => {
      const ids = [await create('a', 'a1'), await create('b', 'b1'), await rename('a', 'a2')];
      const first = watchKafka(world.kafka);
      first.loseCommits();
      const one = await open(
        batch(() => undefined),
        { kafka: first.kafka },
      );
      for (const id of ids) await settled(id);
      await one.stop();
      ids.push(await rename('a', 'a3'), await create('c', 'c1'));
      const second = watchKafka(world.kafka);
      await open(
        batch(() => undefined),
        { kafka: second.kafka },
      );
      for (const id of ids) await settled(id);
      assert.equal(second.delivered.length, 5, 'all of it was delivered again');
      assert.deepEqual(batches, [
        ['a1', 'b1', 'a2'],
        ['a3', 'c1'],
      ]);
      assert.deepEqual(await textsOf('a'), ['a1', 'a2', 'a3']);
    });

    it('finishes the batch in hand where its partition is given up, and its offsets tell of it', async () => {
      const ids = [await create('a', 'a1'), await create('b', 'b1')];
      const door = createDoor();
      const watched = watchKafka(world.kafka);
      const one = await open(
        batch(() => door.pass(never)),
        { kafka: watched.kafka },
      );
      await eventually('a batch in hand', () => (door.waiting === 1 ? true : undefined));
      const stopped = one.stop();
      await eventually('the partition is given up', () => (watched.seen.revocations === 1 ? true : undefined));
      assert.equal(await rows().countDocuments({ status: 'done' }), 0);
      door.open();
      await stopped;
      for (const id of ids) await settled(id);
      assert.deepEqual(watched.committed.at(-1), { topic: topicOf(world.service), partition: 0, offset: 2n });
    });
  });
}
