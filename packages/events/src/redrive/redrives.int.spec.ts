import { Fault, newEventId, type Cause } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Filter } from 'mongodb';

import { onEvent } from '../consumer/handler.ts';
import { createInbox, type HandledRow } from '../consumer/inbox.ts';
import { createParking } from '../consumer/parking.ts';
import type { Events } from '../events.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import type { Redrive, RedriveRequest, Redrives } from './redrives.ts';

interface Tally {
  readonly _id: string;
  readonly texts: readonly string[];
}

describe('what is parked', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  /** Texts with which the handlers fail, as long as they are in here. */
  const broken = new Set<string>();
  const admin: Cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ADMIN' } };

  const failing = (text: string): void => {
    if (broken.has(text)) throw new Fault({ code: 'bad', category: 'unprocessable', title: 'Bad', description: '' });
  };
  const handlers = () => [
    onEvent.transaction({
      name: 'tally',
      on: [contracts.created, contracts.updated],
      async handle(event, { session }) {
        failing(event.data.text);
        // In the order of its effects; an effect that took place twice would stand there twice.
        await events.db
          .collection<Tally>('tallies')
          .updateOne({ _id: event.subject }, { $push: { texts: event.data.text } }, { upsert: true, session });
      },
    }),
    onEvent.transaction({
      name: 'loose',
      order: 'commutative',
      on: [contracts.echoed],
      handle(event) {
        failing(event.data.text);
        return Promise.resolve();
      },
    }),
  ];
  const redrivesOf = (replica: Events): Redrives => replica.redrives ?? assert.fail('there are handlers');
  const create = (id: string, text: string, contract = contracts.created) =>
    notes.create(testCause(), { _id: id, state: { text }, event: draft(contract, { text }) });
  const rename = async (id: string, text: string): Promise<string> => {
    const write = await notes.update(testCause(), id, () => ({
      state: { text },
      event: draft(contracts.updated, { text }),
    }));
    return write?.event?.id ?? assert.fail();
  };
  const rows = () => events.db.collection<HandledRow>('handled');
  const settled = (event: string, status: string, handler = 'tally') =>
    eventually(`${event} ${status}`, async () => {
      const row = await rows().findOne({ _id: { handler, event } });
      return row?.status === status ? row : undefined;
    });
  const textsOf = async (id: string): Promise<readonly string[]> =>
    (await events.db.collection<Tally>('tallies').findOne({ _id: `note/${id}` }))?.texts ?? [];
  const ended = (id: string): Promise<Redrive> =>
    eventually(`the end of ${id}`, async () => {
      const redrive = await redrivesOf(events).find(id);
      return redrive?.status === 'ended' ? redrive : undefined;
    });
  const redriven = async (request: Omit<RedriveRequest, 'handler'>, handler = 'tally'): Promise<Redrive> =>
    ended((await redrivesOf(events).request(admin, { handler, ...request })).redrive.id);
  const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;
  /** A subject whose first event fails; the others wait behind it. */
  const parkedSubject = async (id: string, ...behind: readonly string[]): Promise<string[]> => {
    broken.add(`bad ${id}`);
    const { event } = await create(id, `bad ${id}`);
    await settled(event.id, 'parked');
    const ids = [event.id];
    for (const text of behind) ids.push(await rename(id, text));
    for (const each of ids) await settled(each, 'parked');
    return ids;
  };

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    events = world.replica({ handlers: handlers() });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    await world.follow();
  });
  after(() => world.end());

  it('is listed by handler and subject, in order, page by page, with why', async () => {
    const ids = await parkedSubject('l1', 'l1 second');
    const all = await redrivesOf(events).list({ handler: 'tally', limit: 10 });
    const own = all.filter(({ subject }) => subject === 'note/l1');
    assert.deepEqual(
      own.map(({ eventId, attempts, error, type }) => [eventId, attempts, error?.category, type]),
      [
        [ids[0], 1, 'unprocessable', contracts.created.type],
        [ids[1], 0, undefined, contracts.updated.type],
      ],
    );
    const [first] = await redrivesOf(events).list({ limit: 1 });
    const [second] = await redrivesOf(events).list({ after: first, limit: 1 });
    assert.deepEqual([first, second], all.slice(0, 2));
    const one = await redrivesOf(events).list({ eventId: ids[1], limit: 10 });
    assert.deepEqual(
      one.map(({ handler, eventId }) => [handler, eventId]),
      [['tally', ids[1]]],
    );
    assert.deepEqual(await redrivesOf(events).list({ handler: 'loose', limit: 10 }), []);
    await assert.rejects(redrivesOf(events).list({ handler: 'nobody', limit: 10 }), (error: unknown) => {
      assert.ok(isFault('unknown-handler')(error));
      assert.equal((error as Fault).detail, 'It has tally, loose.');
      return true;
    });
  });

  it('has its effect once it is redriven, in order, and its subject goes on', async () => {
    const ids = await parkedSubject('s1', 's1 second', 's1 third');
    broken.delete('bad s1');
    const extent = await redrivesOf(events).extent({ handler: 'tally', eventId: ids[1] ?? '', scope: 'subject' });
    assert.deepEqual(extent, { events: 3, subjects: 1 });
    const end = await redriven({ eventId: ids[1] ?? '', scope: 'subject' });
    assert.deepEqual([end.redriven, end.failed], [3, 0]);
    assert.deepEqual(await textsOf('s1'), ['bad s1', 's1 second', 's1 third']);
    await settled(await rename('s1', 's1 fourth'), 'done');
    assert.deepEqual((await textsOf('s1')).at(-1), 's1 fourth');
    const row = await settled(ids[0] ?? '', 'done');
    assert.deepEqual([row.attempts, row.redrive, row.payload, row.error], [2, end.id, undefined, undefined]);
  });

  it('records who wanted it, and what came of it', async () => {
    const [first = ''] = await parkedSubject('r1');
    broken.delete('bad r1');
    const { redrive, eventId } = await redrivesOf(events).request(admin, {
      handler: 'tally',
      eventId: first,
      scope: 'event',
    });
    await ended(redrive.id);
    const told = await eventually('both events', () => {
      const found = world.events().filter(({ subject }) => subject === `redrive/${redrive.id}`);
      return found.length === 2 ? found : undefined;
    });
    const [requested, end] = told;
    assert.equal(requested?.id, eventId);
    assert.deepEqual(
      [requested.type, end?.type],
      [`${world.service}.redrive.requested`, `${world.service}.redrive.ended`],
    );
    for (const each of told) assert.deepEqual([each.authid, each.correlationid], ['usr_ADMIN', admin.correlationId]);
    assert.equal(end?.causationid, eventId);
    assert.deepEqual(end.data, { redriveId: redrive.id, handler: 'tally', redriven: 1, failed: 0 });
  });

  it('is taken up to one event where one is asked for; what is behind it stays', async () => {
    const ids = await parkedSubject('u1', 'u1 second', 'u1 third');
    broken.delete('bad u1');
    const end = await redriven({ eventId: ids[1] ?? '', scope: 'event' });
    assert.equal(end.redriven, 2);
    assert.deepEqual(await textsOf('u1'), ['bad u1', 'u1 second']);
    await settled(ids[2] ?? '', 'parked');
    await settled(await rename('u1', 'u1 fourth'), 'parked');
    await redriven({ eventId: ids[2] ?? '', scope: 'subject' });
    assert.deepEqual(await textsOf('u1'), ['bad u1', 'u1 second', 'u1 third', 'u1 fourth']);
  });

  it('stays where it fails again, with what is behind it; other subjects of the handler are redriven', async () => {
    const [stuck = '', behind = ''] = await parkedSubject('h1', 'h1 second');
    const [free = ''] = await parkedSubject('h2', 'h2 second');
    broken.delete('bad h2');
    const end = await redriven({ eventId: free, scope: 'handler', ratePerSecond: 500 });
    assert.ok(end.redriven >= 2 && end.failed >= 1, JSON.stringify(end));
    assert.deepEqual(await textsOf('h2'), ['bad h2', 'h2 second']);
    assert.equal((await settled(stuck, 'parked')).attempts, 2);
    await settled(behind, 'parked');
    assert.deepEqual(await textsOf('h1'), []);
  });

  it('goes no faster than it was asked to', async () => {
    const count = 6;
    const [first = ''] = await parkedSubject('p1', ...Array.from({ length: count - 1 }, (_, index) => `p1 ${index}`));
    broken.delete('bad p1');
    const began = performance.now();
    const end = await redriven({ eventId: first, scope: 'subject', ratePerSecond: 4 });
    const tookMs = performance.now() - began;
    assert.deepEqual([end.redriven, end.failed], [count, 0]);
    // Between the first and the last; timers may be a millisecond early.
    assert.ok(tookMs >= (count - 1) * 245, `${Math.round(tookMs)} ms`);
    assert.equal((await textsOf('p1')).length, count);
  });

  it('loses nothing and passes nothing while more of the subject comes', async () => {
    const [first = ''] = await parkedSubject('b1');
    broken.delete('bad b1');
    const count = 60;
    const writing = (async () => {
      for (let index = 1; index <= count; index += 1) await rename('b1', `b1 ${index}`);
    })();
    const redrive = async (): Promise<void> => {
      const request = { handler: 'tally', eventId: first, scope: 'subject', ratePerSecond: 1_000 } as const;
      await ended((await redrivesOf(events).request(admin, request)).redrive.id);
    };
    await redrive();
    await writing;
    const texts = await eventually('all effects', async () => {
      const found = await textsOf('b1');
      return found.length > count ? found : undefined;
    });
    assert.deepEqual(texts, ['bad b1', ...Array.from({ length: count }, (_, index) => `b1 ${index + 1}`)]);
    assert.equal(await events.db.collection('lanes').findOne({ '_id.subject': 'note/b1' } as never), null);
  });

  it('keeps its subject closed where one more comes just before it is opened', async () => {
    const inbox = createInbox(events.db, () => new Date());
    const wiring = { db: events.db, now: () => new Date(), transaction: events.transaction };
    const consumer = createParking({ ...wiring, inbox });
    const { event } = await create('t1', 'late');
    const late = { ...event, id: newEventId(), sequence: '0000000000000002' };
    const lanes = events.db.collection<{ _id: { handler: string; subject: string }; tail: number }>('lanes');
    const _id = { handler: 'tally', subject: late.subject };
    await lanes.insertOne({ _id, tail: 1 });
    const { collection } = inbox;
    // Between the look at what is parked and the end of the lane.
    const findOne = async (filter: Filter<HandledRow>) => {
      const found = await collection.findOne(filter);
      assert.ok(await consumer.join('tally', late));
      return found;
    };
    const hooked = { ...inbox, collection: { findOne } as unknown as typeof collection };
    assert.equal(await createParking({ ...wiring, inbox: hooked }).close('tally', late.subject), false);
    assert.equal((await lanes.findOne({ _id }))?.tail, 2);
    await settled(late.id, 'parked');
  });

  it('takes its turn: none is taken out before an earlier one of its subject', async () => {
    const [first = '', second = ''] = await parkedSubject('o1', 'o1 second');
    const inbox = createInbox(events.db, () => new Date());
    const { payload } = await settled(second, 'parked');
    assert.ok(payload);
    const claim = { attempts: 1, ordered: true, redrive: 'rdr_none' };
    const take = () => events.transaction((session) => inbox.claimParked('tally', payload, claim, session));
    await assert.rejects(take(), { name: 'NotItsTurn' });
    await settled(second, 'parked');
    await redrivesOf(events).discard(admin, { handler: 'tally', eventId: first }, 'It goes first.');
    await take();
    await settled(second, 'done');
  });

  it('is redriven one by one where order does not matter', async () => {
    broken.add('bad c');
    const parked = await Promise.all(['c1', 'c2'].map((id) => create(id, 'bad c', contracts.echoed)));
    for (const { event } of parked) await settled(event.id, 'parked', 'loose');
    broken.delete('bad c');
    const [one, other] = parked.map(({ event }) => event.id);
    const end = await redriven({ eventId: one ?? '', scope: 'event' }, 'loose');
    assert.deepEqual([end.redriven, end.failed], [1, 0]);
    await settled(other ?? '', 'parked', 'loose');
    assert.equal((await redriven({ eventId: other ?? '', scope: 'handler' }, 'loose')).redriven, 1);
    await settled(other ?? '', 'done', 'loose');
  });

  it('is discarded for a reason that is recorded; what is behind it can be redriven then', async () => {
    const [first = '', second = ''] = await parkedSubject('d1', 'd1 second');
    const eventId = await redrivesOf(events).discard(admin, { handler: 'tally', eventId: first }, 'It cannot be.');
    const row = await settled(first, 'discarded');
    assert.deepEqual([row.reason, row.payload], ['It cannot be.', undefined]);
    const told = await eventually('the event', () => world.events().find(({ id }) => id === eventId));
    const about = { handler: 'tally', eventId: first, subject: 'note/d1', reason: 'It cannot be.' };
    assert.deepEqual([told.data, told.authid], [about, 'usr_ADMIN']);
    await redriven({ eventId: second, scope: 'subject' });
    assert.deepEqual(await textsOf('d1'), ['d1 second']);
    const [only = ''] = await parkedSubject('d2');
    await redrivesOf(events).discard(admin, { handler: 'tally', eventId: only }, 'It cannot be.');
    await settled(await rename('d2', 'd2 second'), 'done');
  });

  it('is refused what makes no sense, and nothing happens twice', async () => {
    const ids = await parkedSubject('x1', ...Array.from({ length: 5 }, (_, index) => `x1 ${index}`));
    const [first = '', last = ''] = [ids[0], ids.at(-1)];
    const own = redrivesOf(events);
    const request = { handler: 'tally', eventId: first, scope: 'subject' } as const;
    await assert.rejects(own.request(admin, { ...request, eventId: newEventId() }), isFault('not-found'));
    await assert.rejects(own.discard(admin, { handler: 'tally', eventId: newEventId() }, 'x'), isFault('not-found'));
    const { payload } = await settled(first, 'parked');
    assert.ok(payload);
    await rows().updateOne(
      { _id: { handler: 'gone', event: first } },
      { $set: { payload, status: 'parked', subject: 'note/x1', sequence: '1', at: new Date() } },
      { upsert: true },
    );
    await assert.rejects(own.request(admin, { ...request, handler: 'gone' }), isFault('handler-gone'));
    await own.discard(admin, { handler: 'gone', eventId: first }, 'Its handler is gone.');
    assert.deepEqual(await own.list({ handler: 'gone', limit: 10 }), [], 'it is remembered');
    assert.deepEqual(await own.list({ handler: '*', limit: 10 }), []);
    const inbox = createInbox(events.db, () => new Date());
    const parking = createParking({ db: events.db, inbox, now: () => new Date(), transaction: events.transaction });
    await parking.parkBytes('topic/0/1', Buffer.from('what?'), { name: 'MalformedEvent', message: 'no event' });
    const bytes = { handler: '*', eventId: 'topic/0/1', scope: 'event' } as const;
    await assert.rejects(own.request(admin, bytes), isFault('unreadable'));
    await assert.rejects(own.extent(bytes), isFault('unreadable'));
    await own.discard(admin, bytes, 'It is no event.');
    broken.delete('bad x1');
    const { redrive } = await own.request(admin, { ...request, ratePerSecond: 1 });
    for (const scope of ['event', 'subject', 'handler'] as const)
      await assert.rejects(own.request(admin, { ...request, scope, eventId: last }), isFault('redrive-running'));
    await ended(redrive.id);
    await assert.rejects(own.request(admin, request), isFault('not-parked'));
    await assert.rejects(own.discard(admin, { handler: 'tally', eventId: first }, 'x'), isFault('not-parked'));
    assert.equal((await textsOf('x1')).length, 6);
  });

  it('is taken up by another replica where the one at work goes', async () => {
    const texts = Array.from({ length: 12 }, (_, index) => `k1 ${index}`);
    const [first = ''] = await parkedSubject('k1', ...texts);
    broken.delete('bad k1');
    const other = world.replica({ handlers: handlers() });
    other.collection<Note>('notes', { thing: 'note' });
    await other.start();
    const request = { handler: 'tally', eventId: first, scope: 'subject', ratePerSecond: 2 } as const;
    const { redrive } = await redrivesOf(other).request(admin, request);
    await eventually('a beginning', async () => ((await textsOf('k1')).length > 1 ? true : undefined));
    await other.stop();
    assert.ok((await textsOf('k1')).length < texts.length, 'it was still at work');
    // As a replica that is killed leaves it.
    const leases = events.db.collection<{ _id: string }>('redriving');
    await leases.updateOne({ _id: redrive.id }, { $set: { redriven: 0 } });
    const end = await ended(redrive.id);
    assert.deepEqual([end.redriven, end.failed], [13, 0]);
    assert.deepEqual(await textsOf('k1'), ['bad k1', ...texts]);
  });
});
