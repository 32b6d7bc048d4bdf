import { newEventId, topicOf, toSequence, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { compressionsAlgorithms, Producer as PlatformaticProducer } from '@platformatic/kafka';
import { Kafka, logLevel, type IHeaders, type Producer } from 'kafkajs';

import type { Events } from '../events.ts';
import { toBinary } from '../envelope/binary-mode.ts';
import { draft } from '../recording/recorded-document.ts';
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

/** What somebody sends who has access to the topic, and keeps to nothing. */
interface Foreign {
  readonly key?: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
}

const mebibyte = 1024 * 1024;

for (const driver of drivers) {
  describe(`records that are no events of the topic’s service, on ${driver}`, () => {
    let world: TestWorld;
    let events: Events;
    let foreign: Producer;
    let sample: EventEnvelope;
    const handled: string[] = [];

    before(async () => {
      world = await openWorld(driver);
      const contracts = noteEvents(world.service);
      // Somebody has told Kafka to take more than we send.
      const config = { 'max.message.bytes': String(8 * mebibyte) };
      await world.kafka.ensureTopics([{ name: topicOf(world.service), partitions: 4, config }]);
      const note = onEvent.transaction({
        name: 'note',
        on: [contracts.created],
        handle: (event) => {
          handled.push(event.id);
          return Promise.resolve();
        },
      });
      events = world.replica({ handlers: [note] });
      const notes = events.collection<Note>('notes', { thing: 'note' });
      await events.start();
      const data = { text: 'x' };
      const creation = { _id: 'sample', state: data, event: draft(contracts.created, data) };
      ({ event: sample } = await notes.create(testCause(), creation));
      const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
      foreign = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer();
      await foreign.connect();
    });
    after(async () => {
      await foreign.disconnect();
      await world.end();
    });

    const rowOf = (handler: string, event: string) =>
      events.db
        .collection<HandledRow & { bytes?: { length(): number } }>('handled')
        .findOne({ _id: { handler, event } });
    const send = async ({ key = null, value, headers }: Foreign, partition: number): Promise<string> => {
      const topic = topicOf(world.service);
      const [at] = await foreign.send({ topic, messages: [{ partition, key, value, headers }] });
      return `${topic}/${partition}/${at?.baseOffset ?? ''}`;
    };
    const fresh = (change: Partial<EventEnvelope> = {}): EventEnvelope => ({ ...sample, id: newEventId(), ...change });
    const binary = (event: EventEnvelope, headers: IHeaders = {}): Foreign => {
      const made = toBinary(event);
      return { ...made, headers: { ...made.headers, ...headers } };
    };
    const partition = slotOf('note/sample', 4);
    const goesOn = async (on: number): Promise<void> => {
      let subject: string;
      do subject = `note/${newEventId()}`;
      while (slotOf(subject, 4) !== on);
      const good = fresh({ subject });
      await send(binary(good), on);
      await eventually('the next event', async () =>
        (await rowOf('note', good.id))?.status === 'done' ? true : undefined,
      );
    };
    const parked = async (record: Foreign, on: number, why: RegExp) => {
      const place = await send(record, on);
      const row = await eventually(`parked ${place}`, async () => (await rowOf('*', place)) ?? undefined);
      assert.equal(row.status, 'parked');
      assert.equal(row.error?.name, 'MalformedEvent');
      assert.match(row.error.message, why);
      await goesOn(on);
      return row;
    };

    const refused = (what: string, record: () => Foreign, why: RegExp, on = partition): void => {
      void it(`are parked where they ${what}`, async () => {
        await parked(record(), on, why);
      });
    };

    refused(
      'lack a header',
      () => ({ ...binary(fresh()), headers: { ce_id: newEventId() } }),
      /lacks ce_specversion, ce_t/,
    );
    refused('have a header twice', () => binary(fresh(), { ce_id: [newEventId(), newEventId()] }), /come twice: ce_id/);
    refused('are no JSON', () => ({ ...binary(fresh()), value: Buffer.from([0xff, 0xfe, 0x00]) }), /not JSON/);
    refused('have no value', () => ({ ...binary(fresh()), value: null }), /not JSON/);
    for (const sequence of ['seven', '7', '0000000000000000']) {
      refused(`have ${sequence} for a sequence`, () => binary(fresh(), { ce_sequence: sequence }), /ce_sequence/);
    }
    refused('come from somebody else', () => binary(fresh({ source: '/somebody/else' })), /ce_source/);
    refused('are of another service’s type', () => binary(fresh({ type: 'auth.account.created' })), /ce_type/);
    refused('are on another partition than their subject', () => binary(fresh()), /ce_subject/, (partition + 1) % 4);

    it('are parked where they have 5 MB, and no more is kept of them than MongoDB takes', async () => {
      const large = fresh({ data: { text: 'x'.repeat(5 * mebibyte) } });
      const row = await parked(binary(large), partition, /more than 4194304 bytes/);
      assert.equal(row.bytes?.length(), mebibyte);
    });

    it('are parked where MongoDB could not keep them as an event', async () => {
      const deep = Buffer.from('{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000));
      await parked({ ...binary(fresh()), value: deep }, partition, /cannot be kept/);
      await parked(binary(fresh({ data: { 'a\0b': 1 } })), partition, /cannot be kept/);
    });

    it('are parked by their offsets where their batch cannot be decoded', async (t) => {
      const topic = topicOf(world.service);
      const garbled = t.mock.method(compressionsAlgorithms.zstd, 'decompressSync', () => {
        throw new Error('bad bytes');
      });
      const producer = new PlatformaticProducer({
        clientId: 'foreign',
        bootstrapBrokers: (process.env.KAFKA_BROKERS ?? '').split(','),
      });
      const messages = ['a', 'b'].map((text) => ({ topic, partition, value: Buffer.from(text) }));
      const sent = await producer.send({ messages, compression: 'zstd', acks: -1 });
      await producer.close();
      const first = sent.offsets?.[0]?.offset ?? -1n;
      for (const offset of [first, first + 1n]) {
        const place = `${topic}/${partition}/${offset}`;
        const row = await eventually(`parked ${place}`, async () => (await rowOf('*', place)) ?? undefined);
        assert.deepEqual([row.status, row.error?.name], ['parked', 'MalformedEvent']);
        assert.match(row.error?.message ?? '', /its batch cannot be decoded: .*bad bytes/);
      }
      await goesOn(partition);
      garbled.mock.restore();
    });

    it('are passed over where nobody handles their type', async () => {
      const unknown = fresh({ type: `${world.service}.note.archived` });
      await send(binary(unknown), partition);
      await goesOn(partition);
      assert.equal(await events.db.collection('handled').countDocuments({ '_id.event': unknown.id }), 0);
    });

    it('are parked by their handler where they do not keep to its contract, by version or by shape', async () => {
      const version = fresh({ subject: 'note/v', dataschema: `urn:causeway:contract:${sample.type}:99` });
      const shape = fresh({ subject: 'note/s', data: { $set: { 'a.b': 1 }, text: 7 } });
      for (const wrong of [version, shape]) {
        await send(binary(wrong), slotOf(wrong.subject, 4));
        const row = await eventually('parked', async () => (await rowOf('note', wrong.id)) ?? undefined);
        assert.deepEqual([row.status, row.error?.name], ['parked', 'ContractViolation']);
        assert.deepEqual(row.payload?.data, wrong.data);
        assert.ok(!handled.includes(wrong.id));
      }
      await goesOn(partition);
    });

    const sendEach = async (subject: string, ...revisions: readonly number[]): Promise<string[]> => {
      const all = revisions.map((revision) => fresh({ subject, sequence: toSequence(revision) }));
      for (const each of all) await send(binary(each), slotOf(subject, 4));
      return all.map(({ id }) => id);
    };
    const statusOf = (id = '') => eventually(`settled ${id}`, async () => (await rowOf('note', id)) ?? undefined);

    it('are parked with their subject where their sequence skips revisions, and what comes later waits behind them', async () => {
      const [first, skipping, later] = await sendEach('note/skips', 4, 9_000_000_000_000_000, 9_000_000_000_000_001);
      assert.equal((await statusOf(first)).status, 'done');
      const { status, error } = await statusOf(skipping);
      assert.deepEqual([status, error?.name], ['parked', 'OutOfSequence']);
      assert.match(error?.message ?? '', /had sequence 4, this one has 9000000000000000/);
      assert.equal((await statusOf(later)).status, 'parked');
      assert.deepEqual(
        [...new Set(handled)].filter((id) => [first, skipping, later].includes(id)),
        [first],
      );
      // A true one that comes after all is not lost: it waits in its place.
      const [late] = await sendEach('note/skips', 5);
      assert.equal((await statusOf(late)).status, 'parked');
      await goesOn(slotOf('note/skips', 4));
    });

    it('are no gap where what they seem to follow is an old one that came again: those between came before this partition was ours', async () => {
      const subject = 'note/again';
      const [old, next, beyond] = [2, 4, 6].map((revision) => fresh({ subject, sequence: toSequence(revision) }));
      assert.ok(old !== undefined && next !== undefined && beyond !== undefined);
      const inbox = events.db.collection<HandledRow>('handled');
      await inbox.insertOne({ _id: { handler: 'note', event: old.id }, status: 'done', at: new Date() });
      for (const each of [old, next, beyond]) await send(binary(each), slotOf(subject, 4));
      assert.equal((await statusOf(next.id)).status, 'done');
      // It was new to us: what follows it must follow it.
      assert.equal((await statusOf(beyond.id)).status, 'parked');
      assert.deepEqual(
        [...new Set(handled)].filter((id) => [old.id, next.id, beyond.id].includes(id)),
        [next.id],
      );
    });

    it('are parked where another event of the subject had their sequence, and not where they are that one again', async () => {
      const subject = 'note/twin';
      const one = fresh({ subject, sequence: toSequence(7) });
      const twin = fresh({ subject, sequence: toSequence(7) });
      for (const each of [one, one, twin]) await send(binary(each), slotOf(subject, 4));
      const { status, error } = await statusOf(twin.id);
      assert.deepEqual([status, error?.name], ['parked', 'OutOfSequence']);
      assert.equal((await statusOf(one.id)).status, 'done');
      assert.equal(handled.filter((id) => id === one.id).length, 1);
    });

    it('may skip what this service does not handle', async () => {
      const subject = 'note/mixed';
      const others = fresh({ subject, sequence: toSequence(2), type: `${world.service}.note.archived` });
      const [first] = await sendEach(subject, 1);
      await send(binary(others), slotOf(subject, 4));
      const [third] = await sendEach(subject, 3);
      assert.equal((await statusOf(first)).status, 'done');
      assert.equal((await statusOf(third)).status, 'done');
    });
  });
}
