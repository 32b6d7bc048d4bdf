import { topicOf } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { DuplicateKey, RevisionMismatch } from './errors.ts';
import { draft, type Tombstone } from './recorded-document.ts';
import type { RecordedCollection } from './recorded-collection.ts';

describe('recorded writes', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let names: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  const creation = (id: string, text: string) => ({
    _id: id,
    state: { text },
    event: draft(contracts.created, { text }),
  });

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    events = world.replica();
    notes = events.collection<Note>('notes', { thing: 'note' });
    names = events.collection<Note>('names', { thing: 'note', reusableIds: true });
    await notes.native.createIndex({ tag: 1 }, { unique: true, sparse: true }, undefined);
    await events.start();
    await world.follow();
  });
  after(() => world.end());

  const published = (subject: string, count: number) =>
    eventually(`${count} events of ${subject}`, () => {
      const found = world.events().filter((each) => each.subject === subject);
      return found.length >= count ? found : undefined;
    });

  it('puts state, revision and event into one document, and the event on Kafka', async () => {
    const cause = testCause();
    const { document, event } = await notes.create(cause, creation('a1', 'first'));
    assert.equal(document.revision, 1);
    assert.equal(document.event, event.id);
    const [arrived] = await published('note/a1', 1);
    assert.deepEqual(arrived, { ...event, data: { text: 'first' } });
    assert.equal(arrived.correlationid, cause.correlationId);
    assert.equal(arrived.authid, 'usr_TEST');
    const record = world.records.find(({ key }) => key?.toString() === 'note/a1');
    assert.equal(record?.headers.ce_specversion, '1.0');
    assert.equal(record.headers['content-type'], 'application/json');
  });

  it('empties the outbox after publishing, and changes nothing else', async () => {
    const { document } = await notes.create(testCause(), creation('a2', 'x'));
    const row = await eventually('an empty outbox', async () => {
      const found = await notes.native.findOne({ _id: 'a2' });
      return found?.outbox.length === 0 ? found : undefined;
    });
    assert.deepEqual(row, { ...document, outbox: [] });
  });

  it('numbers racing updates without a gap, and publishes them in that order', async () => {
    await notes.create(testCause(), creation('a3', '0'));
    const racers = Array.from({ length: 5 }, (_, racer) =>
      (async () => {
        for (let step = 0; step < 6; step += 1) {
          const text = `${racer}.${step}`;
          await notes
            .update(testCause(), 'a3', () => ({ state: { text }, event: draft(contracts.updated, { text }) }))
            .catch((error: unknown) => assert.equal((error as { code?: string }).code, 'conflict'));
        }
      })(),
    );
    await Promise.all(racers);
    const row = await notes.native.findOne({ _id: 'a3' });
    const found = await published('note/a3', row?.revision ?? 0);
    assert.deepEqual(
      found.map(({ sequence }) => Number(sequence)),
      Array.from({ length: row?.revision ?? 0 }, (_, index) => index + 1),
    );
  });

  it('tries an update as often as the caller says, five times where it says nothing', async () => {
    await notes.create(testCause(), creation('raced', '0'));
    const decision = (text: string) => ({ state: { text }, event: draft(contracts.updated, { text }) });
    /** Somebody is faster, so many times. */
    const losing = (races: number) => {
      let left = races;
      return async () => {
        if (left > 0) await notes.update(testCause(), 'raced', () => decision(`faster ${left}`));
        left -= 1;
        return decision('at last');
      };
    };
    assert.equal((await notes.update(testCause(), 'raced', losing(4)))?.document.text, 'at last');
    await assert.rejects(notes.update(testCause(), 'raced', losing(5)), { code: 'conflict' });
    const patient = await notes.update(testCause(), 'raced', losing(7), { tries: 8 });
    assert.equal(patient?.document.text, 'at last');
    await assert.rejects(notes.update(testCause(), 'raced', losing(8), { tries: 8 }), { code: 'conflict' });
  });

  it('drops state that the decision leaves out', async () => {
    const state = { text: 'x', tag: 'gone' };
    await notes.create(testCause(), { _id: 'a4', state, event: draft(contracts.created, state) });
    const result = await notes.update(testCause(), 'a4', () => ({
      state: { text: 'y' },
      event: draft(contracts.updated, { text: 'y' }),
    }));
    assert.equal(result?.document.text, 'y');
    assert.equal('tag' in result.document, false);
  });

  it('answers with the document as the update leaves it, whatever the relay takes out of it', async () => {
    await notes.create(testCause(), { ...creation('whole', 'x'), state: { text: 'x', tag: 'whole' } });
    const decide = () => ({ state: { text: 'y' }, event: draft(contracts.updated, { text: 'y' }) });
    const answered = await notes.update(testCause(), 'whole', decide);
    const { outbox: _carried, ...document } = answered?.document ?? assert.fail();
    const { outbox: _left, ...row } = (await notes.native.findOne({ _id: 'whole' })) ?? assert.fail();
    assert.deepEqual(document, row);
    assert.equal(answered?.document.outbox.at(-1)?.id, document.event);
  });

  it('decides by what the caller has just read, and reads anew where somebody was faster', async () => {
    const { document: read } = await notes.create(testCause(), creation('read', 'v1'));
    const add = (current: Note) => {
      const text = `${current.text}+`;
      return { state: { text }, event: draft(contracts.updated, { text }) };
    };
    await notes.update(testCause(), 'read', add, { current: read });
    const decided: number[] = [];
    const late = await notes.update(
      testCause(),
      'read',
      (current) => {
        decided.push(current.revision);
        return add(current);
      },
      { current: read },
    );
    assert.deepEqual(decided, [1, 2]);
    assert.deepEqual([late?.document.revision, late?.document.text], [3, 'v1++']);
    const events = await published('note/read', 3);
    assert.deepEqual(
      events.map(({ sequence }) => Number(sequence)),
      [1, 2, 3],
    );
  });

  it('records nothing where there is nothing to change', async () => {
    await notes.create(testCause(), creation('a5', 'x'));
    const result = await notes.update(testCause(), 'a5', () => undefined);
    assert.equal(result?.event, undefined);
    assert.equal(result?.document.revision, 1);
  });

  it('tells a missing document, a taken value and another revision apart', async () => {
    assert.equal(await notes.update(testCause(), 'nobody', () => undefined), undefined);
    assert.equal(await notes.delete(testCause(), 'nobody', () => draft(contracts.deleted, {})), undefined);
    const state = { text: 'x', tag: 'taken' };
    await notes.create(testCause(), { _id: 'a6', state, event: draft(contracts.created, state) });
    const again = notes.create(testCause(), { _id: 'a7', state, event: draft(contracts.created, state) });
    await assert.rejects(again, (error) => error instanceof DuplicateKey && 'tag' in error.keyPattern);
    const late = notes.update(testCause(), 'a6', () => undefined, { ifMatch: [7, 9] });
    await assert.rejects(late, (error) => error instanceof RevisionMismatch && error.current === 1);
  });

  it('refuses data that does not keep to its contract, and writes nothing', async () => {
    const wrong = {
      _id: 'a8',
      state: { text: 'x' },
      event: draft(contracts.created, { text: 1, more: true } as never),
    };
    await assert.rejects(notes.create(testCause(), wrong), /does not keep to its contract: .*text/);
    assert.equal(await notes.native.findOne({ _id: 'a8' }), null);
  });

  it('refuses an event larger than 2 MiB with 413, and writes nothing', async () => {
    const big = notes.create(testCause(), creation('a9', 'x'.repeat(2 * 1024 * 1024)));
    await assert.rejects(big, (error) => (error as { status?: number }).status === 413);
    assert.equal(await notes.native.findOne({ _id: 'a9' }), null);
  });

  const tagged = (id: string, tag: string) => ({
    _id: id,
    state: { text: id, tag },
    event: draft(contracts.created, { text: id, tag }),
  });

  it('creates many at once, each with its own outcome', async () => {
    const results = await notes.createMany(testCause(), [tagged('m1', 't1'), tagged('m2', 't1'), tagged('m3', 't3')]);
    assert.deepEqual(
      results.map((each) => ('error' in each ? each.error instanceof DuplicateKey : each.document._id)),
      ['m1', true, 'm3'],
    );
    const [, refused] = results;
    assert.ok(refused !== undefined && 'error' in refused && refused.error instanceof DuplicateKey);
    assert.deepEqual(refused.error.keyPattern, { tag: 1 });
    const [again] = await notes.createMany(testCause(), [tagged('m1', 't9')]);
    assert.ok(again !== undefined && 'error' in again && again.error instanceof DuplicateKey);
    assert.deepEqual(again.error.keyPattern, { _id: 1 });
    await published('note/m3', 1);
    assert.equal(world.events().filter(({ subject }) => subject === 'note/m2').length, 0);
  });

  it('gives each of many that are created at once its own outcome', async () => {
    const creations = Array.from({ length: 300 }, (_, index) => tagged(`g${index % 250}`, `g${index % 200}`));
    const outcomes = await Promise.allSettled(creations.map((each) => notes.create(testCause(), each)));
    const made = outcomes.filter(({ status }) => status === 'fulfilled').length;
    // An id and a tag for each of the first 200; of the others each meets one or the other.
    assert.equal(made, 200);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      assert.ok(outcome.reason instanceof DuplicateKey, String(outcome.reason));
      const keys = Object.keys(outcome.reason.keyPattern);
      assert.ok(keys.length === 1 && (keys[0] === 'tag' || keys[0] === '_id'), keys.join());
    }
    assert.equal(await notes.native.countDocuments({ _id: /^g/ }), 200);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') await published(`note/${outcome.value.document._id}`, 1);
    }
  });

  it('keeps the unpublished events of a document that is deleted', async () => {
    await notes.create(testCause(), creation('d1', 'x'));
    // Written and deleted in one breath: the relay has no time to publish in between.
    await notes.update(testCause(), 'd1', () => ({
      state: { text: 'y' },
      event: draft(contracts.updated, { text: 'y' }),
    }));
    await notes.delete(testCause(), 'd1', () => draft(contracts.deleted, {}));
    const found = await published('note/d1', 3);
    assert.deepEqual(
      found.map(({ type, sequence }) => [type.split('.').at(-1), Number(sequence)]),
      [
        ['created', 1],
        ['updated', 2],
        ['deleted', 3],
      ],
    );
    assert.equal(await notes.native.findOne({ _id: 'd1' }), null);
    const grave = await eventually('an emptied tombstone', async () => {
      const row = await events.db.collection<Tombstone>('tombstones').findOne({ _id: 'notes/d1' });
      return row?.outbox.length === 0 ? row : undefined;
    });
    assert.equal(grave.revision, 3);
  });

  it('goes on from the revision of the deleted one where an id is used anew', async () => {
    await names.create(testCause(), creation('n1', 'x'));
    await names.delete(testCause(), 'n1', () => draft(contracts.deleted, {}));
    const { document } = await names.create(testCause(), creation('n1', 'again'));
    assert.equal(document.revision, 3);
    const found = await published('note/n1', 3);
    assert.deepEqual(
      found.map(({ sequence }) => Number(sequence)),
      [1, 2, 3],
    );
    assert.equal(await events.db.collection<Tombstone>('tombstones').findOne({ _id: 'names/n1' }), null);
  });

  it('rings only for transactions that were committed', async () => {
    const failing = events.transaction(async (session) => {
      await notes.create(testCause(), creation('t1', 'x'), { session });
      throw new Error('changed my mind');
    });
    await assert.rejects(failing, /changed my mind/);
    await events.transaction(async (session) => {
      await notes.create(testCause(), creation('t2', 'x'), { session });
      await notes.create(testCause(), creation('t3', 'x'), { session });
    });
    await published('note/t3', 1);
    assert.equal(
      world.events().some(({ subject }) => subject === 'note/t1'),
      false,
    );
  });

  it('keeps a dense log of each slot, in the order of Kafka', async () => {
    const rows = await events.log.collection.find().sort({ slot: 1, pos: 1 }).toArray();
    assert.ok(rows.length > 20);
    for (let slot = 0; slot < 4; slot += 1) {
      const own = rows.filter((row) => row.slot === slot);
      assert.deepEqual(
        own.map(({ pos }) => pos),
        own.map((_, index) => index + 1),
      );
      const onKafka = world.records.filter(
        ({ partition, topic }) => partition === slot && topic === topicOf(world.service),
      );
      const ids = [...new Set(onKafka.map(({ headers }) => headers.ce_id))];
      assert.deepEqual(ids, own.map(({ _id }) => _id).slice(0, ids.length));
    }
  });
});
