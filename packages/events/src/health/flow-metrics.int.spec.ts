import { faults } from '@causeway/contracts';
import { startTelemetry } from '@causeway/telemetry';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { onEvent } from '../consumer/handler.ts';
import type { Events } from '../events.ts';
import { limits } from '../recording/limits.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { heldKafka, type HeldKafka } from '../testing/held-kafka.ts';
import { readMetrics, type ScrapedMetrics } from '../testing/read-metrics.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';

const telemetry = startTelemetry({ service: 'test', version: '0', sampleRatio: 0 });
const scrape = async (): Promise<ScrapedMetrics> => readMetrics(await telemetry.metricsText());

describe('the metrics of the flow', () => {
  let world: TestWorld;
  let held: HeldKafka;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  /** What a handler waits for. */
  const blocked = Promise.withResolvers<undefined>();
  let attempts = 0;
  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    held = heldKafka(world.kafka);
    const fail = onEvent.transaction({
      name: 'fail',
      on: [contracts.created, contracts.updated],
      handle: ({ data: { text } }) =>
        text.startsWith('poison') ? Promise.reject(faults.invalidRequest()) : Promise.resolve(),
    });
    const block = onEvent.transaction({
      name: 'block',
      on: [contracts.echoed],
      handle: ({ data: { text } }) => (text === 'blocks' ? blocked.promise : Promise.resolve()),
    });
    const flaky = onEvent.external({
      name: 'flaky',
      on: [contracts.deleted],
      handle: () => (attempts++ === 0 ? Promise.reject(new Error('not yet')) : Promise.resolve()),
    });
    events = world.replica({
      kafka: held.kafka,
      handlers: [fail, block, flaky],
      sampleMs: 100,
      // A busy machine is no reason to lose a slot, or to have a transaction of this test ended.
      leaseMs: 8_000,
      abandonedAfterMs: 600_000,
    });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
  });
  after(async () => {
    held.release();
    await world.end();
  });

  const create = (id: string, text = id) =>
    notes.create(testCause(), { _id: id, state: { text }, event: draft(contracts.created, { text }) });
  const rename = (id: string, text: string) =>
    notes.update(testCause(), id, () => ({ state: { text }, event: draft(contracts.updated, { text }) }));
  const reaches = (what: string, holds: (metrics: ScrapedMetrics) => boolean) =>
    eventually(what, async () => {
      const metrics = await scrape();
      return holds(metrics) ? metrics : undefined;
    });

  it('tell how much is unpublished and how old it is, while Kafka is away and after', async () => {
    await reaches('nothing that waits', (metrics) => metrics.value('causeway_outbox_events') === 0);
    held.hold();
    for (const id of ['a', 'b', 'c']) await create(id);
    await rename('a', 'a2');
    const first = await reaches('four that wait', (metrics) => metrics.value('causeway_outbox_events') === 4);
    const age = first.value('causeway_outbox_oldest_age') ?? NaN;
    assert.ok(age >= 0, `${age}`);
    const later = await reaches('age', (metrics) => (metrics.value('causeway_outbox_oldest_age') ?? 0) > age + 0.5);
    assert.equal(later.value('causeway_outbox_events'), 4);
    assert.ok((later.value('causeway_relay_failures_total') ?? 0) > 0);
    held.release();
    // Both are counted side by side, so that one may know of it sooner.
    const isNone = (name: string) => (metrics: ScrapedMetrics) => metrics.value(name) === 0;
    await reaches('none', isNone('causeway_outbox_events'));
    await reaches('no age', isNone('causeway_outbox_oldest_age'));
  });

  it('tell the relay’s stages apart', async () => {
    await create('stages');
    const before = await reaches('the stages', (metrics) => (metrics.value('causeway_relay_latency_count') ?? 0) >= 5);
    const sum = (name: string) => before.value(`${name}_sum`) ?? NaN;
    for (const stage of ['causeway_relay_log_duration', 'causeway_relay_publish_duration']) {
      assert.equal(before.value(`${stage}_count`), before.value('causeway_relay_latency_count'), stage);
    }
    // The parts are the whole, but for roundings to milliseconds.
    const parts = sum('causeway_relay_log_duration') + sum('causeway_relay_publish_duration');
    assert.ok(Math.abs(parts - sum('causeway_relay_latency')) < 0.05, `${parts} ${sum('causeway_relay_latency')}`);
    // While Kafka was away, what waited was in the log already.
    assert.ok(sum('causeway_relay_publish_duration') > sum('causeway_relay_log_duration'));
    const destination = { messaging_destination_name: `causeway.${world.service}` };
    assert.ok((before.value('messaging_client_operation_duration_count', destination) ?? 0) > 0);
    assert.ok((before.value('messaging_client_sent_messages_total', { ...destination }) ?? 0) >= 5);
  });

  it('tell what is parked now, by handler, and its subjects', async () => {
    await reaches('nothing parked', (metrics) => metrics.value('causeway_parked_events', { handler: 'fail' }) === 0);
    await create('p', 'poison');
    await rename('p', 'behind');
    const parked = await reaches(
      'two parked',
      (metrics) => metrics.value('causeway_parked_events', { handler: 'fail' }) === 2,
    );
    assert.equal(parked.value('causeway_parked_subjects', { handler: 'fail' }), 1);
  });

  it('tell what was parked ever, and why', async () => {
    const all = await scrape();
    const parked = (why: string, handler = 'fail') => all.value('causeway_handler_parked_total', { handler, why });
    assert.deepEqual([parked('failed'), parked('behind'), parked('too-old')], [1, 1, 0]);
    assert.deepEqual([parked('failed', 'block'), parked('unreadable', '*')], [0, 0]);
  });

  it('tell how far a handler is behind that blocks, and that another is not', async () => {
    const lag = (metrics: ScrapedMetrics, handler: string) => ({
      records: metrics.value('causeway_handler_lag_records', { handler }) ?? NaN,
      age: metrics.value('causeway_handler_lag_age', { handler }) ?? NaN,
    });
    await reaches('no lag', (metrics) => lag(metrics, 'block').records === 0 && lag(metrics, 'fail').records === 0);
    const echo = (id: string, text: string) =>
      notes.create(testCause(), { _id: id, state: { text }, event: draft(contracts.echoed, { text }) });
    await echo('slow', 'blocks');
    const again = await notes.update(testCause(), 'slow', () => ({
      state: { text: 'next' },
      event: draft(contracts.echoed, { text: 'next' }),
    }));
    const first = await reaches('two behind', (metrics) => lag(metrics, 'block').records === 2);
    const { age } = lag(first, 'block');
    const later = await reaches('age', (metrics) => lag(metrics, 'block').age > age + 0.3);
    assert.deepEqual(lag(later, 'fail'), { records: 0, age: 0 });
    blocked.resolve(undefined);
    const done = await reaches('none behind', (metrics) => lag(metrics, 'block').records === 0);
    assert.equal(lag(done, 'block').age, 0);
    const row = await events.db
      .collection<{ _id: { handler: string; event: string }; status: string }>('handled')
      .findOne({ _id: { handler: 'block', event: again?.event?.id ?? '' } });
    assert.equal(row?.status, 'done');
  });

  it('tell the consumer’s stages apart, its retries and its duplicates', async () => {
    await create('gone');
    await notes.delete(testCause(), 'gone', () => draft(contracts.deleted, {}));
    const all = await reaches(
      'a retry that was handled',
      (metrics) => (metrics.value('causeway_handler_latency_count', { handler: 'flaky' }) ?? 0) === 1,
    );
    assert.equal(all.value('causeway_handler_retries_total', { handler: 'flaky' }), 1);
    assert.equal(all.value('causeway_handler_duplicates_total', { handler: 'flaky' }), 0);
    const topic = { messaging_destination_name: `causeway.${world.service}` };
    const received = all.value('messaging_client_consumed_messages_total', topic) ?? NaN;
    assert.ok(received >= 9, `${received}`);
    assert.equal(all.value('causeway_consumer_receive_latency_count', topic), received);
    const blocks = { handler: 'block' };
    assert.equal(all.value('causeway_handler_settle_duration_count', blocks), 2);
    // The second waited for the first, for the 0.3 s by which its age grew at least: the wait is in the one, not in the other.
    const [waited, took] = ['causeway_handler_settle_duration_sum', 'messaging_process_duration_sum'].map((name) =>
      all.value(name, blocks),
    );
    assert.ok((waited ?? 0) - (took ?? NaN) > 0.2, `${waited} ${took}`);
  });

  it('tell how large log and inbox are', async () => {
    const logged = await events.log.collection.countDocuments();
    const large = await reaches(
      'the log',
      (metrics) => metrics.value('causeway_collection_documents', { collection: 'events' }) === logged,
    );
    assert.ok((large.value('causeway_collection_size', { collection: 'events' }) ?? 0) > 300 * logged);
    assert.ok((large.value('causeway_collection_documents', { collection: 'handled' }) ?? 0) > 0);
  });

  it('count leases and slots, and are told by one replica alone', async () => {
    const changes = (metrics: ScrapedMetrics, change: string) =>
      metrics.value('causeway_relay_lease_changes_total', { change }) ?? NaN;
    const alone = await reaches('all slots', (metrics) => metrics.value('causeway_relay_slots') === 4);
    assert.ok(changes(alone, 'taken') >= 4);
    // Somebody takes the first slot: this replica counts no more, since another does.
    const leases = events.db.collection<{ _id: string }>('leases');
    const taking = [{ $set: { owner: 'x', epoch: { $add: ['$epoch', 1] }, expiresAt: new Date(Date.now() + 60_000) } }];
    await leases.updateOne({ _id: 'slot/0' }, taking);
    const lost = await reaches(
      'silence about what waits, and one slot less',
      (metrics) => metrics.value('causeway_outbox_events') === undefined && metrics.value('causeway_relay_slots') === 3,
    );
    assert.ok(changes(lost, 'lost') >= 1);
    await leases.updateOne({ _id: 'slot/0' }, [{ $set: { owner: null, expiresAt: '$$NOW' } }]);
    await reaches('its return', (metrics) => metrics.value('causeway_outbox_events') === 0);
  });

  it('count pulls that did not get through', async () => {
    const failures = async () => (await scrape()).value('causeway_relay_pull_failures_total') ?? NaN;
    const before = await failures();
    held.hold();
    await create('held');
    const session = world.client.startSession();
    session.startTransaction();
    const raw = world.client.db(world.database).collection<{ _id: string }>('notes');
    await raw.updateOne({ _id: 'held' }, { $set: { text: 'changed' } }, { session });
    held.release();
    await eventually('a pull that failed', async () => ((await failures()) > before ? true : undefined));
    await session.abortTransaction();
    await session.endSession();
    await reaches('an empty outbox', (metrics) => metrics.value('causeway_outbox_events') === 0);
  });

  it('count writes that are refused, since the document has too much to publish', async () => {
    const refused = async () => (await scrape()).value('causeway_outbox_refused_total');
    assert.equal(await refused(), 0);
    await create('full');
    await eventually('an empty outbox', async () =>
      (await notes.native.findOne({ _id: 'full' }))?.outbox.length === 0 ? true : undefined,
    );
    held.hold();
    for (let turn = 0; turn < limits.outboxEvents; turn += 1) await rename('full', `turn ${turn}`);
    await assert.rejects(rename('full', 'too much'), { code: 'unavailable', status: 503 });
    assert.equal(await refused(), 1);
    held.release();
    await reaches('an empty outbox', (metrics) => metrics.value('causeway_outbox_events') === 0);
    assert.notEqual(await rename('full', 'again'), undefined);
  });

  it('are those that the documentation tells of, and no others', async () => {
    const text = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
    const rows = text.split('\n').filter((line) => line.startsWith('| `'));
    const told = rows.flatMap((line) =>
      [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    );
    // Nobody has scheduled or removed anything here; what is about signing in is for those who sign in, and records expire, are followed and cached in data alone.
    const unused = /^causeway_(?:timers_|retention_reaped|auth_|revocations_|expiry_|data_|cache_)/;
    // What is counted is told while this replica leads the first slot, and its last count is not too old.
    const { names } = await reaches('a count', (metrics) => metrics.value('causeway_outbox_events') !== undefined);
    const exported = [...names].filter((name) => /^(?:causeway|messaging)_/.test(name));
    assert.deepEqual(
      exported.filter((name) => !unused.test(name)).sort(),
      [...new Set(told)].filter((name) => !unused.test(name)).sort(),
    );
  });
});
