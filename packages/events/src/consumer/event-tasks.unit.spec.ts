import { defineEvent, newEventId, schemaUrn, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';

import { createEventTasks } from './event-tasks.ts';
import { onEvent } from './handler.ts';
import { createRunPlaces, type Turn } from './run-places.ts';
import { OutOfSequence } from './sequence-watch.ts';

const contract = defineEvent({
  type: 'test.note.created',
  version: 1,
  thing: 'note',
  description: 'A note, in a test.',
  data: { text: z.string() },
});
const eventOf = (subject: string): EventEnvelope =>
  ({
    ...{ id: newEventId(), type: contract.type, dataschema: schemaUrn(contract), subject },
    ...{ time: '2026-01-01T00:00:00.000Z' },
  }) as EventEnvelope;

const place = { topic: 'causeway.test', partition: 0, offset: 7n };
const turn: Turn = { signal: new AbortController().signal, pause: () => Promise.resolve() };
const ignore = (): void => undefined;

/** Tasks of a batch handler that leaves nothing; what is brought to it, and what is parked. */
const open = (order: 'ordered' | 'commutative') => {
  const handler = onEvent.batch({ name: 'batch', on: [contract], order, handle: () => Promise.resolve() });
  const batches: (readonly EventEnvelope[])[] = [];
  const parked: EventEnvelope[] = [];
  const tasks = createEventTasks({
    groupId: 'test',
    handlers: [handler],
    deliver: () => Promise.resolve(),
    deliverBatch: (_handler, events) => {
      batches.push(events);
      return Promise.resolve({ left: [], failed: false });
    },
    places: createRunPlaces(16),
    parkOutOfSequence: (_handler, event) => Promise.resolve(void parked.push(event)),
    admits: () => true,
    lag: { taken: () => ignore },
    metrics: { settled: ignore },
  });
  return {
    batches,
    parked,
    /** @returns the one task of the only handler */
    taskOf: (event: EventEnvelope, fault?: OutOfSequence) => tasks(event, place, fault)[0] ?? assert.fail('no task'),
  };
};

describe('an event whose sequence is wrong', () => {
  it('waits behind what is run together, and all of its subject behind it', async () => {
    const { batches, parked, taskOf } = open('ordered');
    const [a1, a2, b1, a3, b2] = ['a', 'a', 'b', 'a', 'b'].map(eventOf);
    assert.ok(a1 && a2 && b1 && a3 && b2);
    const wrong = taskOf(a2, new OutOfSequence('skips'));
    const last = taskOf(a3);
    const all = [taskOf(a1), wrong, taskOf(b1), last, taskOf(b2)];
    const left = await (wrong.group ?? assert.fail('it passes its group')).run(all, turn);
    assert.deepEqual(batches, [[a1, b1, b2]]);
    assert.deepEqual(left, [wrong, last]);
    await wrong.run(turn);
    assert.deepEqual(parked, [a2]);
  });

  it('does not hold up another event where order does not matter', async () => {
    const { batches, taskOf } = open('commutative');
    const [a1, a2, a3] = ['a', 'a', 'a'].map(eventOf);
    assert.ok(a1 && a2 && a3);
    const wrong = taskOf(a2, new OutOfSequence('skips'));
    assert.deepEqual(await wrong.group?.run([taskOf(a1), wrong, taskOf(a3)], turn), [wrong]);
    assert.deepEqual(batches, [[a1, a3]]);
  });
});
