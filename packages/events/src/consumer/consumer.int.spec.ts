import { faults, newEventId, topicOf, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';

import type { Events } from '../events.ts';
import { toBinary } from '../envelope/binary-mode.ts';
import { ownProducerLog } from '../log/producer-log.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { slotOf } from '../relay/slot.ts';
import {
  drivers,
  eventually,
  noteEvents,
  openWorld,
  testCause,
  type Note,
  type TestWorld,
} from '../testing/test-events.ts';
import { onEvent } from './handler.ts';
import type { HandledRow } from './inbox.ts';

for (const driver of drivers) {
  describe(`consumers, on ${driver}`, () => {
    let world: TestWorld;
    let events: Events;
    let notes: RecordedCollection<Note>;
    let echoes: RecordedCollection<Note>;
    let contracts: ReturnType<typeof noteEvents>;
    /** How often each text was handled, by handler. */
    const calls = new Map<string, number>();
    const count = (handler: string, text: string): number => {
      const key = `${handler}/${text}`;
      calls.set(key, (calls.get(key) ?? 0) + 1);
      return calls.get(key) ?? 0;
    };
    const create = (id: string, text: string) =>
      notes.create(testCause(), { _id: id, state: { text }, event: draft(contracts.created, { text }) });
    const rename = (id: string, text: string) =>
      notes.update(testCause(), id, () => ({ state: { text }, event: draft(contracts.updated, { text }) }));
    const rowOf = (handler: string, event: string) =>
      events.db.collection<HandledRow>('handled').findOne({ _id: { handler, event } });
    const settled = (handler: string, event: string, status: string) =>
      eventually(`${handler} ${status}`, async () => {
        const row = await rowOf(handler, event);
        return row?.status === status ? row : undefined;
      });

    before(async () => {
      world = await openWorld(driver);
      contracts = noteEvents(world.service);
      const handlers = [
        onEvent.transaction({
          name: 'echo',
          on: [contracts.created, contracts.updated],
          async handle(event, { session, cause }) {
            const { text } = event.data;
            const attempt = count('echo', text);
            if (text === 'poison') throw faults.invalidRequest({ message: 'cannot be' });
            if (text === 'late' && attempt < 3) throw new Error('not yet');
            if (text.startsWith('lost')) throw new Error('never');
            // Not recorded: a plain row that tells how often the effect took place.
            await events.db.collection('tally').updateOne({ text }, { $inc: { count: 1 } }, { upsert: true, session });
            if (event.type.endsWith('created')) {
              const id = `echo-${event.subject.slice('note/'.length)}`;
              const state = { text, tag: text === 'clash' ? 'taken' : event.id };
              await echoes.create(cause, { _id: id, state, event: draft(contracts.echoed, state) }, { session });
            }
          },
        }),
        onEvent.projection({
          name: 'copy',
          on: [contracts.created, contracts.updated, contracts.deleted],
          collection: 'copies',
          project: (event) =>
            'text' in event.data
              ? { _id: event.subject, set: { text: event.data.text } }
              : { _id: event.subject, deleted: true },
        }),
        onEvent.external({
          name: 'mail',
          on: [contracts.created],
          handle(event, { idempotencyKey }) {
            assert.equal(idempotencyKey, event.id);
            if (event.data.text === 'late' && count('mail', 'late') < 2) throw new Error('smtp is away');
            count('sent', event.id);
            return Promise.resolve();
          },
        }),
      ];
      events = world.replica({ handlers });
      notes = events.collection<Note>('notes', { thing: 'note' });
      echoes = events.collection<Note>('echoes', { thing: 'note' });
      await echoes.native.createIndex({ tag: 1 }, { unique: true, sparse: true }, undefined);
      await events.start();
      await world.follow();
    });
    after(() => world.end());

    /** Sends an event once more, as a relay after a crash would. */
    const sendAgain = async (event: EventEnvelope): Promise<void> => {
      const producer = await world.kafka.producer();
      const partition = slotOf(event.subject, 4);
      await producer.send([{ topic: topicOf(world.service), partition, ...toBinary(event) }]);
      await producer.close();
    };

    it('has each effect once, however often the event arrives', async () => {
      const { event } = await create('c1', 'once');
      await settled('echo', event.id, 'done');
      await sendAgain(event);
      await sendAgain(event);
      // The marker goes the same way, behind the duplicates.
      const { event: marker } = (await rename('c1', 'marker')) ?? assert.fail();
      await settled('echo', marker?.id ?? '', 'done');
      const row = await events.db.collection('tally').findOne({ text: 'once' });
      assert.equal(row?.count, 1);
      assert.equal(calls.get(`sent/${event.id}`), 1);
    });

    it('names what an effect has caused, before that is published', async () => {
      const { event } = await create('c2', 'cause');
      const row = await settled('echo', event.id, 'done');
      const echo = await echoes.native.findOne({ _id: 'echo-c2' });
      assert.deepEqual(row.caused, [echo?.event]);
      const caused = await events.findEvent(echo?.event ?? '');
      assert.equal(caused?.causationid, event.id);
      assert.equal(caused.correlationid, event.correlationid);
      assert.equal(caused.authid, 'usr_TEST');
    });

    it('tries again what can pass, and says so meanwhile', async () => {
      const { event } = await create('c3', 'late');
      const row = await settled('echo', event.id, 'done');
      assert.equal(row.attempts, 3);
      assert.equal(row.error, undefined);
      assert.equal((await settled('mail', event.id, 'done')).attempts, 2);
    });

    it('parks poison at once, and its subject with it, in order; others go on', async () => {
      const { event: poison } = await create('p1', 'poison');
      const second = await rename('p1', 'second');
      const third = await rename('p1', 'third');
      const { event: other } = await create('p2', 'other');
      await settled('echo', other.id, 'done');
      const first = await settled('echo', poison.id, 'parked');
      assert.equal(first.attempts, 1);
      assert.equal(first.error?.category, 'invalid-request');
      assert.deepEqual(first.payload?.data, { text: 'poison' });
      for (const each of [second, third]) await settled('echo', each?.event?.id ?? '', 'parked');
      const lane = await events.db.collection('lanes').findOne({ '_id.subject': 'note/p1' });
      assert.equal(lane?.tail, 3);
      assert.equal(calls.get('echo/second'), undefined);
      const parked = await events.db
        .collection<HandledRow>('handled')
        .find({ status: 'parked', subject: 'note/p1' })
        .sort({ sequence: 1 })
        .toArray();
      assert.deepEqual(
        parked.map(({ payload }) => (payload?.data as { text: string }).text),
        ['poison', 'second', 'third'],
      );
    });

    it('counts a parked event once, however often it arrives', async () => {
      const { event } = await create('p3', 'poison');
      await settled('echo', event.id, 'parked');
      await sendAgain(event);
      const { event: after } = (await rename('p3', 'behind')) ?? assert.fail();
      await settled('echo', after?.id ?? '', 'parked');
      const lane = await events.db.collection('lanes').findOne({ '_id.subject': 'note/p3' });
      assert.equal(lane?.tail, 2);
    });

    it('takes a unique index that an effect violates for a failure, never for a duplicate', async () => {
      await echoes.create(testCause(), {
        _id: 'holder',
        state: { text: 'holder', tag: 'taken' },
        event: draft(contracts.deleted, {}),
      });
      const { event } = await create('c4', 'clash');
      const row = await settled('echo', event.id, 'parked');
      assert.equal(row.error?.name, 'DuplicateKey');
      assert.equal(await events.db.collection('tally').findOne({ text: 'clash' }), null);
    });

    it('parks an event that does not keep to its contract', async () => {
      const { event } = await create('c5', 'fine');
      const wrong = { ...event, id: newEventId(), subject: 'note/c6', data: { text: 7 } };
      await sendAgain(wrong);
      const row = await settled('echo', wrong.id, 'parked');
      assert.equal(row.error?.name, 'ContractViolation');
    });

    it('parks bytes that are no event by their place, and goes on', async () => {
      const producer = await world.kafka.producer();
      const record = {
        topic: topicOf(world.service),
        partition: 0,
        key: null,
        value: Buffer.from('what?'),
        headers: {},
      };
      const [at] = await producer.send([record]);
      await producer.close();
      const row = await settled('*', `${topicOf(world.service)}/0/${at?.offset ?? ''}`, 'parked');
      assert.equal(row.error?.name, 'MalformedEvent');
    });

    it('keeps the newest state in a projection, whatever arrives late', async () => {
      const { event: created } = await create('j1', 'one');
      await rename('j1', 'two');
      const copies = events.db.collection<{ _id: string; text?: string; deleted?: boolean }>('copies');
      await eventually('two', async () =>
        (await copies.findOne({ _id: 'note/j1' }))?.text === 'two' ? true : undefined,
      );
      await notes.delete(testCause(), 'j1', () => draft(contracts.deleted, {}));
      await eventually('gone', async () => ((await copies.findOne({ _id: 'note/j1' }))?.deleted ? true : undefined));
      await sendAgain(created);
      const { event: marker } = await create('j2', 'marker of j1');
      await settled('echo', marker.id, 'done');
      const copy = await copies.findOne({ _id: 'note/j1' });
      assert.equal(copy?.text, undefined);
    });

    it('tells the effects of an event by handler', async () => {
      const { event } = await create('e1', 'effects');
      const done = await eventually('three effects', async () => {
        const effects = await events.effectsOf(event);
        return effects.every(({ status }) => status === 'done') ? effects : undefined;
      });
      assert.deepEqual(done.map(({ handler }) => handler).sort(), ['copy', 'echo', 'mail']);
      const unknown = await events.effectsOf({ ...event, id: newEventId(), subject: 'note/never', sequence: '9' });
      assert.ok(unknown.every(({ status }) => status === 'pending'));
    });

    it('goes on from its producer’s log where Kafka’s retention has overtaken it', async () => {
      await events.stop();
      // Kafka's retention, quickly: the group stands where the topic holds nothing.
      const admin = new Kafka({
        brokers: (process.env.KAFKA_BROKERS ?? '').split(','),
        logLevel: logLevel.NOTHING,
      }).admin();
      await admin.connect();
      const partitions = [0, 1, 2, 3].map((partition) => ({ partition, offset: '1000000' }));
      await admin.setOffsets({ groupId: `causeway-${world.service}`, topic: topicOf(world.service), partitions });
      await admin.disconnect();
      const asked: string[] = [];
      const missed: EventEnvelope = {
        ...((await events.log.collection.findOne())?.event ?? assert.fail()),
        id: newEventId(),
        subject: 'note/missed',
        data: { text: 'missed' },
      };
      const slot = slotOf(missed.subject, 4);
      const handler = onEvent.transaction({
        name: 'late-echo',
        on: [contracts.created],
        handle: (event) => {
          count('late-echo', event.data.text);
          return Promise.resolve();
        },
      });
      const again = world.replica({
        handlers: [handler],
        producerLogs: (topic) => ({
          ...ownProducerLog(events.log),
          after: (from) => {
            asked.push(`${topic}/${from.slot}`);
            return Promise.resolve(
              from.slot === slot && asked.filter((each) => each.endsWith(`/${slot}`)).length === 1 ? [missed] : [],
            );
          },
        }),
      });
      again.collection<Note>('notes', { thing: 'note' });
      await again.start();
      await eventually('the missed event', () => calls.get('late-echo/missed'));
      assert.equal(calls.get('late-echo/missed'), 1);
    });
  });
}
