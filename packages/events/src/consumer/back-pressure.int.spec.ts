import { newEventId, schemaUrn, topicOf, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { toBinary } from '../envelope/binary-mode.ts';
import { draft } from '../recording/recorded-document.ts';
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
import { onEvent } from './handler.ts';

const count = 20_000;
/** Of ten records one is for the projection; the others nobody takes, and they wait above what is not settled. */
const share = 10;

for (const driver of drivers) {
  describe(`a consumer that has more to do than it can, on ${driver}`, () => {
    let world: TestWorld;
    let contracts: ReturnType<typeof noteEvents>;

    before(async () => {
      world = await openWorld(driver);
      contracts = noteEvents(world.service);
    });
    after(() => world.end());

    const send = async (like: EventEnvelope): Promise<void> => {
      const producer = await world.kafka.producer();
      for (let from = 0; from < count; from += 1_000) {
        const records = Array.from({ length: 1_000 }, (_, at) => {
          const contract = at % share === 0 ? contracts.updated : contracts.echoed;
          const own = { id: newEventId(), type: contract.type, dataschema: schemaUrn(contract) };
          const event = { ...like, ...own, subject: `note/n${from + at}` };
          return { topic: topicOf(world.service), partition: 0, ...toBinary(event) };
        });
        await producer.send(records);
      }
      await producer.close();
    };

    it('holds no more than its bound while handlers stand still, stays a member, and handles all in the end', async () => {
      const door = createDoor();
      const watched = watchKafka(world.kafka, { sessionTimeoutMs: 6_000 });
      const heldRecords = 200;
      // An attempt that is ended in between would let others through.
      const options = { kafka: watched.kafka, handlerRuns: 16, heldRecords, externalMs: 600_000 };
      const handlers = [
        onEvent.external({
          name: 'caller',
          on: [contracts.created],
          handle: (_, { signal }) => door.pass(signal),
        }),
        onEvent.projection({
          name: 'copy',
          on: [contracts.updated],
          collection: 'copies',
          project: (event) => ({ _id: event.subject, set: { text: event.data.text } }),
        }),
      ];
      const events = world.replica({ partitions: 1, handlers, ...options });
      const notes = events.collection<Note>('notes', { thing: 'note' });
      await events.start();
      const create = (id: string) =>
        notes.create(testCause(), { _id: id, state: { text: id }, event: draft(contracts.created, { text: id }) });
      const beganMs = performance.now();
      const { event } = await create('b0');
      for (let at = 1; at < 16; at += 1) await create(`b${at}`);
      await eventually('sixteen that stand still', () => (door.waiting === 16 ? true : undefined));
      await send(event);
      await eventually('longer than the session', () => (performance.now() - beganMs > 8_000 ? true : undefined));
      // Of each ten one is held, and ten times the bound may be settled above the first; and one delivery does not fit in any more.
      await eventually('as many as may be held', () => (watched.delivered.length >= heldRecords ? true : undefined));
      assert.ok(watched.delivered.length <= 10 * heldRecords + 1_000, `${watched.delivered.length} were taken in`);
      const copies = events.db.collection('copies');
      assert.equal(await copies.countDocuments(), 0);
      door.open();
      // It may take its time as long as it gets on.
      for (let made = 0; made < count / share;) {
        const before = made;
        made = await eventually('more copies', async () => {
          const now = await copies.countDocuments();
          return now > before ? now : undefined;
        });
      }
      await eventually('the end', () => (watched.committed.at(-1)?.offset === BigInt(count + 16) ? true : undefined));
      assert.deepEqual(watched.seen, { assignments: 1, revocations: 0 });
    });
  });
}
