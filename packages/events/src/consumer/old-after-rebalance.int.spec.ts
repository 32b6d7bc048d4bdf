import { newEventId, topicOf, toSequence, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { toBinary } from '../envelope/binary-mode.ts';
import type { Events } from '../events.ts';
import type { KafkaProducer } from '../kafka/port.ts';
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

const slots = 4;

for (const driver of drivers) {
  describe(`an old event that comes again after a rebalance, to who has handled it, on ${driver}`, () => {
    let world: TestWorld;
    let events: Events;
    let producer: KafkaProducer;
    let sample: EventEnvelope;
    let contracts: ReturnType<typeof noteEvents>;
    /** Who has handled an event. */
    const handledBy = new Map<string, string>();

    const replica = (name: string): Events => {
      const note = onEvent.transaction({
        name: 'note',
        on: [contracts.created],
        handle({ id }) {
          handledBy.set(id, name);
          return Promise.resolve();
        },
      });
      return world.replica({ handlers: [note] });
    };
    const send = async (event: EventEnvelope): Promise<void> => {
      const topic = topicOf(world.service);
      await producer.send([{ topic, partition: slotOf(event.subject, slots), ...toBinary(event) }]);
    };
    const eventOf = (subject: string, revision: number): EventEnvelope => ({
      ...sample,
      ...{ id: newEventId(), subject, sequence: toSequence(revision) },
    });
    const statusOf = (id: string) =>
      eventually(`${id} settled`, async () => {
        const row = await events.db.collection<HandledRow>('handled').findOne({ _id: { handler: 'note', event: id } });
        return row?.status;
      });
    /** A subject of each partition. */
    const subjects = (): string[] =>
      Array.from({ length: slots }, (_, slot) => {
        let subject: string;
        do subject = `note/${newEventId()}`;
        while (slotOf(subject, slots) !== slot);
        return subject;
      });

    before(async () => {
      world = await openWorld(driver);
      contracts = noteEvents(world.service);
      events = replica('first');
      const notes = events.collection<Note>('notes', { thing: 'note' });
      await events.start();
      const data = { text: 'x' };
      ({ event: sample } = await notes.create(testCause(), {
        ...{ _id: 'sample', state: data, event: draft(contracts.created, data) },
      }));
      producer = await world.kafka.producer();
    });
    after(async () => {
      await producer.close();
      await world.end();
    });

    it('makes no gap: what came between came before', async () => {
      const told = subjects().map((subject) => [2, 3, 4].map((revision) => eventOf(subject, revision)));
      for (const [old, next] of told) {
        assert.ok(old !== undefined && next !== undefined);
        for (const each of [old, next]) await send(each);
        assert.deepEqual([await statusOf(old.id), await statusOf(next.id)], ['done', 'done']);
      }
      await replica('second').start();
      // Every partition is given anew, at least half of them to whom they were with.
      await eventually('a share of the second', async () => {
        const probes = subjects().map((subject) => eventOf(subject, 1));
        for (const each of probes) {
          await send(each);
          await statusOf(each.id);
        }
        return probes.some(({ id }) => handledBy.get(id) === 'second') ? true : undefined;
      });
      for (const [old, , beyond] of told) {
        assert.ok(old !== undefined && beyond !== undefined);
        for (const each of [old, beyond]) await send(each);
      }
      const by = new Set<string | undefined>();
      for (const [, , beyond] of told) {
        assert.equal(await statusOf(beyond?.id ?? ''), 'done');
        by.add(handledBy.get(beyond?.id ?? ''));
      }
      assert.deepEqual([...by].toSorted(), ['first', 'second']);
    });
  });
}
