import { defineEvent, newEventId, schemaUrn, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';

import type { BatchDelivery, BatchOutcome } from './deliver-batch.ts';
import { onEvent } from './handler.ts';
import { createJointBatches } from './joint-batches.ts';
import { createRunPlaces } from './run-places.ts';

const contract = defineEvent({
  type: 'test.note.created',
  version: 1,
  thing: 'note',
  description: 'A note, in a test.',
  data: { text: z.string() },
});
const eventOf = (subject: string): EventEnvelope =>
  ({ id: newEventId(), type: contract.type, dataschema: schemaUrn(contract), subject }) as EventEnvelope;
const place = { destination: 'causeway.test', partition: 0, consumerGroup: 'test', handler: 'batch' };
const never = new AbortController().signal;

const [a1, a2, b1, c1, c2] = [eventOf('a'), eventOf('a'), eventOf('b'), eventOf('c'), eventOf('c')];

/** An outcome in which the handler has worked. */
const leaves = (...left: readonly EventEnvelope[]): BatchOutcome => ({ left, failed: false });

/** Deliveries that end when the test says so. */
const open = (settings: { readonly jointEveryMs?: number; readonly maxEvents?: number } = {}) => {
  const handler = onEvent.batch({
    ...{ name: 'batch', on: [contract], handle: () => Promise.resolve() },
    ...{ jointEveryMs: 0, ...settings },
  });
  const runs: { readonly events: readonly EventEnvelope[]; readonly signal: AbortSignal; readonly at: number }[] = [];
  const ends: PromiseWithResolvers<BatchOutcome>[] = [];
  let arrived = Promise.withResolvers<undefined>();
  const deliverBatch: BatchDelivery = (_handler, events, { signal }) => {
    runs.push({ events, signal, at: performance.now() });
    const end = Promise.withResolvers<BatchOutcome>();
    ends.push(end);
    arrived.resolve(undefined);
    arrived = Promise.withResolvers();
    return end.promise;
  };
  const joint = createJointBatches({ deliverBatch, places: createRunPlaces(16) });
  /** @returns the end of the n-th run, once it has begun */
  const run = async (index: number): Promise<PromiseWithResolvers<BatchOutcome>> => {
    for (;;) {
      const end = ends[index];
      if (end !== undefined) return end;
      await arrived.promise;
    }
  };
  const give = (events: readonly EventEnvelope[], signal = never) => joint(handler, events, place, signal);
  return { give, run, runs };
};

describe('joint batches', () => {
  it('bring what waits in several partitions together, and tell each what is left of its own', async () => {
    const { give, run, runs } = open();
    const [first, second] = [give([a1, a2]), give([b1])];
    (await run(0)).resolve(leaves(a2, b1));
    assert.deepEqual(await first, [a2]);
    assert.deepEqual(await second, [b1]);
    assert.deepEqual(runs[0]?.events, [a1, a2, b1]);
  });

  it('run one at a time: what comes meanwhile is for the next', async () => {
    const { give, run, runs } = open();
    const first = give([a1, a2]);
    const end = await run(0);
    const others = [give([b1]), give([c1])];
    // A run that did not wait for the first would have begun by then: nothing in between takes longer than a turn.
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(runs.length, 1);
    end.resolve(leaves());
    assert.deepEqual(await first, []);
    (await run(1)).resolve(leaves());
    assert.deepEqual(await Promise.all(others), [[], []]);
    assert.deepEqual(runs[1]?.events, [b1, c1]);
  });

  it('begin at once in a quiet time, and no sooner than they may after the one before', async () => {
    const { give, run, runs } = open({ jointEveryMs: 150 });
    const first = give([a1, a2]);
    (await run(0)).resolve(leaves());
    await first;
    const second = give([b1, c1]);
    (await run(1)).resolve(leaves());
    await second;
    const [at = 0, next = 0] = runs.map((each) => each.at);
    // The first is told of a little after it began.
    assert.ok(next - at >= 75, 'the second waits');
  });

  it('wait for nothing while as much waits as goes at once', async () => {
    const { give, run, runs } = open({ jointEveryMs: 9_000, maxEvents: 2 });
    const first = give([a1, a2]);
    const end = await run(0);
    const second = give([c1, c2]);
    end.resolve(leaves());
    await first;
    (await run(1)).resolve(leaves());
    await second;
    const [at = 0, next = 0] = runs.map((each) => each.at);
    assert.ok(next - at < 8_000, 'the second does not wait');
  });

  it('take no more at once than the handler says, but what one partition hands in', async () => {
    const { give, run, runs } = open({ maxEvents: 3 });
    const all = [give([a1, a2]), give([b1]), give([c1, c2])];
    (await run(0)).resolve(leaves());
    (await run(1)).resolve(leaves());
    await Promise.all(all);
    assert.deepEqual(
      runs.map(({ events }) => events),
      [
        [a1, a2, b1],
        [c1, c2],
      ],
    );
  });

  it('leave an event that is alone to go by itself', async () => {
    const { give, runs } = open();
    assert.deepEqual(await give([a1]), [a1]);
    assert.equal(runs.length, 0);
  });

  it('go a partition at a time where the handler fails, so that one does not make the others go one by one', async () => {
    const { give, run, runs } = open();
    const [first, second, alone] = [give([a1, a2]), give([c1, c2]), give([b1])];
    (await run(0)).resolve({ left: [a1, a2, c1, c2, b1], failed: true });
    (await run(1)).resolve({ left: [a1, a2], failed: true });
    (await run(2)).resolve(leaves());
    assert.deepEqual([await first, await second, await alone], [[a1, a2], [], [b1]]);
    assert.deepEqual(
      runs.map(({ events }) => events),
      [
        [a1, a2, c1, c2, b1],
        [a1, a2],
        [c1, c2],
      ],
    );
  });

  it('are not run again where the handler has left something', async () => {
    const { give, run, runs } = open();
    const both = [give([a1, a2]), give([c1, c2])];
    (await run(0)).resolve(leaves(a1, a2, c1, c2));
    assert.deepEqual(await Promise.all(both), [
      [a1, a2],
      [c1, c2],
    ]);
    assert.equal(runs.length, 1);
  });

  it('reject for all where their turn is ended', async () => {
    const { give, run } = open();
    const both = [give([a1]), give([b1])];
    (await run(0)).reject(new Error('no'));
    const settled = await Promise.allSettled(both);
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
  });

  it('go on without a partition that is given up, while it waits and while it runs', async () => {
    const { give, run, runs } = open();
    const [waits, runs1] = [new AbortController(), new AbortController()];
    const stays = give([a1, a2]);
    const end = await run(0);
    const gone = give([c1], waits.signal);
    waits.abort(new Error('given up'));
    await assert.rejects(gone, /given up/);
    const [goesOn, leaving] = [give([b1]), give([c2], runs1.signal)];
    end.resolve(leaves());
    await stays;
    const second = await run(1);
    assert.deepEqual(runs[1]?.events, [b1, c2]);
    runs1.abort(new Error('given up'));
    assert.equal(runs.at(1)?.signal.aborted, true);
    second.reject(new Error('its turn was ended'));
    await assert.rejects(leaving, /its turn was ended/);
    // Alone by then.
    assert.deepEqual(await goesOn, [b1]);
  });
});
