import { Fault, newEventId, type Cause, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { onEvent, type Handler } from '../consumer/handler.ts';
import { retentionPeriods } from '../retention/retention-periods.ts';
import type { HandledRow } from '../consumer/inbox.ts';
import type { Events } from '../events.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import { slotOf } from '../relay/slot.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import type { Replay, ReplayRequest, Replays } from './replays.ts';

interface Tally {
  readonly _id: string;
  readonly texts: readonly string[];
}

describe('a replay', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  const admin: Cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ADMIN' } };
  /** Texts with which `late` fails. */
  const broken = new Set<string>();
  const sent: string[] = [];
  /** When the first replica, which has one handler, had handled what there was. */
  let halfTime: Date;

  const tallyTo = (name: string): Handler =>
    onEvent.transaction({
      name,
      on: [contracts.created, contracts.updated],
      async handle({ subject, data: { text } }, { session }) {
        if (broken.has(text))
          throw new Fault({ code: 'bad', category: 'unprocessable', title: 'Bad', description: '' });
        // In the order of its effects; an effect that took place twice would stand there twice.
        await world.client
          .db(world.database)
          .collection<Tally>(name)
          .updateOne({ _id: subject }, { $push: { texts: text } }, { upsert: true, session });
      },
    });
  const first = () => [tallyTo('tally')];
  const all = () => [
    tallyTo('tally'),
    tallyTo('late'),
    onEvent.projection({
      name: 'copy',
      on: [contracts.created, contracts.updated],
      collection: 'copies',
      project: ({ subject, data: { text } }) => ({ _id: subject, set: { text } }),
    }),
    onEvent.external({
      name: 'mail',
      on: [contracts.created],
      handle: ({ id }) => {
        sent.push(id);
        return Promise.resolve();
      },
    }),
  ];
  const replica = (handlers: Handler[]): Events => {
    const made = world.replica({ handlers });
    notes = made.collection<Note>('notes', { thing: 'note' });
    return made;
  };
  const write = async (id: string, texts: readonly string[]): Promise<EventEnvelope[]> => {
    const [head = '', ...tail] = texts;
    const created = { _id: id, state: { text: head }, event: draft(contracts.created, { text: head }) };
    const written = [(await notes.create(testCause(), created)).event];
    for (const text of tail) {
      const state = { text };
      const write = await notes.update(testCause(), id, () => ({ state, event: draft(contracts.updated, { text }) }));
      written.push(write?.event ?? assert.fail());
    }
    return written;
  };
  const textsOf = async (handler: string, id: string): Promise<readonly string[]> =>
    (await events.db.collection<Tally>(handler).findOne({ _id: `note/${id}` }))?.texts ?? [];
  const rowOf = (handler: string, event: string) =>
    events.db.collection<HandledRow>('handled').findOne({ _id: { handler, event } });
  const settled = (handler: string, event: string | undefined) =>
    eventually(`${handler} of ${event ?? '?'}`, async () => (await rowOf(handler, event ?? '')) ?? undefined);
  const copyOf = (id: string) =>
    events.db.collection<{ _id: string; text?: string; seq: string }>('copies').findOne({ _id: `note/${id}` });
  /** A replay takes what the group has committed, which it does a moment after the effect. */
  const committed = (event: EventEnvelope | undefined) =>
    eventually('a commit', async () => {
      const positions = events.db.collection<{ _id: string; event: string }>('positions');
      return (await positions.findOne({ event: event?.id ?? '' })) ?? undefined;
    });
  /** What is logged is known by whole seconds. */
  const nextSecond = (): Promise<Date> => {
    const next = Math.ceil(Date.now() / 1_000) * 1_000;
    return eventually('the next second', () => (Date.now() > next ? new Date(next) : undefined));
  };
  const of = (replica: Events): Replays => replica.replays ?? assert.fail('there are handlers');
  const ended = (id: string): Promise<Replay> =>
    eventually(`the end of ${id}`, async () => {
      const replay = await of(events).find(id);
      return replay?.status === 'ended' ? replay : undefined;
    });
  const replayed = async (request: ReplayRequest): Promise<Replay> =>
    ended((await of(events).request(admin, { ratePerSecond: 1_000, ...request })).replay.id);
  const outcome = ({ seen, done, skipped, tooOld, failed }: Replay) => ({ seen, done, skipped, tooOld, failed });
  const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

  let rounds = 0;
  /** Writes events of four subjects, and has `late` forget that it has handled them. */
  const toDo = async (count: number): Promise<{ readonly since: Date; readonly inOrder: () => Promise<void> }> => {
    // What was logged before in the same second would be counted among it.
    const since = await nextSecond();
    rounds += 1;
    const ids = [0, 1, 2, 3].map((index) => `w${rounds}-${index}`);
    const texts = Array.from({ length: count / ids.length }, (_, index) => String(index));
    const written = (await Promise.all(ids.map((id) => write(id, texts)))).flat().map(({ id }) => id);
    for (const id of written) await settled('late', id);
    await eventually('the commits', async () => {
      const { events: found } = await of(events).extent({ handler: 'late', since });
      return found >= count || undefined;
    });
    const handled = events.db.collection<HandledRow>('handled');
    await handled.deleteMany({ '_id.handler': 'late', '_id.event': { $in: written } });
    await events.db.collection<Tally>('late').deleteMany({ _id: { $in: ids.map((id) => `note/${id}`) } });
    const inOrder = async () => {
      for (const id of ids) assert.deepEqual(await textsOf('late', id), texts);
    };
    return { since, inOrder };
  };
  const begun = (id: string, least: number) =>
    eventually('its beginning', async () => {
      const done = await events.db
        .collection<Tally>('late')
        .find({ _id: /^note\/w/ })
        .toArray();
      assert.equal((await of(events).find(id))?.status, 'running');
      return done.flatMap(({ texts }) => texts).length >= least || undefined;
    });

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    events = replica(first());
    await events.start();
    await write('a', ['a1', 'a2']);
    await settled('tally', (await write('b', ['b1'])).at(-1)?.id);
    halfTime = await nextSecond();
    const [, , last] = await write('a2', ['c1', 'c2', 'c3']);
    await settled('tally', last?.id);
    await committed(last);
    await events.stop();
    events = replica(all());
    await events.start();
    await world.follow();
  });
  after(() => world.end());

  it('gives a handler what came since a time, in order, and what has had its effect not again', async () => {
    assert.deepEqual(await textsOf('late', 'a2'), [], 'it was not there when that was published');
    const request = { since: halfTime, ratePerSecond: 1_000 };
    assert.deepEqual(await of(events).extent(request), { handlers: ['tally', 'late', 'copy'], events: 3 });
    assert.deepEqual(await textsOf('late', 'a2'), [], 'nothing has been done');
    const end = await replayed(request);
    assert.deepEqual(outcome(end), { seen: 3, done: 6, skipped: 3, tooOld: 0, failed: 0 });
    assert.deepEqual(await textsOf('late', 'a2'), ['c1', 'c2', 'c3']);
    assert.deepEqual(await textsOf('tally', 'a2'), ['c1', 'c2', 'c3']);
    assert.deepEqual(await textsOf('late', 'a'), [], 'it came before');
    assert.equal((await copyOf('a2'))?.text, 'c3');
    const again = await replayed(request);
    // The first one's own events may be among those that are looked at now.
    assert.deepEqual({ ...outcome(again), seen: 3 }, { seen: 3, done: 0, skipped: 9, tooOld: 0, failed: 0 });
    assert.deepEqual(await textsOf('late', 'a2'), ['c1', 'c2', 'c3']);
    assert.deepEqual(sent, [], 'what reaches outside was left alone');
  });

  it('records who wanted it, and what came of it', async () => {
    const { replay, eventId } = await of(events).request(admin, { handler: 'tally', since: halfTime });
    await ended(replay.id);
    const told = await eventually('both events', () => {
      const found = world.events().filter(({ subject }) => subject === `replay/${replay.id}`);
      return found.length === 2 ? found : undefined;
    });
    const [requested, end] = told;
    assert.equal(requested?.id, eventId);
    assert.deepEqual(
      told.map(({ type }) => type),
      [`${world.service}.replay.requested`, `${world.service}.replay.ended`],
    );
    for (const each of told) assert.deepEqual([each.authid, each.correlationid], ['usr_ADMIN', admin.correlationId]);
    assert.equal(end?.causationid, eventId);
    const data = end.data as Replay & { readonly replayId: string };
    assert.deepEqual([data.replayId, data.handlers, data.done, data.skipped], [replay.id, ['tally'], 0, 3]);
  });

  it('brings back a lost copy of a projection, and leaves a newer one', async () => {
    const [, last] = await write('p', ['p1', 'p2']);
    await write('q', ['q1']);
    await settled('tally', last?.id);
    await committed(last);
    await eventually(
      'both copies',
      async () => ((await copyOf('p'))?.text === 'p2' && (await copyOf('q')) !== null) || undefined,
    );
    const copies = events.db.collection<{ _id: string }>('copies');
    await copies.deleteOne({ _id: 'note/p' });
    await copies.updateOne({ _id: 'note/q' }, { $set: { seq: '0000000000000009', text: 'newer' } });
    await replayed({ handler: 'copy', since: halfTime });
    assert.equal((await copyOf('p'))?.text, 'p2');
    assert.equal((await copyOf('q'))?.text, 'newer');
  });

  it('reaches outside only where that is asked for, and never for what is known to be done', async () => {
    const [event] = await write('m', ['m1']);
    await settled('mail', event?.id);
    await settled('tally', event?.id);
    await committed(event);
    const before = [...sent];
    assert.equal(before.filter((id) => id === event?.id).length, 1);
    await assert.rejects(of(events).request(admin, { handler: 'mail', since: halfTime }), isFault('reaches-outside'));
    assert.deepEqual((await of(events).extent({ since: halfTime, external: true })).handlers.includes('mail'), true);
    const end = await replayed({ handler: 'mail', since: new Date(0), external: true });
    const more = sent.slice(before.length);
    assert.equal(end.done, more.length);
    assert.equal(more.length, 3, 'of a, b and a2, which were created before it was there');
    assert.equal(sent.filter((id) => id === event?.id).length, 1);
  });

  it('does not run what is older than the inbox: nobody knows whether it has had its effect', async () => {
    const { collection: rows } = events.log;
    const { tooOldMs } = retentionPeriods();
    // Of a handler that is younger nothing can have been forgotten.
    const handlers = events.db.collection<{ _id: string; since: Date }>('handlers');
    await handlers.updateMany({}, { $set: { since: new Date(0) } });
    const old = new Date(Date.now() - tooOldMs - 60_000).toISOString();
    const young = new Date(Date.now() - tooOldMs + 60_000).toISOString();
    const wanted = { 'event.subject': 'note/a' };
    await rows.updateOne({ ...wanted, 'event.type': contracts.created.type }, { $set: { 'event.time': old } });
    await rows.updateOne({ ...wanted, 'event.type': contracts.updated.type }, { $set: { 'event.time': young } });
    const end = await replayed({ handler: 'late', since: new Date(0) });
    assert.equal(end.tooOld, 1);
    assert.deepEqual(await textsOf('late', 'a'), ['a2']);
    const copies = await replayed({ handler: 'copy', since: new Date(0) });
    assert.equal(copies.tooOld, 0, 'a projection cannot go wrong');
    assert.equal((await copyOf('a'))?.text, 'a2');
  });

  it('parks what fails, and its subject behind it; what waits there already stays', async () => {
    const since = new Date();
    broken.add('x2');
    const [, second, third] = await write('x', ['x1', 'x2', 'x3']);
    await write('y', ['y1']);
    for (const each of [second, third]) assert.equal((await settled('late', each?.id)).status, 'parked');
    await settled('tally', third?.id);
    await committed(third);
    const handled = events.db.collection<HandledRow>('handled');
    // As if it had never been handled: the replay itself meets what fails.
    await handled.deleteMany({ '_id.handler': 'late', '_id.event': { $in: [second?.id ?? '', third?.id ?? ''] } });
    await events.db.collection<{ _id: object }>('lanes').deleteMany({});
    const end = await replayed({ handler: 'late', since });
    assert.deepEqual([end.failed, end.done], [2, 0]);
    assert.deepEqual(await textsOf('late', 'x'), ['x1']);
    const again = await replayed({ handler: 'late', since });
    assert.deepEqual([again.failed, again.done], [0, 0]);
    broken.delete('x2');
  });

  it('is refused where it cannot be meant, and twice at once', async () => {
    const ask = (request: Partial<ReplayRequest>) => of(events).request(admin, { since: halfTime, ...request });
    const running = () => events.db.collection('replays').countDocuments();
    const before = await running();
    await assert.rejects(ask({ since: new Date(Date.now() + 60_000) }), isFault('invalid-request'));
    await assert.rejects(ask({ handler: 'nobody' }), isFault('unknown-handler'));
    assert.equal(await running(), before);
    const { since, inOrder } = await toDo(8);
    const { replay } = await ask({ handler: 'late', since, ratePerSecond: 1 });
    await assert.rejects(ask({ handler: 'late' }), isFault('replay-running'));
    await assert.rejects(ask({}), isFault('replay-running'));
    assert.equal((await ended(replay.id)).done, 8);
    await inOrder();
  });

  it('reads up to where the group has got; what is behind that comes without it', async () => {
    const since = await nextSecond();
    const [first, second] = await write('g', ['g1', 'g2', 'g3']);
    const extent = async () => (await of(events).extent({ handler: 'late', since })).events;
    await eventually('the commits', async () => (await extent()) >= 3 || undefined);
    const positions = events.db.collection<{ _id: string; event: string }>('positions');
    const place = { _id: `causeway.${world.service}/${slotOf(first?.subject ?? '', 4)}` };
    await positions.updateOne(place, { $set: { event: second?.id ?? '' } });
    assert.equal(await extent(), 2);
    await positions.deleteOne(place);
    assert.equal(await extent(), 0, 'it has not begun');
  });

  it('goes on at another replica where the first one stops, and counts nothing twice', async () => {
    const other = replica(all());
    await other.start();
    const { since, inOrder } = await toDo(40);
    await events.db.collection<Tally>('late').deleteMany({});
    const { replay } = await of(events).request(admin, { handler: 'late', since, ratePerSecond: 5 });
    await begun(replay.id, 5);
    await events.stop();
    events = other;
    const end = await ended(replay.id);
    assert.deepEqual([end.done, end.failed], [40, 0]);
    await inOrder();
  });

  it('has each effect once, in order, where one who has lost its lease is still at work', async () => {
    const other = replica(all());
    await other.start();
    const { since, inOrder } = await toDo(60);
    await events.db.collection<Tally>('late').deleteMany({});
    const { replay } = await of(events).request(admin, { handler: 'late', since, ratePerSecond: 6 });
    await begun(replay.id, 5);
    const leases = events.db.collection<{ _id: string }>('replaying');
    // Over at once, and from the beginning: as if the owner had slept through it.
    await leases.updateOne({ _id: replay.id }, { $set: { until: new Date(0), owner: 'nobody', place: 0, pos: 0 } });
    await eventually(
      'its next owner',
      async () => (await leases.findOne({ _id: replay.id, owner: { $ne: 'nobody' } } as object)) ?? undefined,
    );
    await ended(replay.id);
    await inOrder();
    await other.stop();
  });
});
