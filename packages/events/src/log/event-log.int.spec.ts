import { newEventId, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openWorld, type TestWorld } from '../testing/test-events.ts';
import { createEventLog, pageBytes, type EventLog, type LoggedEvent, type LogPlaces } from './event-log.ts';

const eventOf = (correlationid: string, text = 'short', id = newEventId()): EventEnvelope => ({
  specversion: '1.0',
  id,
  type: 'test.note.created',
  source: '/causeway/test',
  subject: `note/${id}`,
  sequence: '0000000000000001',
  time: new Date().toISOString(),
  datacontenttype: 'application/json',
  dataschema: 'urn:causeway:event:test.note.created:1',
  correlationid,
  authtype: 'system',
  data: { text },
});

const placesAfter = (places: LogPlaces, rows: readonly LoggedEvent[]): LogPlaces =>
  new Map([...places, ...rows.map(({ slot, pos }) => [slot, pos] as const)]);

const idsOf = (rows: readonly LoggedEvent[]): string[] => rows.map(({ event }) => event.id);

describe('the log of events', () => {
  let world: TestWorld;
  let log: EventLog;
  before(async () => {
    world = await openWorld();
    log = createEventLog(world.client.db(world.database), () => new Date());
    await log.createIndexes();
  });
  after(() => world.end());

  const append = async (slot: number, events: readonly EventEnvelope[]): Promise<void> => {
    const next = new Map([[slot, (await log.lastPosition(slot)) + 1]]);
    await log.append(
      events.map((event) => ({ slot, event })),
      next,
    );
  };

  it('is listed by correlation in pages, and what is logged late is in the next, however old its id is', async () => {
    const correlationId = newEventId();
    const early = newEventId();
    const own = Array.from({ length: 6 }, () => eventOf(correlationId));
    await append(0, own.slice(0, 3));
    await append(0, [eventOf(newEventId())]);
    await append(3, own.slice(3));
    const first = await log.findByCorrelation(correlationId, new Map(), { events: 4 });
    assert.deepEqual(
      idsOf(first.rows),
      own.slice(0, 4).map(({ id }) => id),
    );
    assert.equal(first.more, true);
    const late = eventOf(correlationId, 'late', early);
    await append(0, [late]);
    const second = await log.findByCorrelation(correlationId, placesAfter(new Map(), first.rows), { events: 3 });
    assert.deepEqual(
      idsOf(second.rows),
      [late, ...own.slice(4)].map(({ id }) => id),
    );
    assert.equal(second.more, false, 'a page that is just full is the last all the same');
  });

  it('gives large events in pages of bounded bytes, by correlation and by slot', async () => {
    const correlationId = newEventId();
    const large = Array.from({ length: 20 }, () => eventOf(correlationId, 'x'.repeat(500_000)));
    const sizeBytesOf = (rows: readonly LoggedEvent[]): number =>
      rows.reduce((sum, { event }) => sum + Buffer.byteLength(JSON.stringify(event)), 0);
    await append(1, large.slice(0, 10));
    await append(2, large.slice(10));

    const listed: LoggedEvent[] = [];
    for (let places: LogPlaces = new Map(), more = true; more; places = placesAfter(places, listed)) {
      const page = await log.findByCorrelation(correlationId, places, { events: 200 });
      assert.ok(sizeBytesOf(page.rows) <= pageBytes);
      listed.push(...page.rows);
      more = page.more;
    }
    assert.deepEqual(
      idsOf(listed),
      large.map(({ id }) => id),
    );
    const small = await log.findByCorrelation(correlationId, new Map(), { events: 200, bytes: 1 });
    assert.deepEqual([small.rows.length, small.more], [1, true], 'never none: there is an end');

    const read: LoggedEvent[] = [];
    for (;;) {
      const rows = await log.read(1, (read.at(-1)?.pos ?? 0) + 1, 500);
      if (rows.length === 0) break;
      assert.ok(sizeBytesOf(rows) <= pageBytes);
      read.push(...rows);
    }
    assert.deepEqual(idsOf(read), idsOf(listed.slice(0, 10)));
  });

  it('tells where a part of a slot lies: since a time, up to an event, after what has been forgotten', async () => {
    const slot = 9;
    const base = Date.now() - 3_600_000;
    // The fifth was logged by a leader whose clock is two seconds behind.
    const times = [0, 10, 20, 40, 38, 50, 60, 70].map((second) => new Date(base + second * 1_000));
    const rows = times.map((at, index): LoggedEvent => {
      const event = eventOf(newEventId());
      return { _id: event.id, slot, pos: index + 1, at, event };
    });
    await log.collection.insertMany(rows);
    const since = (second: number) => log.extent({ slot, since: new Date(base + second * 1_000) });
    assert.deepEqual(await log.extent({ slot }), { from: 1, to: 8 });
    assert.deepEqual(await since(-5), { from: 1, to: 8 });
    assert.deepEqual(await since(20), { from: 3, to: 8 });
    assert.deepEqual(await since(20.5), { from: 4, to: 8 });
    assert.deepEqual(await since(39), { from: 4, to: 8 });
    assert.deepEqual(await since(41), { from: 6, to: 8 });
    assert.deepEqual(await since(71), { from: 9, to: 8 }, 'nothing');
    assert.deepEqual(await log.extent({ slot, upTo: rows[4]?._id }), { from: 1, to: 5 });
    assert.deepEqual(await log.extent({ slot, upTo: newEventId() }), { from: 1, to: 8 }, 'it knows no such event');
    assert.deepEqual(await log.extent({ slot: 10, since: times[0] }), { from: 1, to: 0 }, 'an empty slot');
    await log.collection.deleteMany({ slot, pos: { $lte: 3 } });
    assert.deepEqual(await log.extent({ slot }), { from: 4, to: 8 });
    assert.deepEqual(await since(0), { from: 4, to: 8 });
  });

  it('finds the events of a correlation by an index alone', async () => {
    const { queryPlanner } = await log.collection
      .find({ 'event.correlationid': 'c', slot: 1, pos: { $gt: 3 } })
      .sort({ 'event.correlationid': 1, slot: 1, pos: 1 })
      .explain('queryPlanner');
    const plan = JSON.stringify((queryPlanner as { winningPlan: unknown }).winningPlan);
    assert.match(plan, /"indexName":"event\.correlationid_1_slot_1_pos_1"/);
    assert.doesNotMatch(plan, /"stage":"(?:SORT|COLLSCAN)"/);
  });
});
