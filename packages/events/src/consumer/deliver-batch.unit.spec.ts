import { defineEvent, newEventId, schemaUrn, type EventEnvelope } from '@causeway/contracts';
import { MongoNetworkError } from 'mongodb';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';

import { createBatchDelivery, type BatchDeliveryOptions } from './deliver-batch.ts';
import { createFirstDeliveries } from './first-deliveries.ts';
import { onEvent } from './handler.ts';
import { AlreadyHandled, type HandledStatus, type Inbox } from './inbox.ts';
import type { Parking } from './parking.ts';
import type { BatchRunner } from './run-batch.ts';

const contract = defineEvent({
  type: 'test.note.created',
  version: 1,
  thing: 'note',
  description: 'A note, in a test.',
  data: { text: z.string() },
});
const eventOf = (subject: string, data: unknown = { text: 'x' }): EventEnvelope =>
  ({ id: newEventId(), type: contract.type, dataschema: schemaUrn(contract), subject, data }) as EventEnvelope;
const handler = onEvent.batch({ name: 'batch', on: [contract], handle: () => Promise.resolve() });

const ignore = (): void => undefined;

/** A delivery over an inbox that says what it is told to, and a runner that does so. */
const open = (statuses: (read: number) => ReadonlyMap<string, HandledStatus>, run: BatchRunner['all']) => {
  const learnt = new Set<string>();
  const ran: (readonly EventEnvelope[])[] = [];
  let reads = 0;
  const firsts = createFirstDeliveries();
  const options = {
    runBatch: {
      all: (own, events) => {
        ran.push(events);
        return run(own, events);
      },
      one: () => Promise.reject(new Error('not expected')),
    },
    inbox: { statusesOf: () => Promise.resolve(new Map(statuses((reads += 1)))) } as unknown as Inbox,
    parking: {
      isParked: (_: string, subject: string) => learnt.has(subject),
      learn: (_: string, subject: string) => void learnt.add(subject),
    } as unknown as Parking,
    forgotten: () => Promise.resolve(false),
    firsts,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    metrics: { handled: ignore, duplicate: ignore, waited: ignore },
    signal: new AbortController().signal,
  } satisfies BatchDeliveryOptions;
  const leaving = new AbortController();
  const pauses: number[] = [];
  const turn = { signal: leaving.signal, pause: (ms: number) => Promise.resolve(void pauses.push(ms)) };
  const delivery = createBatchDelivery(options);
  return {
    deliver: async (events: readonly EventEnvelope[]) => (await delivery(handler, events, turn)).left,
    outcome: (events: readonly EventEnvelope[]) => delivery(handler, events, turn),
    cameAgain: (event: EventEnvelope) => firsts.cameAgain(handler.name, event.id),
    learnt,
    ran,
    pauses,
    leaving,
  };
};

const [a1, b1, a2, c1] = [eventOf('a'), eventOf('b'), eventOf('a'), eventOf('c')];
const all = [a1, b1, a2, c1];

describe('a batch', () => {
  it('is made anew with what is left where one of its events was settled meanwhile', async () => {
    let tried = 0;
    const { deliver, ran } = open(
      (read) => new Map(read === 1 ? [] : [[b1.id, 'done']]),
      () => {
        tried += 1;
        return tried === 1 ? Promise.reject(new AlreadyHandled()) : Promise.resolve([]);
      },
    );
    assert.deepEqual(await deliver(all), []);
    assert.deepEqual(ran, [all, [a1, a2, c1]]);
  });

  it('is remembered by what of it was handled before, and what was not', async () => {
    const { deliver, cameAgain } = open(
      () => new Map([[b1.id, 'done']]),
      () => Promise.resolve([c1]),
    );
    assert.deepEqual(await deliver(all), [c1]);
    assert.deepEqual(all.map(cameAgain), [false, true, false, false]);
  });

  it('goes one by one where that happens again and again', async () => {
    const { deliver, ran } = open(
      () => new Map(),
      () => Promise.reject(new AlreadyHandled()),
    );
    assert.deepEqual(await deliver(all), all);
    assert.equal(ran.length, 3);
  });

  it('leaves a subject that is parked, as it learns, and all behind it', async () => {
    const { deliver, ran, learnt } = open(
      () => new Map([[a1.id, 'parked']]),
      () => Promise.resolve([]),
    );
    assert.deepEqual(await deliver(all), [a2]);
    assert.deepEqual(ran, [[b1, c1]]);
    assert.deepEqual([...learnt], ['a']);
  });

  it('leaves what does not keep to its contract, and all of its subject behind it', async () => {
    const wrong = eventOf('a', { text: 7 });
    const { deliver, ran } = open(
      () => new Map(),
      () => Promise.resolve([]),
    );
    assert.deepEqual(await deliver([a1, wrong, b1, a2]), [wrong, a2]);
    assert.deepEqual(ran, [[a1, b1]]);
  });

  it('leaves the second of two deliveries of one event', async () => {
    const { deliver, ran } = open(
      () => new Map(),
      () => Promise.resolve([]),
    );
    const left = await deliver([a1, b1, { ...b1 }]);
    assert.deepEqual([left.length, left[0]?.id], [1, b1.id]);
    assert.deepEqual(ran, [[a1, b1]]);
  });

  it('is left whole where the handler throws, and says so', async () => {
    const { outcome } = open(
      () => new Map(),
      () => Promise.reject(new Error('no')),
    );
    assert.deepEqual(await outcome(all), { left: all, failed: true });
  });

  it('has not failed where the handler leaves all of it', async () => {
    const { outcome } = open(
      () => new Map(),
      (_handler, events) => Promise.resolve(events),
    );
    assert.deepEqual(await outcome(all), { left: all, failed: false });
  });

  it('sits an outage out, without its place', async () => {
    let tried = 0;
    const { deliver, pauses } = open(
      () => new Map(),
      () => {
        tried += 1;
        return tried < 3 ? Promise.reject(new MongoNetworkError('gone')) : Promise.resolve([]);
      },
    );
    assert.deepEqual(await deliver(all), []);
    assert.equal(pauses.length, 2);
  });

  it('is for its next owner where it fails while the partition is given up', async () => {
    const { deliver, leaving } = open(
      () => new Map(),
      () => {
        leaving.abort();
        return Promise.reject(new Error('no'));
      },
    );
    await assert.rejects(deliver(all), /no/);
  });
});

describe('a batch handler', () => {
  const declare = (settings: { maxEvents?: number; maxWaitMs?: number }) => () =>
    onEvent.batch({ name: 'batch', on: [contract], ...settings, handle: () => Promise.resolve() });

  it('says how much it takes and how long it waits, within bounds', () => {
    assert.throws(declare({ maxEvents: 0 }), /batch: maxEvents must be a whole number of at least 1, and is 0/);
    assert.throws(declare({ maxEvents: 1.5 }), /maxEvents/);
    assert.throws(declare({ maxWaitMs: -1 }), /batch: maxWaitMs must be from 0 to 10000, and is -1/);
    assert.throws(declare({ maxWaitMs: 60_000 }), /maxWaitMs/);
    const { maxEvents, maxWaitMs, order, acknowledgement } = declare({})();
    assert.deepEqual(
      { maxEvents, maxWaitMs, order, acknowledgement },
      {
        maxEvents: 100,
        maxWaitMs: 0,
        order: 'ordered',
        acknowledgement: 'all',
      },
    );
  });
});
