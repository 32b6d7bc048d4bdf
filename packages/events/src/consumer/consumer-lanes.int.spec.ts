import { newEventId, topicOf, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';

import type { EventsOptions } from '../events.ts';
import { fromBinary, toBinary } from '../envelope/binary-mode.ts';
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
import { onEvent, type Handler } from './handler.ts';
import type { HandledRow } from './inbox.ts';

/** Mulberry32: the same numbers for the same seed. */
const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** What a handler has done with a subject, written in its transaction. */
interface History {
  readonly _id: string;
  readonly sequences: readonly string[];
}

for (const driver of drivers) {
  describe(`a partition’s subjects, on ${driver}`, () => {
    let world: TestWorld;
    let contracts: ReturnType<typeof noteEvents>;

    beforeEach(async () => {
      world = await openWorld(driver);
      contracts = noteEvents(world.service);
    });
    afterEach(() => world.end());

    const open = async (handlers: readonly Handler[], options: Partial<EventsOptions> = {}) => {
      const events = world.replica({ partitions: 1, handlers, ...options });
      const notes = events.collection<Note>('notes', { thing: 'note' });
      await events.start();
      return { events, notes };
    };
    const create = (notes: RecordedCollection<Note>, id: string, text: string) =>
      notes.create(testCause(), { _id: id, state: { text }, event: draft(contracts.created, { text }) });
    const rename = (notes: RecordedCollection<Note>, id: string, text: string) =>
      notes.update(testCause(), id, () => ({ state: { text }, event: draft(contracts.updated, { text }) }));
    const rows = () => world.client.db(world.database).collection<HandledRow>('handled');
    const statusOf = async (handler: string, event: string) =>
      (await rows().findOne({ _id: { handler, event } }))?.status;
    const settled = (handler: string, event: string, status = 'done') =>
      eventually(`${handler} ${status}`, async () => ((await statusOf(handler, event)) === status ? true : undefined));
    const histories = () => world.client.db(world.database).collection<History>('histories');
    /** Its effect tells in which order, and how often, each subject's events had it. */
    const historian = (before: (event: EventEnvelope) => Promise<void>): Handler =>
      onEvent.transaction({
        name: 'historian',
        on: [contracts.created, contracts.updated],
        async handle(event, { session }) {
          await before(event);
          const push = { $push: { sequences: event.sequence } };
          await histories().updateOne({ _id: event.subject }, push, { session, upsert: true });
        },
      });
    const inOrder = (count: number) => Array.from({ length: count }, (_, at) => String(at + 1).padStart(16, '0'));
    /** All histories, once each is long enough; it may take its time as long as it gets on. */
    const whole = async (subjects: number, each: number): Promise<readonly History[]> => {
      for (let before = -1; ;) {
        const all = await eventually('more effects', async () => {
          const now = await histories().find().toArray();
          return now.reduce((sum, { sequences }) => sum + sequences.length, 0) > before ? now : undefined;
        });
        before = all.reduce((sum, { sequences }) => sum + sequences.length, 0);
        if (all.length === subjects && all.every(({ sequences }) => sequences.length >= each)) return all;
      }
    };

    it('do not wait for one that is being tried again, nor do other handlers of that one', async () => {
      const door = createDoor();
      let failures = 0;
      const { notes } = await open([
        onEvent.external({
          name: 'caller',
          on: [contracts.created, contracts.updated],
          async handle(event, { signal }) {
            if (event.subject !== 'note/bad') return;
            if (failures === 1) await door.pass(signal);
            failures += 1;
            if (failures === 1) throw new Error('not yet');
          },
        }),
        historian(() => Promise.resolve()),
      ]);
      const bad = await create(notes, 'bad', 'bad');
      const behind = await rename(notes, 'bad', 'behind');
      await eventually('the second attempt', () => (door.waiting === 1 ? true : undefined));
      const good = await create(notes, 'good', 'good');
      const later = await rename(notes, 'good', 'later');
      await settled('caller', good.event.id);
      await settled('caller', later?.event?.id ?? '');
      await settled('historian', behind?.event?.id ?? '');
      assert.equal(await statusOf('caller', bad.event.id), 'retrying');
      assert.equal(await statusOf('caller', behind?.event?.id ?? ''), undefined, 'its own subject waits');
      door.open();
      await settled('caller', behind?.event?.id ?? '');
    });

    it('keep their order, each effect once, whatever fails at random beside them', async () => {
      const random = seeded(20_260_101);
      const tries = new Map<string, number>();
      let running = 0;
      let most = 0;
      const before = async ({ id }: EventEnvelope): Promise<void> => {
        running += 1;
        most = Math.max(most, running);
        try {
          await delay(random() * 5);
          const tried = (tries.get(id) ?? 0) + 1;
          tries.set(id, tried);
          if (tried < 3 && random() < 0.2) throw new Error('at random');
        } finally {
          running -= 1;
        }
      };
      const { notes } = await open([historian(before)], { handlerRuns: 8 });
      const subjects = Array.from({ length: 24 }, (_, at) => `s${at}`);
      for (const id of subjects) await create(notes, id, 'first');
      for (let at = 2; at <= 10; at += 1) await Promise.all(subjects.map((id) => rename(notes, id, String(at))));
      for (const { _id, sequences } of await whole(24, 10)) assert.deepEqual(sequences, inOrder(10), _id);
      assert.ok(most > 1 && most <= 8, `${most} at once`);
      assert.ok([...tries.values()].some((tried) => tried > 1));
    });

    it('have the newest state in a projection, though their events are handled side by side', async () => {
      const { events, notes } = await open([
        onEvent.projection({
          name: 'copy',
          on: [contracts.created, contracts.updated],
          collection: 'copies',
          project: (event) => ({ _id: event.subject, set: { text: event.data.text } }),
        }),
      ]);
      const { event } = await create(notes, 'like', '1');
      const producer = await world.kafka.producer();
      const subjects = Array.from({ length: 60 }, (_, at) => `note/s${at}`);
      const records = subjects.flatMap((subject) =>
        inOrder(4).map((sequence, at) => {
          const copy = { ...event, id: newEventId(), subject, sequence, data: { text: String(at + 1) } };
          return { topic: topicOf(world.service), partition: 0, ...toBinary(copy) };
        }),
      );
      await producer.send([...records, { topic: topicOf(world.service), partition: 0, ...toBinary(event) }]);
      await producer.close();
      const group = `causeway-${world.service}`;
      await eventually('everything settled', async () => {
        const lag = (await world.kafka.consumerLag(group, [topicOf(world.service)])).get(topicOf(world.service));
        return lag?.get(0) === 0n ? true : undefined;
      });
      const copies = await events.db.collection<{ _id: string; text: string }>('copies').find().toArray();
      assert.equal(copies.length, 61);
      for (const { _id, text } of copies) assert.equal(text, _id === 'note/like' ? '1' : '4', _id);
    });

    it('are delivered again from the first that was not settled, and have each effect once', async () => {
      const door = createDoor();
      const handlers = () => [
        historian(() => Promise.resolve()),
        onEvent.external({
          name: 'caller',
          on: [contracts.created],
          handle: (event, { signal }) => (event.subject === 'note/slow' ? door.pass(signal) : Promise.resolve()),
        }),
      ];
      const first = watchKafka(world.kafka);
      const one = await open(handlers(), { kafka: first.kafka });
      const ids: string[] = [];
      for (const id of ['a', 'b', 'c']) ids.push((await create(one.notes, id, id)).event.id);
      for (const id of ids) await settled('caller', id);
      const slow = await create(one.notes, 'slow', 'slow');
      await eventually('the slow one', () => (door.waiting === 1 ? true : undefined));
      for (const id of ['d', 'e', 'f']) ids.push((await create(one.notes, id, id)).event.id);
      for (const id of ids) await settled('caller', id);
      await eventually('the watermark', () => (first.committed.at(-1)?.offset === 3n ? true : undefined));
      const position = { _id: `${topicOf(world.service)}/0` as never };
      const row = await one.events.db.collection('positions').findOne(position);
      assert.equal(row?.event, ids[2], 'the last event below the watermark');
      first.loseCommits();
      await one.events.stop();
      assert.equal(await statusOf('caller', slow.event.id), undefined);
      door.open();
      const second = watchKafka(world.kafka);
      await open(handlers(), { kafka: second.kafka });
      await settled('caller', slow.event.id);
      await eventually('the end', () => (second.committed.at(-1)?.offset === 7n ? true : undefined));
      const again = second.delivered.map(({ headers, value }) => fromBinary(headers, value).subject);
      assert.deepEqual(again, ['note/slow', 'note/d', 'note/e', 'note/f']);
      for (const { _id, sequences } of await whole(7, 1)) assert.deepEqual(sequences, inOrder(1), _id);
    });

    it('keep their order, each effect once, while replicas come and go', async () => {
      const random = seeded(7);
      const options = { partitions: 4 };
      const handlers = [historian(() => delay(random() * 20))];
      const one = await open(handlers, options);
      const subjects = Array.from({ length: 16 }, (_, at) => `s${at}`);
      for (const id of subjects) await create(one.notes, id, 'first');
      let ended = false;
      let last = 1;
      const writing = (async () => {
        while (!ended) {
          last += 1;
          await Promise.all(subjects.map((id) => rename(one.notes, id, 'more')));
          await delay(50);
        }
      })();
      for (let round = 0; round < 3; round += 1) {
        const other = await open(handlers, options);
        const done = await rows().countDocuments();
        await eventually('more', async () => ((await rows().countDocuments()) > done + 30 ? true : undefined));
        await other.events.stop();
      }
      ended = true;
      await writing;
      for (const { _id, sequences } of await whole(16, last)) assert.deepEqual(sequences, inOrder(last), _id);
    });
  });
}
