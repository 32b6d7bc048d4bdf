import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it, type TestContext } from 'node:test';

import { newEventId } from '@causeway/contracts';
import { createEvents, createKafka } from '@causeway/events';
import { isolatedKafka } from '@causeway/events/testing';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import { createFieldKeys } from '../encryption/field-keys.ts';
import type { Collection } from '../collections/collection-registry.ts';
import { createCollectionRegistry } from '../collections/collection-registry.ts';
import { inParameters } from '../queries/query-parameters.ts';
import { parseRecordQuery } from '../queries/asked-query.ts';
import { mergePatchType } from '../records/merge-patch.ts';
import { patchOf } from '../records/patch-bodies.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../testing/test-data.ts';
import { createChangeMatching } from './change-matching.ts';
import type { ChunkResult } from './outcome.ts';

describe('a change by filter that loses races', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let collection: Collection;
  let change: (ids: readonly string[], n: number, collectionId?: string) => Promise<ChunkResult>;
  let stop: () => Promise<void>;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin'] });
    const body = { schema: { properties: { n: { type: 'number' }, state: { enum: ['open', 'done'] } } } };
    const defined = await replica.call('PUT /v1/collections/notes', { body, token: admin.token });
    assert.equal(defined.status, 201, defined.text);

    const { MONGODB_URL = '', KAFKA_BROKERS = '' } = process.env;
    const client = await MongoClient.connect(MONGODB_URL);
    const database = data.redisPrefix;
    const logger = createLogger({ service: 'data', level: 'silent' });
    const brokers = KAFKA_BROKERS.split(',');
    const kafka = isolatedKafka(
      createKafka({ driver: 'platformatic', brokers, clientId: database, logger }),
      `${database}.`,
    );
    const events = createEvents({ service: 'data', client, database, partitions: 2, logger, kafka });
    const registry = createCollectionRegistry({ fieldKeys: createFieldKeys(undefined), events, db: events.db, logger });
    collection = (await registry.find('notes')) ?? assert.fail();
    const caller = { signedIn: true, administrator: true, auth: {} };
    const asked = { filter: { state: 'open' }, sort: [], fields: undefined, locate: inParameters };
    const query = parseRecordQuery(asked, collection.scalarTypesAt, new Date());
    const matching = { collectionId: collection.id, caller, query, timeoutMs: 5_000 };
    const cause = { correlationId: newEventId(), principal: { type: 'system' as const } };
    const changeMatching = createChangeMatching({ events, registry, now: () => new Date() });
    change = (ids, n, collectionId = matching.collectionId) => {
      const patch = patchOf({ mediaType: mergePatchType, value: { n } });
      const doChunk = changeMatching(cause, {
        name: 'notes',
        matching: { ...matching, collectionId },
        patch,
        dryRun: false,
      });
      return doChunk({ ids, isTimeUp: () => false });
    };
    stop = async () => {
      await kafka.close();
      await client.close();
    };
  });
  after(async () => {
    await stop();
    await data.stop();
  });

  const made = async (): Promise<string> => {
    const body = { n: 0, state: 'open' };
    const answer = await replica.call('POST /v1/data/notes', { body, token: admin.token });
    return String(answer.body.id);
  };
  const set = async (id: string, body: object): Promise<void> => {
    const answer = await replica.call(`PATCH /v1/data/notes/${id}`, { body, type: mergePatchType, token: admin.token });
    assert.equal(answer.status, 200, answer.text);
  };
  /** Does something between the reading of records and their writing. */
  const beforeWriting = (t: TestContext, work: () => Promise<void>): void => {
    const { native } = collection.records;
    const bulkWrite = native.bulkWrite.bind(native);
    let isFirst = true;
    t.mock.method(native, 'bulkWrite', async (...args: Parameters<typeof bulkWrite>) => {
      if (isFirst) await work();
      isFirst = false;
      return bulkWrite(...args);
    });
  };

  it('leaves alone what matches no more, and changes what another has changed and matches still', async (t) => {
    const [left, still, gone, plain] = [await made(), await made(), await made(), await made()];
    beforeWriting(t, async () => {
      await set(left, { state: 'done' });
      await set(still, { n: 3 });
      const answer = await replica.call(`DELETE /v1/data/notes/${gone}`, { token: admin.token });
      assert.equal(answer.status, 204);
    });
    const { outcomes, through } = await change([left, still, gone, plain], 7);
    assert.equal(through, 4);
    assert.deepEqual(
      [...outcomes].map(([id, { kind }]) => `${id} ${kind}`).sort(),
      [still, plain].map((id) => `${id} written`).sort(),
    );
    const shown: unknown[] = [];
    for (const id of [left, still, plain]) {
      const { body } = await replica.call(`GET /v1/data/notes/${id}`, { token: admin.token });
      shown.push([body.state, body.n, body.revision]);
    }
    assert.deepEqual(shown, [
      ['done', 0, 2],
      ['open', 7, 3],
      ['open', 7, 2],
    ]);
  });

  it('leaves alone what has the name of the collection by now', async () => {
    const id = await made();
    await assert.rejects(change([id], 7, 'col_of_before'), { code: 'not-found' });
    const { body } = await replica.call(`GET /v1/data/notes/${id}`, { token: admin.token });
    assert.equal(body.revision, 1);
  });

  it('decides the rest anew where the definition changes meanwhile', async (t) => {
    const ids = [await made(), await made(), await made()];
    beforeWriting(t, async () => {
      const body = { schema: { properties: { n: { type: 'number', maximum: 8 }, state: { enum: ['open', 'done'] } } } };
      const defined = await replica.call('PUT /v1/collections/notes', { body, token: admin.token });
      assert.equal(defined.status, 200, defined.text);
    });
    const { outcomes } = await change(ids, 9);
    assert.deepEqual(
      [...outcomes.values()].map(({ kind }) => kind),
      ['refused', 'refused', 'refused'],
    );
  });
});
