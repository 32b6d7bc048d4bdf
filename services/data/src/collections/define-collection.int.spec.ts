import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Fault, newEventId, newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { createEvents, createKafka, stateOf } from '@causeway/events';
import type { Change, Events, RecordedCollection } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import type { Collection } from 'mongodb';
import { MongoClient } from 'mongodb';

import { createFieldKeys } from '../encryption/field-keys.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { created } from '../records/records.events.ts';
import type { Definition, DefinitionChange, DefinitionDocument } from './collection.model.ts';
import { changesCollection, definitionsCollection, recordsCollection } from './collection.model.ts';
import { ensureDefinitionIndexes } from './collection.model.ts';
import type { CollectionRegistry } from './collection-registry.ts';
import { createCollectionRegistry } from './collection-registry.ts';
import { updated } from './collections.events.ts';
import type { DefinedCollection, DefineCollectionDependencies } from './define-collection.ts';
import { createDefineCollection } from './define-collection.ts';
import { lockDefinition } from './definition-lock.ts';
import { parseDefinition } from './parse-definition.ts';
import { createRemoveCollection } from './remove-collection.ts';
import { describeIndex } from './describe-index.ts';
import { buildIndex } from './record-indexes.ts';

const fieldKeys = createFieldKeys(undefined);

