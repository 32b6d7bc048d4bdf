import { defineEvent, newEventId, schemaUrn, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';

import { createDelivery, type DeliveryOptions } from './deliver.ts';
import { onEvent } from './handler.ts';
import { AlreadyHandled, type HandledStatus, type Inbox } from './inbox.ts';

const contract = defineEvent({
  type: 'test.note.created',
  version: 1,
  thing: 'note',
  description: 'A note, in a test.',
  data: { text: z.string() },
});
const event = {
  ...{ id: newEventId(), type: contract.type, dataschema: schemaUrn(contract), subject: 'note/1' },
  ...{ time: new Date().toISOString(), data: { text: 'x' } },
} as EventEnvelope;
const handler = onEvent.transaction({ name: 'handler', on: [contract], handle: () => Promise.resolve() });

const ignore = (): void => undefined;

/** @param known - to a majority, at each look; @param run - gives how often it was run */
const open = (known: readonly (HandledStatus | undefined)[], run: (times: number) => Promise<void>) => {
  let [looks, runs, duplicates] = [0, 0, 0];
  const options = {
    run: () => run((runs += 1)),
    inbox: { statusOf: () => Promise.resolve(known[Math.min((looks += 1), known.length) - 1]) } as unknown as Inbox,
    parking: { isParked: () => false } as unknown as DeliveryOptions['parking'],
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    metrics: {
      duplicate: () => (duplicates += 1),
      handled: ignore,
      waited: ignore,
    } as unknown as DeliveryOptions['metrics'],
    signal: new AbortController().signal,
  } satisfies DeliveryOptions;
  const turn = { signal: new AbortController().signal, pause: () => Promise.resolve() };
  return {
    deliver: () => createDelivery(options)(handler, event, turn),
    counts: () => ({ runs, duplicates }),
  };
};

const refused = (): Promise<void> => Promise.reject(new AlreadyHandled(event.id));

describe('a claim that meets one before it', () => {
  it('is a duplicate where a majority knows that one', async () => {
    const { deliver, counts } = open(['done'], refused);
    await deliver();
    assert.deepEqual(counts(), { runs: 1, duplicates: 1 });
  });

  it('waits until a majority knows it', async () => {
    const { deliver, counts } = open([undefined, 'retrying', 'done'], refused);
    await deliver();
    assert.deepEqual(counts(), { runs: 3, duplicates: 1 });
  });

  it('has its effect where that one is rolled back', async () => {
    const { deliver, counts } = open([undefined], (times) => (times < 3 ? refused() : Promise.resolve()));
    await deliver();
    assert.deepEqual(counts(), { runs: 3, duplicates: 0 });
  });
});
