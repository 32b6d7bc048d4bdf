import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { newEventId } from '@causeway/contracts';
import { createEvents, createKafka } from '@causeway/events';
import type { Events } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import { createCollectionRegistry } from '../collections/collection-registry.ts';
import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { createCollections } from '../collections/collections.wiring.ts';
import { parseDefinition } from '../collections/parse-definition.ts';
import { createFieldCipher } from '../encryption/field-cipher.ts';
import { createFieldKeys } from '../encryption/field-keys.ts';
import { openFields, sealFields } from '../encryption/seal-fields.ts';
import { stateOfRecord } from '../records/record-state.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { created, updated } from '../records/records.events.ts';
import { patients } from '../testing/test-patients.ts';
import { createResealChunk } from './reseal-chunk.ts';
import type { RotationDocument } from './rotation.model.ts';
import { passBegin, rotationsCollection } from './rotation.model.ts';

const cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ada' } } as const;
const { schema, fields, rules } = patients;
const parsed = (own: object = schema) => parseDefinition({ schema: own, fields, rules, indexes: [] });

describe('beside the rotation of a key', () => {
  const logger = createLogger({ service: 'data', level: 'silent' });
  const fieldKeys = createFieldKeys(randomUUID() + randomUUID());
  let client: MongoClient;
  let events: Events;
  before(async () => {
    client = await MongoClient.connect(process.env.MONGODB_URL ?? '', { readConcernLevel: 'majority' });
    const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
    const kafka = createKafka({ driver: 'platformatic', brokers, clientId: 'rotate', logger });
    // Never started: what is recorded is not published.
    const database = `data-${randomUUID().slice(0, 8)}`;
    events = createEvents({ service: 'data', client, database, kafka, partitions: 2, logger });
    await openCollections().ensureIndexes();
  });
  after(async () => {
    await events.db.dropDatabase();
    await client.close();
  });

  const openRegistry = () => createCollectionRegistry({ fieldKeys, events, db: events.db, logger });
  const openCollections = (registry: CollectionRegistry = openRegistry()) => ({
    registry,
    ...createCollections({ events, registry, fieldKeys, logger }),
  });

  it('a record that somebody changes between its read and its write keeps what they have written', async () => {
    const { registry, defineCollection, definitions } = openCollections();
    await defineCollection(cause, { name: 'rows', definition: parsed(), ifMatch: undefined });
    const collection = (await registry.find('rows')) ?? assert.fail();
    const state = (id: string, ssn: string, before?: RecordDocument) =>
      stateOfRecord(collection, {
        ...sealFields(collection, {
          id,
          fields: { name: 'n', ssn },
          ...(before === undefined
            ? {}
            : { before: { sealed: before.sealed, fields: openFields(collection, before) } }),
        }),
      });
    for (const id of ['rec_1', 'rec_2']) {
      const first = state(id, 'before');
      await collection.records.create(cause, { _id: id, state: first, event: created(collection, id, first) });
    }
    const { keys } = (await definitions.native.findOne({ name: 'rows' })) ?? assert.fail();
    const cipher = createFieldCipher(fieldKeys, collection.id);
    cipher.learn({ current: 2, versions: [...(keys?.versions ?? []), fieldKeys.make(collection.id, 2)] });
    const place: RotationDocument = {
      ...{ _id: collection.id, status: 'running', stage: 'resealing', version: 2, begunAt: new Date() },
      ...{ pass: 1, resealed: 0, ...passBegin },
    };
    await events.db.collection<RotationDocument>(rotationsCollection).insertOne(place);
    const records: typeof collection.records = {
      ...collection.records,
      async annotate(annotations) {
        await collection.records.update(cause, 'rec_1', (current) => {
          const next = state('rec_1', 'after', current);
          return { state: next, event: updated(collection, current, next) };
        });
        await collection.records.annotate(annotations);
      },
    };
    const resealChunk = createResealChunk({ events, logger });
    const moved = await resealChunk({ ...collection, cipher, records }, place);
    assert.equal(moved.lookedInPass, 2);
    const ssnOf = async (id: string): Promise<unknown> => {
      const document = (await collection.records.native.findOne({ _id: id })) ?? assert.fail();
      return [document.sealed?.key, document.revision, openFields({ ...collection, cipher }, document).ssn];
    };
    assert.deepEqual(await ssnOf('rec_1'), [1, 2, 'after']);
    assert.deepEqual(await ssnOf('rec_2'), [2, 1, 'before']);
    // Whoever was taken for dead moves nothing on.
    await assert.rejects(resealChunk({ ...collection, cipher }, place), { name: 'RotationLost' });
  });

  it('a definition that was begun before it ended changes nothing of what is kept of keys', async () => {
    const registry = openRegistry();
    const retiredAt = new Date();
    let isBeside = false;
    const { defineCollection, definitions } = openCollections({
      ...registry,
      // When a change has read the definition, and looks at the records.
      async reload(id) {
        if (isBeside)
          await definitions.native.updateOne({ _id: id }, { $set: { 'keys.versions.0.retiredAt': retiredAt } });
        isBeside = false;
        return await registry.reload(id);
      },
    });
    const { document } = await defineCollection(cause, { name: 'keyed', definition: parsed(), ifMatch: undefined });
    isBeside = true;
    const properties = { ...schema.properties, name: { type: 'string', maxLength: 80 } };
    await defineCollection(cause, { name: 'keyed', definition: parsed({ ...schema, properties }), ifMatch: undefined });
    assert.equal(isBeside, false);
    const { keys, revision } = (await definitions.native.findOne({ _id: document._id })) ?? assert.fail();
    assert.equal(revision, document.revision + 1);
    assert.deepEqual(keys?.versions[0]?.retiredAt, retiredAt);
  });
});
