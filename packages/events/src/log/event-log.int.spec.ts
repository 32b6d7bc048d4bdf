import { newEventId, type EventEnvelope } from '@causeway/contracts';
import { MongoClient, type Document, type Sort } from 'mongodb';
import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';

import { openWorld, type TestWorld } from '../testing/test-events.ts';
import { createEventLog, type EventLog, type LoggedEvent } from './event-log.ts';
import type { EventQuestion, LogPlaces } from './find-events.ts';
import { pageBytes } from './log-page.ts';

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
    const first = await log.findEvents({ correlationId }, new Map(), { events: 4 });
    assert.deepEqual(
      idsOf(first.rows),
      own.slice(0, 4).map(({ id }) => id),
    );
    assert.equal(first.more, true);
    const late = eventOf(correlationId, 'late', early);
    await append(0, [late]);
    const second = await log.findEvents({ correlationId }, placesAfter(new Map(), first.rows), { events: 3 });
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
      const page = await log.findEvents({ correlationId }, places, { events: 200 });
      assert.ok(sizeBytesOf(page.rows) <= pageBytes);
      listed.push(...page.rows);
      more = page.more;
    }
    assert.deepEqual(
      idsOf(listed),
      large.map(({ id }) => id),
    );
    const small = await log.findEvents({ correlationId }, new Map(), { events: 200, bytes: 1 });
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
    const base = Math.floor(Date.now() / 1_000) * 1_000 - 3_600_000;
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
    assert.deepEqual(await since(20.5), { from: 3, to: 8 }, 'rows know whole seconds');
    assert.deepEqual(await since(21), { from: 4, to: 8 });
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

  describe('asked for some of many events', () => {
    const [ada, bob, carol] = ['usr_ada', 'usr_bob', 'usr_carol'];
    const correlationId = newEventId();
    const created = 'test.note.created';
    const renamed = 'test.note.renamed';
    const pinned = 'test.note.pinned';
    let all: readonly LoggedEvent[] = [];
    before(async () => {
      // Of Bob there are many, of Ada few; nearly all that is pinned is Carol's. Everything is in every slot.
      const causerOf = (index: number): string => {
        if (index % 5 === 2 && index % 200 !== 2) return carol;
        return index % 50 === 1 ? ada : bob;
      };
      const make = (index: number): EventEnvelope => ({
        ...eventOf(index % 40 === 0 ? correlationId : newEventId()),
        type: index % 5 === 2 ? pinned : index % 3 === 0 ? renamed : created,
        subject: `note/${index % 100}`,
        ...(index % 7 === 0 ? {} : { authtype: 'app_user', authid: causerOf(index) }),
      });
      for (let slot = 4; slot < 8; slot += 1)
        await append(
          slot,
          Array.from({ length: 600 }, (_, index) => make(index)),
        );
      const rows = await log.collection.find({ slot: { $gte: 4 } }).toArray();
      all = rows.sort((left, right) => left.slot - right.slot || left.pos - right.pos);
    });

    const questions: readonly (readonly [string, EventQuestion])[] = [
      ['a correlation', { correlationId }],
      ['a subject', { subject: 'note/17' }],
      ['a type', { types: [renamed] }],
      ['several types', { types: [renamed, created, 'test.note.deleted'] }],
      ['a type, by a person', { types: [renamed], causedBy: ada }],
      ['several types, by a person', { types: [renamed, created], causedBy: ada }],
      ['several types, by a busy person', { types: [renamed, created], causedBy: bob }],
      ['a common type, by a person who is busy with others', { types: [pinned], causedBy: bob }],
      ['a subject, by a person', { subject: 'note/1', causedBy: ada }],
      ['a type of a subject', { subject: 'note/17', types: [created] }],
      ['a type of a correlation', { correlationId, types: [renamed] }],
      ['all at once', { correlationId, subject: 'note/40', types: [created], causedBy: bob }],
      ['nothing that is there', { types: ['test.note.burnt'] }],
    ];

    const isMeant = ({ correlationId, subject, types, causedBy }: EventQuestion, { event }: LoggedEvent): boolean =>
      (correlationId === undefined || event.correlationid === correlationId) &&
      (subject === undefined || event.subject === subject) &&
      (types === undefined || types.includes(event.type)) &&
      (causedBy === undefined || (event.authid === causedBy && event.authtype === 'app_user'));

    for (const [name, question] of questions) {
      it(`gives those of ${name}, each once and in order, page by page`, async () => {
        const expected = all.filter((row) => isMeant(question, row));
        const isOfThisTest = ({ slot }: LoggedEvent): boolean => slot >= 4;
        const found: LoggedEvent[] = [];
        for (let places: LogPlaces = new Map(), more = true; more; places = placesAfter(places, found)) {
          const page = await log.findEvents(question, places, { events: 97 });
          assert.ok(page.rows.length <= 97);
          found.push(...page.rows);
          more = page.more;
        }
        assert.deepEqual(idsOf(found.filter(isOfThisTest)), idsOf(expected));
      });
    }

    it('looks at no more than it gives, and the one behind, whatever it is asked for', async () => {
      const client = new MongoClient(process.env.MONGODB_URL ?? '', { monitorCommands: true });
      const watched = createEventLog(client.db(world.database), () => new Date());
      const commands: Document[] = [];
      client.on('commandStarted', ({ command }) => command.find === 'events' && commands.push(command));
      try {
        for (const [name, question] of questions) {
          commands.length = 0;
          const { rows } = await watched.findEvents(question, new Map([[4, 100]]), { events: 10 });
          let examined = 0;
          for (const { filter, sort, limit } of commands) {
            const explained = await log.collection
              .find(filter as Document)
              .sort(sort as Sort)
              .limit(Number(limit))
              .explain('executionStats');
            const plan = JSON.stringify((explained.queryPlanner as { winningPlan: unknown }).winningPlan);
            assert.doesNotMatch(plan, /"stage":"COLLSCAN"/, name);
            examined += (explained.executionStats as { totalDocsExamined: number }).totalDocsExamined;
          }
          // A second condition is looked up in the events that the first has found: here a correlation's 15, a subject's 6 of a slot.
          assert.ok(examined <= 2 * rows.length + 40, `${name}: ${examined} for ${rows.length}`);
        }
      } finally {
        await client.close();
      }
    });
  });
});
