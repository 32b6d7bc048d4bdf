import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MongoClient } from 'mongodb';

import type { EventsOptions } from '../events.ts';
import { linkProxy } from '../faults/link-proxy.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { onEvent, type Handler } from './handler.ts';
import type { HandledRow } from './inbox.ts';

/** Of an attempt here; by default 10 s, and 30 s of an external one. */
const boundMs = 1_500;

describe('an attempt that does not end', () => {
  let world: TestWorld;
  let contracts: ReturnType<typeof noteEvents>;
  /** What hangs, to be let go before the world ends. */
  let release: PromiseWithResolvers<undefined>;

  beforeEach(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    // Made in an attempt's transaction it takes time of the bound.
    await world.client.db(world.database).createCollection('written');
    release = Promise.withResolvers();
  });
  afterEach(async () => {
    release.resolve(undefined);
    await world.end();
  });

  /** One place for all handlers: whoever does not give it back stops every other. */
  const open = async (handlers: readonly Handler[], options: Partial<EventsOptions> = {}) => {
    const bounds = { transactionMs: boundMs, externalMs: boundMs, handlerRuns: 1, partitions: 1 };
    const events = world.replica({ handlers, ...bounds, ...options });
    const notes = events.collection<Note>('notes', { thing: 'note' });
    const others = events.collection<Note>('others', { thing: 'note' });
    await events.start();
    return { events, notes, others };
  };
  const create = async (notes: RecordedCollection<Note>, id: string, text: string) =>
    (await notes.create(testCause(), { _id: id, state: { text }, event: draft(contracts.created, { text }) })).event;
  const rowOf = (handler: string, event: string) =>
    world.client.db(world.database).collection<HandledRow>('handled').findOne({ _id: { handler, event } });
  const settled = (handler: string, event: string, status: string) =>
    eventually(`${handler} ${status}`, async () => {
      const row = await rowOf(handler, event);
      return row?.status === status ? row : undefined;
    });
  const count = (collection: string, filter = {}) =>
    world.client.db(world.database).collection(collection).countDocuments(filter);
  const parkedForTime = async (handler: string, event: string, says: RegExp, names = ['OutOfTime']): Promise<void> => {
    const { attempts, error } = await settled(handler, event, 'parked');
    assert.equal(attempts, 5);
    assert.ok(names.includes(error?.name ?? ''), error?.name);
    assert.match(error?.message ?? '', says);
  };

  it('in a transaction counts, gives its place back, is parked, and what it does later is not committed', async () => {
    const ended: Promise<unknown>[] = [];
    const told: boolean[] = [];
    const slow = onEvent.transaction({
      name: 'slow',
      on: [contracts.created],
      handle(event, { session, signal }) {
        const write = async () => {
          const writes = world.client.db(world.database).collection('written');
          await writes.insertOne({ when: 'in time' }, { session });
          if (event.data.text !== 'slow') return;
          await release.promise;
          told.push(signal.aborted);
          await writes.insertOne({ when: 'later' }, { session });
        };
        const attempt = write();
        ended.push(attempt.catch((error: unknown) => error));
        return attempt;
      },
    });
    const { notes } = await open([slow]);
    const hangs = await create(notes, 'a', 'slow');
    const other = await create(notes, 'b', 'quick');
    await settled('slow', other.id, 'done');
    await parkedForTime('slow', hangs.id, /not over after 1500 ms/);
    release.resolve(undefined);
    const errors = await Promise.all(ended);
    assert.equal(errors.filter((error) => error instanceof Error).length, 5);
    assert.deepEqual(
      told,
      Array.from({ length: 5 }, () => true),
    );
    assert.equal(await count('written'), 1);
  });

  it('because it waits for itself is parked, with what to do', async () => {
    const forgets = onEvent.transaction({
      name: 'forgets',
      on: [contracts.created],
      async handle(event, { session, cause }) {
        if (event.data.text !== 'forgets') return;
        const write = { state: { text: 'x' }, event: draft(contracts.updated, { text: 'x' }) };
        await others.update(cause, 'o', () => write, { session });
        // Waits for the transaction, which waits for it.
        await others.update(cause, 'o', () => write);
      },
    });
    const { notes, others } = await open([forgets]);
    await others.create(testCause(), { _id: 'o', state: { text: 'o' }, event: draft(contracts.deleted, {}) });
    const event = await create(notes, 'a', 'forgets');
    await parkedForTime('forgets', event.id, /hand its session to every write/);
  });

  it('because it conflicts with itself is parked, with what to do', async () => {
    const twice = onEvent.transaction({
      name: 'twice',
      on: [contracts.created],
      async handle(_, { session }) {
        const own = world.client.db(world.database).collection<{ _id: string; n: number }>('own');
        await own.updateOne({ _id: 'o' }, { $inc: { n: 1 } }, { upsert: true });
        await own.updateOne({ _id: 'o' }, { $inc: { n: 1 } }, { session });
      },
    });
    const { notes } = await open([twice], { patienceMs: 1_000 });
    const event = await create(notes, 'a', 'twice');
    // On a machine that is busy, one attempt may take most of so short a bound: then it is taken for slow.
    await parkedForTime('twice', event.id, /and its session to every write/, ['Contended', 'OutOfTime']);
  });

  it('of a batch is tried one by one, so that the event alone is parked at which it hangs', async () => {
    const batch = onEvent.batch({
      name: 'batch',
      on: [contracts.created],
      maxWaitMs: 500,
      async handle(given) {
        if (given.some(({ data }) => data.text === 'slow')) await release.promise;
      },
    });
    const { notes } = await open([batch]);
    const [first, hangs, last] = await Promise.all(
      ['a', 'b', 'c'].map((id) => create(notes, id, id === 'b' ? 'slow' : id)),
    );
    await settled('batch', first?.id ?? '', 'done');
    await settled('batch', last?.id ?? '', 'done');
    await parkedForTime('batch', hangs?.id ?? '', /not over after 1500 ms/);
  });

  it('outside, deaf to its signal, counts, gives its place back, and is parked', async () => {
    const reasons: unknown[] = [];
    const deaf = onEvent.external({
      name: 'deaf',
      on: [contracts.created],
      async handle(event, { signal }) {
        if (event.data.text !== 'slow') return;
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        await release.promise;
      },
    });
    const { notes } = await open([deaf]);
    const hangs = await create(notes, 'a', 'slow');
    const other = await create(notes, 'b', 'quick');
    await settled('deaf', other.id, 'done');
    await parkedForTime('deaf', hangs.id, /no longer waited for/);
    assert.equal(reasons.length, 5);
  });

  it('outside does not hold up the end of the service', async () => {
    let began = 0;
    const deaf = onEvent.external({
      name: 'deaf',
      on: [contracts.created],
      async handle() {
        began += 1;
        await release.promise;
      },
    });
    const { events, notes } = await open([deaf], { externalMs: 600_000 });
    const event = await create(notes, 'a', 'slow');
    await eventually('the attempt', () => (began === 1 ? true : undefined));
    await Promise.race([events.stop(), delay(20_000).then(() => assert.fail('it does not stop'))]);
    assert.equal(await rowOf('deaf', event.id), null);
  });

  it('because MongoDB does not answer is no attempt of the handler', async (context) => {
    const { hostname, port } = new URL(process.env.MONGODB_URL ?? '');
    const link = await linkProxy(hostname, Number(port));
    context.after(() => link.close());
    const through = await MongoClient.connect(`mongodb://127.0.0.1:${link.port}/?directConnection=true`, {
      appName: world.service,
      serverSelectionTimeoutMS: 1_000,
      serverMonitoringMode: 'poll',
      heartbeatFrequencyMS: 500,
      connectTimeoutMS: 1_000,
    });
    context.after(() => through.close());
    let tries = 0;
    const writes = onEvent.transaction({
      name: 'writes',
      on: [contracts.created],
      async handle(_, { session }) {
        tries += 1;
        if (tries === 1) link.hang('requests');
        await through.db(world.database).collection('written').insertOne({ tries }, { session });
      },
    });
    const writer = world.replica({ partitions: 1 });
    const notes = writer.collection<Note>('notes', { thing: 'note' });
    await writer.start();
    const reader = world.replica({ client: through, handlers: [writes], transactionMs: 400, partitions: 1 });
    await reader.start();
    const event = await create(notes, 'a', 'a');
    await eventually('the first attempt', () => (tries === 1 ? true : undefined));
    const beganMs = performance.now();
    await eventually('longer than all attempts', () => (performance.now() - beganMs > 8_000 ? true : undefined));
    // Attempts that count would have parked it by now.
    assert.equal(await rowOf('writes', event.id), null);
    link.mend();
    // What is under way as MongoDB comes back may be out of time all the same: MongoDB answers by then, so it counts.
    await settled('writes', event.id, 'done');
    assert.equal(await count('written'), 1);
  });
});
