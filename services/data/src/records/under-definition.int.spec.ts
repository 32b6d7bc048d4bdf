import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';

import { Fault, newEventId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { createEvents, createIdempotency, createKafka } from '@causeway/events';
import type { Events } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import { createFieldKeys } from '../encryption/field-keys.ts';
import type { Definition, DefinitionChange, DefinitionDocument } from '../collections/collection.model.ts';
import { changesCollection, definitionsCollection, recordsCollection } from '../collections/collection.model.ts';
import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { createCollectionRegistry } from '../collections/collection-registry.ts';
import { lockDefinition } from '../collections/definition-lock.ts';
import { demandDefinition } from '../collections/records-store.ts';
import { createRemoveCollection } from '../collections/remove-collection.ts';
import { createImportLocks } from '../importing/import-lock.ts';
import { createImportRecords } from '../importing/import-records.ts';
import type { Caller } from '../rules/rule.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../testing/test-data.ts';
import { createChangeRecord } from './change-record.ts';
import { createCreateRecord } from './create-record.ts';
import { createDeleteRecord } from './delete-record.ts';

/** A replica whose commit stream hangs: it hears of no change of a definition. */
describe('a replica that hears nothing', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let client: MongoClient;
  let events: Events;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin'] });
    client = await MongoClient.connect(process.env.MONGODB_URL ?? '');
    const logger = createLogger({ service: 'data', level: 'silent' });
    const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
    const kafka = createKafka({ driver: 'platformatic', brokers, clientId: 'deaf', logger });
    // Never started: it writes, but has no stream.
    events = createEvents({ service: 'data', client, database: data.db.databaseName, kafka, partitions: 2, logger });
  });

  after(async () => {
    await client.close();
    await data.stop();
  });

  const cause = (): Cause => ({ correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ada' } });
  const caller: Caller = { signedIn: true, administrator: false, auth: { sub: 'usr_ada' } };
  const now = (): Date => new Date();
  const open: Definition = {
    schema: { additionalProperties: true },
    indexes: [],
    rules: { read: 'public', create: 'public', update: 'public', delete: 'public' },
  };
  const strict: Definition = { ...open, schema: { properties: { a: { type: 'number' } } } };

  const define = async (name: string, definition: Definition): Promise<string> => {
    const answer = await replica.call(`PUT /v1/collections/${name}`, { body: definition, token: admin.token });
    assert.ok(answer.status < 300, answer.text);
    return String(answer.body.id);
  };
  /** Knows the definitions as they are now, and hears of no change of them. */
  const deaf = async (): Promise<CollectionRegistry> => {
    const logger = { error: (_fields: unknown, message: string) => assert.fail(message) };
    const registry = createCollectionRegistry({ fieldKeys: createFieldKeys(undefined), events, db: events.db, logger });
    await registry.start();
    return registry;
  };
  const idempotency = () =>
    createIdempotency({ db: events.db, transaction: events.transaction, secret: new Uint8Array(32) });
  const create = (registry: CollectionRegistry, collection: string, fields: object) =>
    createCreateRecord({ events, registry, idempotency: idempotency(), now })(cause(), {
      collection,
      fields,
      caller,
      request: undefined,
    });
  const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;
  const newName = (): string => `c${randomUUID().slice(0, 8)}`;

  it('lets no record in under a definition that is not current any more', async () => {
    const name = newName();
    await define(name, open);
    const registry = await deaf();
    await create(registry, name, { a: 1 });
    await define(name, strict);
    assert.deepEqual((await registry.find(name))?.source, open, 'it has heard of the change');
    await assert.rejects(create(registry, name, { a: 'text' }), isFault('invalid-request'));
    await create(registry, name, { a: 2 });
  });

  it('changes none either', async () => {
    const name = newName();
    await define(name, open);
    const registry = await deaf();
    const { record } = await create(registry, name, { a: 1 });
    await define(name, strict);
    const change = (fields: object) =>
      createChangeRecord({ events, registry, now })(cause(), {
        collection: name,
        id: record.id,
        caller,
        ifMatch: undefined,
        change: () => fields,
      });
    await assert.rejects(change({ a: 'text' }), isFault('invalid-request'));
    assert.equal((await change({ a: 2 })).shown.record.revision, 2);
  });

  it('deletes none under an old rule', async () => {
    const name = newName();
    await define(name, open);
    const registry = await deaf();
    const { record } = await create(registry, name, {});
    await define(name, { ...open, rules: { ...open.rules, delete: [] } });
    const remove = createDeleteRecord({ events, registry, now: () => new Date() });
    await assert.rejects(
      remove(cause(), { collection: name, id: record.id, caller, ifMatch: undefined }),
      isFault('forbidden'),
    );
  });

  it('keeps to both definitions while the new one is looked at', async () => {
    const name = newName();
    const id = await define(name, open);
    const registry = await deaf();
    await create(registry, name, { a: 1 });
    const lock = await lockDefinition(events.db, id, {
      pending: { ...strict, rules: { ...open.rules, create: [{ a: 1 }] } },
    });
    await demandDefinition(events.db, id, lock.def);
    await assert.rejects(create(registry, name, { a: 'text' }), isFault('invalid-request'));
    await assert.rejects(create(registry, name, { a: 2 }), isFault('forbidden'));
    await create(registry, name, { a: 1 });
    await lock.release();
    // The change has not come about; who knew of it goes on under what was, and is told by nobody.
    await create(registry, name, { a: 'text' });
  });

  it('imports under what was, once a change has ended without coming about', async () => {
    const name = newName();
    const id = await define(name, open);
    const registry = await deaf();
    const lock = await lockDefinition(events.db, id, { pending: { ...open, rules: { read: 'public' } } });
    await demandDefinition(events.db, id, lock.def);
    await assert.rejects(create(registry, name, {}), isFault('forbidden'));
    await lock.release();
    const locks = createImportLocks(events.db, new Uint8Array(32));
    const importRecords = createImportRecords({
      events,
      registry,
      idempotency: idempotency(),
      locks,
      persons: events.persons,
      now,
    });
    const body = Readable.from([Buffer.from('{"a":1}')]);
    const { signal } = new AbortController();
    const describe = (fault: Fault): string => fault.code;
    const command = { collection: name, caller, body, request: undefined, describe, signal, draining: signal };
    const { answer } = await importRecords(cause(), command);
    assert.equal(answer.created, 1);
  });

  it('writes nothing while the collection is being removed', async () => {
    const name = newName();
    const id = await define(name, open);
    const registry = await deaf();
    await create(registry, name, {});
    const lock = await lockDefinition(events.db, id, { removing: true });
    await demandDefinition(events.db, id, lock.def);
    await assert.rejects(create(registry, name, {}), isFault('definition-busy'));
    await lock.release();
    await create(registry, name, {});
  });

  it('writes again once whoever was changing the definition is gone', async () => {
    const name = newName();
    const id = await define(name, open);
    const registry = await deaf();
    const lock = await lockDefinition(events.db, id, { removing: true });
    await demandDefinition(events.db, id, lock.def);
    await assert.rejects(create(registry, name, {}), isFault('definition-busy'));
    await events.db
      .collection<DefinitionChange>(changesCollection)
      .updateOne({ _id: id }, { $set: { until: new Date(0) } });
    await create(registry, name, {});
    await assert.rejects(lock.demandHeld(), isFault('definition-busy'));
    await lock.release();
  });

  it('removes no collection but at the revision that it is asked for', async () => {
    const name = newName();
    await define(name, open);
    const registry = await deaf();
    await create(registry, name, {});
    await define(name, { ...open, rules: {} });
    const definitions = events.collection<DefinitionDocument>(definitionsCollection, { thing: 'collection' });
    const { signal } = new AbortController();
    const remove = (revision: number): Promise<unknown> =>
      createRemoveCollection({ events, definitions, registry })(cause(), {
        name,
        withRecords: true,
        ifMatch: [revision],
        signal,
      });
    await assert.rejects(remove(1), isFault('precondition-failed'));
    await remove(2);
    assert.equal(await definitions.native.findOne({ name }), null);
  });

  it('writes nothing into a collection that has been removed, whoever comes late to change it', async () => {
    const name = newName();
    const id = await define(name, open);
    const registry = await deaf();
    await create(registry, name, {});
    const removal = `DELETE /v1/collections/${name}?records=delete`;
    assert.equal((await replica.call(removal, { token: admin.token })).status, 204);
    // A change that had read the definition before it went.
    const late = lockDefinition(events.db, id, { removing: true }).then(({ def }) =>
      demandDefinition(events.db, id, def),
    );
    await assert.rejects(late, isFault('definition-busy'));
    await assert.rejects(create(registry, name, {}), isFault('not-found'));
    assert.equal(await data.db.collection(recordsCollection(id)).countDocuments({}), 0);
    assert.equal(await data.db.collection<{ _id: string }>(changesCollection).findOne({ _id: id }), null);
  });
});
