import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { newEventId } from '@causeway/contracts';
import { createEvents, createKafka } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import { createCollectionRegistry } from '../collections/collection-registry.ts';
import { createCollections } from '../collections/collections.wiring.ts';
import { parseDefinition } from '../collections/parse-definition.ts';
import { createFieldCipher } from '../encryption/field-cipher.ts';
import { createFieldKeys } from '../encryption/field-keys.ts';
import { openFields, sealFields } from '../encryption/seal-fields.ts';
import { stateOfRecord } from '../records/record-state.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { created, updated } from '../records/records.events.ts';
import { openTestData } from '../testing/test-data.ts';
import { patients } from '../testing/test-patients.ts';
import { createResealChunk } from './reseal-chunk.ts';
import type { RotationDocument } from './rotation.model.ts';
import { passBegin, rotationsCollection } from './rotation.model.ts';

describe('a rotation whose process is killed', () => {
  for (const moment of ['read', 'written'] as const) {
    it(`when a chunk is ${moment} goes on at another, from where it was`, async () => {
      const data = await openTestData();
      const key = randomUUID() + randomUUID();
      try {
        const { token } = await data.person({ roles: ['admin'] });
        const first = await data.replica({ CAUSEWAY_FIELD_KEY: key });
        const defined = await first.call('PUT /v1/collections/rows', { body: patients, token });
        assert.equal(defined.status, 201, defined.text);
        const body = Array.from({ length: 500 }, (_, n) => JSON.stringify({ name: `n${n}`, ssn: `S${n}` })).join('\n');
        await first.call('POST /v1/data/rows', { body, type: 'application/x-ndjson', token });
        // Nobody else goes on with it before that one is gone.
        await first.stop();
        const file = path.resolve(import.meta.dirname, '../testing/rotation-child.ts');
        const child = fork(file, [data.redisPrefix, 'rows', moment], {
          execArgv: ['--conditions=development'],
          env: { ...process.env, CAUSEWAY_FIELD_KEY: key },
        });
        const [, signal] = (await once(child, 'exit')) as [unknown, string];
        assert.equal(signal, 'SIGKILL');
        const rows = data.db.collection<RecordDocument>(`records_${String(defined.body.id)}`);
        assert.equal(await rows.countDocuments({ 'sealed.key': 2 }), moment === 'read' ? 200 : 400);
        const rotations = data.db.collection<RotationDocument>(rotationsCollection);
        assert.equal((await rotations.findOne())?.lookedInPass, 200);
        const second = await data.replica({ CAUSEWAY_FIELD_KEY: key });
        const bound = performance.now() + 120_000;
        let rotation: { status?: string; resealed?: number } = {};
        while (performance.now() < bound && rotation.status !== 'done') {
          ({ rotation = {} } = (await second.call('GET /v1/collections/rows/keys', { token })).body);
          await delay(50);
        }
        // Those that had been written when it was killed are not told of: they were not counted.
        assert.deepEqual(rotation, { ...rotation, status: 'done', resealed: moment === 'read' ? 500 : 300 });
        assert.equal(await rows.countDocuments({ 'sealed.key': 2, revision: 1 }), 500);
        const list = await second.call('GET /v1/data/rows?limit=200', { token });
        for (const { name, ssn } of list.body.items as unknown as { name: string; ssn: string }[]) {
          assert.equal(ssn, name.replace('n', 'S'));
        }
      } finally {
        await data.stop();
      }
    });
  }
});

it('a record that somebody changes between its read and its write keeps what they have written', async () => {
  const client = await MongoClient.connect(process.env.MONGODB_URL ?? '');
  const logger = createLogger({ service: 'data', level: 'silent' });
  const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
  const kafka = createKafka({ driver: 'platformatic', brokers, clientId: 'rotate', logger });
  // Never started: what is recorded is not published.
  const database = `data-${randomUUID().slice(0, 8)}`;
  const events = createEvents({ service: 'data', client, database, kafka, partitions: 2, logger });
  try {
    const fieldKeys = createFieldKeys(randomUUID() + randomUUID());
    const registry = createCollectionRegistry({ fieldKeys, events, db: events.db, logger });
    const { defineCollection, definitions, ensureIndexes } = createCollections({ events, registry, fieldKeys, logger });
    await ensureIndexes();
    const cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ada' } } as const;
    const { schema, fields, rules } = patients;
    const definition = parseDefinition({ schema, fields, rules, indexes: [] });
    await defineCollection(cause, { name: 'rows', definition, ifMatch: undefined });
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
  } finally {
    await events.db.dropDatabase();
    await client.close();
  }
});
