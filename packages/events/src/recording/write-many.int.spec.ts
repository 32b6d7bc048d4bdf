import { newEventId, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { DuplicateKey, RefusedWrite } from './errors.ts';
import { limits } from './limits.ts';
import type { RecordedCollection } from './recorded-collection.ts';
import { draft, type Tombstone } from './recorded-document.ts';
import type { PlannedWrite } from './recorded-writes.ts';

describe('many writes of one transaction', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    events = world.replica({ abandonedAfterMs: 5_000 });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await notes.native.createIndex({ tag: 1 }, { unique: true, sparse: true }, undefined);
    await events.start();
    await world.follow();
  });
  after(() => world.end());

  const create = (id: string, state: { text: string; tag?: string } = { text: id }): PlannedWrite<Note> => ({
    kind: 'create',
    creation: { _id: id, state, event: draft(contracts.created, state) },
  });
  const update = (current: Note, text: string): PlannedWrite<Note> => ({
    kind: 'update',
    current,
    decision: { state: { text }, event: draft(contracts.updated, { text }) },
  });
  const remove = (current: Note): PlannedWrite<Note> => ({
    kind: 'delete',
    current,
    event: draft(contracts.deleted, {}),
  });
  const write = (writes: readonly PlannedWrite<Note>[], id = newEventId()) =>
    events.transaction((session) =>
      notes.writeMany(testCause(), writes, { session, group: { id, index: 0, size: writes.length } }),
    );
  const made = async (id: string, tag?: string): Promise<Note> => {
    const state = { text: id, ...(tag === undefined ? {} : { tag }) };
    const { document } = await notes.create(testCause(), {
      _id: id,
      state,
      event: draft(contracts.created, state),
    });
    // Until it is published, the relay may take its event out, and the transaction be made anew.
    return eventually('a published note', async () => {
      const row = await notes.native.findOne({ _id: document._id });
      return row?.outbox.length === 0 ? row : undefined;
    });
  };
  const ofGroup = (all: readonly EventEnvelope[], id: string): EventEnvelope[] =>
    all
      .filter(({ batchid }) => batchid === id)
      .filter(({ id: one }, at, own) => own.findIndex((other) => other.id === one) === at)
      .sort((a, b) => Number(a.batchindex) - Number(b.batchindex));
  const logged = async (id: string): Promise<EventEnvelope[]> => {
    const rows = await events.log.collection.find({ 'event.batchid': id }).toArray();
    return ofGroup(
      rows.map(({ event }) => event),
      id,
    );
  };

  it('records an event each, numbered in the order given, on the log and on Kafka', async () => {
    const there = await Promise.all(Array.from({ length: 20 }, (_, index) => made(`there${index}`)));
    const writes = [
      ...Array.from({ length: 940 }, (_, index) => create(`new${index}`)),
      ...there.slice(0, 10).map((current) => update(current, 'changed')),
      ...there.slice(10).map(remove),
      ...Array.from({ length: 40 }, (_, index) => create(`more${index}`)),
    ];
    const id = newEventId();
    const results = await write(writes, id);
    assert.equal(results.length, 1_000);
    const found = await eventually('a thousand events on Kafka', () => {
      const own = ofGroup(world.events(), id);
      return own.length === 1_000 ? own : undefined;
    });
    assert.deepEqual(
      found,
      results.map(({ event }) => event),
    );
    assert.deepEqual(
      found.map(({ batchindex, batchsize }) => [batchindex, batchsize]),
      found.map((_, index) => [String(index), '1000']),
    );
    assert.deepEqual(await logged(id), found);
    assert.equal(await notes.native.countDocuments({ _id: /^new/, revision: 1 }), 940);
    assert.equal(await notes.native.countDocuments({ _id: /^there/, revision: 2, text: 'changed' }), 10);
    assert.equal(await notes.native.countDocuments({ _id: /^there/ }), 10);
    const graves = events.db.collection<Tombstone>('tombstones');
    assert.equal(await graves.countDocuments({ id: /^there/, revision: 2 }), 10);
  });

  it('goes on from what an earlier one of them has left', async () => {
    const planned = { revision: 1 } as Note;
    const results = await write([
      create('chain', { text: '0', tag: 'gone' }),
      update({ ...planned, _id: 'chain', text: '0', tag: 'gone' }, '1'),
      update({ ...planned, _id: 'chain', text: '1' }, '2'),
      create('other', { text: 'x', tag: 'gone' }),
      remove({ ...planned, _id: 'other', text: 'x' }),
    ]);
    const row = await notes.native.findOne({ _id: 'chain' });
    assert.deepEqual([row?.revision, row?.text, row?.tag], [3, '2', undefined]);
    assert.equal(await notes.native.findOne({ _id: 'other' }), null);
    const found = await eventually('five events', () => {
      const own = ofGroup(world.events(), results[0]?.event.batchid ?? '');
      return own.length === 5 ? own : undefined;
    });
    assert.deepEqual(
      found.map(({ subject, sequence }) => [subject, Number(sequence)]),
      [
        ['note/chain', 1],
        ['note/chain', 2],
        ['note/chain', 3],
        ['note/other', 1],
        ['note/other', 2],
      ],
    );
  });

  it('names the write that a unique index refuses, and leaves nothing of the others', async () => {
    await made('holder', 'held');
    const id = newEventId();
    const refused = create('u4', { text: 'x', tag: 'held' });
    const writes = [create('u1'), create('u2'), update(await made('u3'), 'x'), remove(await made('u0')), refused];
    await assert.rejects(write(writes, id), (error) => {
      assert.ok(error instanceof RefusedWrite, String(error));
      assert.equal(error.index, 4);
      assert.ok(error.cause instanceof DuplicateKey);
      assert.deepEqual(error.cause.keyPattern, { tag: 1 });
      return true;
    });
    assert.equal(await notes.native.countDocuments({ _id: /^u[124]$/ }), 0);
    assert.equal((await notes.native.findOne({ _id: 'u3' }))?.revision, 1);
    assert.equal((await notes.native.findOne({ _id: 'u0' }))?.revision, 1);
    assert.equal(await events.db.collection<Tombstone>('tombstones').findOne({ id: 'u0' }), null);
    // What comes later is published: nothing of the group is on its way.
    const { event } = await notes.create(testCause(), {
      _id: 'u5',
      state: { text: 'x' },
      event: draft(contracts.created, { text: 'x' }),
    });
    await eventually('a later event', () => world.events().find(({ id: one }) => one === event.id));
    assert.deepEqual([await logged(id), ofGroup(world.events(), id)], [[], []]);
  });

  it('refuses what was decided by an older revision, and what would fill an outbox', async () => {
    const current = await made('stale');
    const stale = write([create('s1'), update({ ...current, revision: 7 }, 'x')]);
    await assert.rejects(stale, (error) => (error as { code?: string }).code === 'conflict');
    assert.equal(await notes.native.findOne({ _id: 's1' }), null);
    const many = Array.from({ length: limits.outboxEvents + 1 }, (_, index) => update(current, String(index)));
    await assert.rejects(write(many), (error) => (error as { code?: string }).code === 'unavailable');
    assert.equal((await notes.native.findOne({ _id: 'stale' }))?.revision, 1);
  });

  it('makes the transaction anew where others write the same documents, and loses nothing', async () => {
    await made('count0');
    await made('count1');
    const add = (): Promise<unknown> =>
      events.transaction(async (session) => {
        const rows = await notes.native.find({ _id: { $in: ['count0', 'count1'] } }, { session }).toArray();
        const writes = rows.map((row) => update(row, String((Number(row.text) || 0) + 1)));
        await notes.writeMany(testCause(), writes, { session, group: { id: newEventId(), index: 0, size: 2 } });
      });
    await Promise.all(Array.from({ length: 8 }, add));
    const rows = await notes.native.find({ _id: /^count/ }).toArray();
    assert.deepEqual(
      rows.map(({ text, revision }) => [text, revision]),
      [
        ['8', 9],
        ['8', 9],
      ],
    );
  });

  it('holds a document that was only read until the commit, and leaves it as it is', async () => {
    const current = await made('held');
    const late = Promise.withResolvers<undefined>();
    const touched = Promise.withResolvers<undefined>();
    let attempts = 0;
    const reading = events.transaction(async (session) => {
      attempts += 1;
      await notes.touch(['held'], { session });
      touched.resolve(undefined);
      await late.promise;
    });
    await touched.promise;
    const changing = write([update(current, 'changed')]);
    // It waits for nobody: it is made anew until the other one is through.
    const first = await Promise.race([changing.then(() => 'changed'), new Promise((done) => setTimeout(done, 300))]);
    assert.equal(first, undefined);
    const row = await notes.native.findOne({ _id: 'held' });
    assert.deepEqual(row, current);
    late.resolve(undefined);
    await Promise.all([reading, changing]);
    assert.equal(attempts, 1);
    const held = (await notes.native.findOne({ _id: 'held' })) ?? assert.fail();
    assert.deepEqual([held.text, held.revision, 'refs' in held], ['changed', 2, true]);
    await write([update(held, 'once more')]);
    assert.equal('refs' in ((await notes.native.findOne({ _id: 'held' })) ?? assert.fail()), false);
    const missing = events.transaction((session) => notes.touch(['held', 'nobody'], { session }));
    await assert.rejects(missing, (error) => (error as { code?: string }).code === 'conflict');
  });

  const kill = async (moment: 'written' | 'recorded'): Promise<void> => {
    const file = path.resolve(import.meta.dirname, '../testing/group-child.ts');
    const args = [world.service, world.database, moment];
    const child = fork(file, args, { execArgv: ['--conditions=development'] });
    const ended = once(child, 'exit');
    child.once('message', () => child.kill('SIGKILL'));
    const [, signal] = (await ended) as [unknown, string];
    assert.equal(signal, 'SIGKILL');
  };

  it('leaves nothing of a group whose process is killed before the commit', async () => {
    await kill('written');
    // Free again once what the process has left open is ended: until then this write would meet it.
    await eventually('a note in its place', () =>
      write([create('written0')]).then(
        () => true,
        () => undefined,
      ),
    );
    assert.equal(await notes.native.countDocuments({ _id: /^written/ }), 1);
    await eventually('its event', () => world.events().find(({ subject }) => subject === 'note/written0'));
    assert.equal(await events.log.collection.countDocuments({ 'event.data.text': 'written' }), 0);
  });

  it('publishes all of a group whose process is killed at the commit', async () => {
    await kill('recorded');
    const found = await eventually('two hundred events', () => {
      const own = world.events().filter(({ subject }) => subject.startsWith('note/recorded'));
      return new Set(own.map(({ id }) => id)).size === 200 ? own : undefined;
    });
    const places = new Set(found.map(({ batchindex }) => Number(batchindex)));
    assert.equal(places.size, 200);
    assert.deepEqual([...new Set(found.map(({ batchsize }) => batchsize))], ['200']);
    assert.equal(new Set(found.map(({ batchid }) => batchid)).size, 1);
    assert.equal(await notes.native.countDocuments({ _id: /^recorded/ }), 200);
  });
});