describe('a change of a definition', () => {
  let client: MongoClient;
  let events: Events;
  let definitions: RecordedCollection<DefinitionDocument>;
  let changes: Collection<DefinitionChange>;
  let registry: CollectionRegistry;

  before(async () => {
    client = await MongoClient.connect(process.env.MONGODB_URL ?? '');
    const logger = createLogger({ service: 'data', level: 'silent' });
    const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
    const kafka = createKafka({ driver: 'platformatic', brokers, clientId: 'define', logger });
    const database = `data-${randomUUID().slice(0, 8)}`;
    // Never started: what is recorded is not published.
    events = createEvents({ service: 'data', client, database, kafka, partitions: 2, logger });
    definitions = events.collection<DefinitionDocument>(definitionsCollection, { thing: 'collection' });
    changes = events.db.collection<DefinitionChange>(changesCollection);
    await ensureDefinitionIndexes(events.db);
    registry = createCollectionRegistry({ fieldKeys, events, db: events.db, logger });
    await registry.start();
  });

  after(async () => {
    await events.db.dropDatabase();
    await client.close();
  });

  const cause = (): Cause => ({ correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ada' } });
  const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;
  const newName = (): string => `c${randomUUID().slice(0, 8)}`;
  const open: Definition = { schema: { additionalProperties: true }, indexes: [], rules: {} };
  const strict: Definition = { ...open, schema: { properties: { a: { type: 'number' } } } };

  /** Defines a collection; `transaction` may do something before the change is committed. */
  const define = (
    name: string,
    definition: Definition,
    { transaction }: Pick<DefineCollectionDependencies['events'], 'transaction'> = events,
  ): Promise<DefinedCollection> =>
    createDefineCollection({ events: { ...events, transaction }, definitions, registry, fieldKeys })(cause(), {
      name,
      definition: parseDefinition(definition),
      ifMatch: undefined,
    });
  const defined = async (definition: Definition): Promise<{ readonly name: string; readonly id: string }> => {
    const name = newName();
    const { document } = await define(name, definition);
    return { name, id: document._id };
  };
  const keysOf = async (id: string): Promise<unknown[]> =>
    (await events.db.collection(recordsCollection(id)).indexes()).map(({ key }) => key);
  /** The lock's owner is taken for dead. */
  const abandon = (id: string) => changes.updateOne({ _id: id }, { $set: { until: new Date(0) } });

  it('that this process cannot read ends no stream: its collection is not served until it can be read', async () => {
    const { name, id } = await defined(open);
    const listeners: ((change: Change) => void)[] = [];
    const stream = { subscribe: (listener: (change: Change) => void) => listeners.push(listener) };
    const logger = createLogger({ service: 'data', level: 'silent' });
    const own = { ...events, stream: stream as unknown as Events['stream'] };
    const older = createCollectionRegistry({ fieldKeys, events: own, db: events.db, logger });
    await older.start();
    const told: unknown[] = [];
    older.onChange((which, collection) => told.push([which, collection?.revision]));
    /** As whoever can read it writes it, and as the stream tells it. */
    const write = async (definition: Definition): Promise<void> => {
      const event = updated(id, name, definition, {});
      const made = await definitions.update(cause(), id, (current) => ({
        state: { ...stateOf(current), definition },
        event,
      }));
      const { document } = made ?? assert.fail();
      const change = { collection: definitionsCollection, id, revision: document.revision, event: made?.event };
      for (const listener of listeners) listener({ ...change, deleted: false } as Change);
    };
    await write({ ...open, schema: { $ref: 'https://example.com/later.json' } });
    assert.equal(older.get(id), undefined);
    await assert.rejects(
      older.find(name),
      (error) => !(error instanceof Fault) && String(error).includes('cannot be read'),
    );
    await write(strict);
    assert.deepEqual(older.get(id)?.source.schema, strict.schema);
    assert.deepEqual(told, [
      [id, undefined],
      [id, 3],
    ]);
  });

  it('that the stream has not brought is told of after a gap, also where it has been read since', async () => {
    const [changed, read, removed] = [await defined(open), await defined(open), await defined(open)];
    const gaps: (() => void)[] = [];
    const stream = { subscribe: (_: unknown, onGap: () => void) => gaps.push(onGap) };
    const logger = createLogger({ service: 'data', level: 'silent' });
    const own = { ...events, stream: stream as unknown as Events['stream'] };
    const late = createCollectionRegistry({ fieldKeys, events: own, db: events.db, logger });
    await late.start();
    const told = new Map<string, number | undefined>();
    late.onChange((which, collection) => told.set(which, collection?.revision));
    for (const { id, name } of [changed, read]) {
      const event = updated(id, name, strict, {});
      await definitions.update(cause(), id, (current) => ({
        state: { ...stateOf(current), definition: strict },
        event,
      }));
    }
    await late.reload(read.id);
    await events.db.collection<DefinitionDocument>(definitionsCollection).deleteOne({ _id: removed.id });
    assert.deepEqual([...told], []);
    for (const onGap of gaps) onGap();
    // All of them in one go.
    const isTold = (): boolean => told.size > 0;
    for (let tries = 0; tries < 600 && !isTold(); tries += 1) await delay(100);
    assert.deepEqual(
      [changed, read, removed].map(({ id }) => told.get(id)),
      [2, 2, undefined],
    );
    assert.ok(told.has(removed.id));
  });

  it('takes over one whose owner is gone, and not one that is at work', async () => {
    const { id } = await defined(open);
    const first = await lockDefinition(events.db, id, { pending: strict });
    await assert.rejects(lockDefinition(events.db, id, { pending: open }), isFault('definition-busy'));
    await abandon(id);
    const second = await lockDefinition(events.db, id, { pending: open });
    assert.equal(second.def, first.def + 1);
    await assert.rejects(first.demandHeld(), isFault('definition-busy'));
    await first.release();
    await second.demandHeld();
    await second.release();
  });

  it('keeps its lock for as long as it works, however long a step takes', async () => {
    const { id } = await defined(open);
    const startedAt = Date.now();
    const lockMs = 2_000;
    const lock = await lockDefinition(events.db, id, { pending: open }, lockMs);
    const bound = startedAt + 20 * lockMs;
    // Moved on twice, it would have run out by itself before.
    for (let until = 0; until < startedAt + 2 * lockMs; until = Number((await changes.findOne({ _id: id }))?.until)) {
      assert.ok(Date.now() < bound, 'the lock is not moved on');
      await delay(10);
    }
    await assert.rejects(lockDefinition(events.db, id, { pending: open }), isFault('definition-busy'));
    await lock.release();
    await (await lockDefinition(events.db, id, { pending: open })).release();
  });

  it('that removes the collection deletes no record more once somebody has taken it over', async () => {
    const { name, id } = await defined(open);
    const collection = (await registry.reload(id)) ?? assert.fail();
    const state = { def: collection.def, fields: {} };
    const creations = Array.from({ length: 5 }, () => {
      const _id = newId('rec');
      return { _id, state, event: created(collection, _id, state) };
    });
    await collection.records.createMany(cause(), creations);
    let transactions = 0;
    const removing = createRemoveCollection({
      events: {
        ...events,
        async transaction(work) {
          transactions += 1;
          if (transactions === 3) {
            // It has stood still for longer than its lock lasts.
            await abandon(id);
            await define(name, { ...open, rules: { read: 'public' } });
          }
          return await events.transaction(work);
        },
      },
      ...{ definitions, registry },
    });
    const command = { name, withRecords: true, ifMatch: undefined, signal: new AbortController().signal };
    await assert.rejects(removing(cause(), command), isFault('definition-busy'));
    assert.equal(await collection.records.native.countDocuments(), 3);
    assert.equal((await registry.find(name))?.revision, 2);
  });

  it('removes no index that whoever took it over has promised', async () => {
    const { name, id } = await defined(open);
    const unique: Definition = { ...open, indexes: [{ keys: { a: 1 }, unique: true }] };
    const slow = define(name, unique, {
      async transaction(work) {
        // Its client has given up, and asks again.
        await abandon(id);
        await define(name, unique);
        return await events.transaction(work);
      },
    });
    await assert.rejects(slow, isFault('definition-busy'));
    assert.deepEqual((await registry.find(name))?.source, unique);
    assert.ok((await keysOf(id)).some((key) => JSON.stringify(key) === '{"fields.a":1}'));
  });

  it('leaves no index behind where it does not come about', async () => {
    const { name, id } = await defined(open);
    const before = await keysOf(id);
    const failing = define(
      name,
      { ...open, indexes: [{ keys: { a: 1 }, unique: true }] },
      {
        transaction: () => Promise.reject(new Error('not now')),
      },
    );
    await assert.rejects(failing, /not now/);
    assert.deepEqual(await keysOf(id), before);
  });

  it('puts back an index of words whose place another has taken, where it does not come about', async () => {
    const words = (field: string): Definition => ({ ...open, indexes: [{ keys: { [field]: 'text' } }] });
    const { name, id } = await defined(words('a'));
    const listed = async () =>
      (await events.db.collection(recordsCollection(id)).indexes()).sort(({ name: one }, { name: other }) =>
        String(one).localeCompare(String(other)),
      );
    const before = await listed();
    let meanwhile: unknown;
    const failing = define(name, words('b'), {
      async transaction() {
        meanwhile = (await listed()).flatMap((index) => (index as { weights?: unknown }).weights ?? []);
        throw new Error('not now');
      },
    });
    await assert.rejects(failing, /not now/);
    assert.deepEqual(meanwhile, [{ 'fields.b': 1 }]);
    assert.deepEqual(await listed(), before);
  });

  it('that is repeated puts indexes right that a process which died has left wrong', async () => {
    const unique: Definition = { ...open, indexes: [{ keys: { a: 1 }, unique: true }] };
    const { name, id } = await defined(unique);
    const right = await keysOf(id);
    const records = events.db.collection<RecordDocument>(recordsCollection(id));
    await buildIndex(records, { keys: { b: 1 }, unique: true });
    await records.dropIndex(describeIndex({ keys: { a: 1 }, unique: true }).name);
    const { document, eventId } = await define(name, unique);
    assert.deepEqual({ revision: document.revision, eventId }, { revision: 1, eventId: undefined });
    assert.deepEqual(
      new Set((await keysOf(id)).map((key) => JSON.stringify(key))),
      new Set(right.map((key) => JSON.stringify(key))),
    );
  });

  it('asks nothing of writers where it changes nothing', async () => {
    const twice: Definition = { ...open, indexes: [{ keys: { a: 1 } }, { keys: { a: 1, id: 1 } }] };
    const { name, id } = await defined(twice);
    await define(name, twice);
    assert.deepEqual(await changes.findOne({ _id: id }), { _id: id, def: 1 });
  });

  it('goes on from what has changed since it was first read, unless it was to be another revision', async () => {
    const { name } = await defined(open);
    const read = await definitions.native.findOne({ name });
    await define(name, { ...open, rules: { read: 'public' } });
    const findOne = (filter: object) =>
      'name' in filter ? Promise.resolve(read) : definitions.native.findOne(filter as { _id: string });
    const native = { findOne } as unknown as Collection<DefinitionDocument>;
    const late = createDefineCollection({ events, definitions: { ...definitions, native }, registry, fieldKeys });
    const command = { name, definition: parseDefinition(strict) };
    await assert.rejects(late(cause(), { ...command, ifMatch: [1] }), isFault('precondition-failed'));
    assert.equal((await late(cause(), { ...command, ifMatch: undefined })).document.revision, 3);
  });
});
