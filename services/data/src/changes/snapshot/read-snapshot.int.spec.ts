import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Timestamp } from 'mongodb';

import { recordsCollection } from '../../collections/collection.model.ts';
import type { RecordDocument } from '../../records/record.model.ts';
import { openTestData } from '../../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../../testing/test-data.ts';
import { isSnapshotGone, openSnapshot } from './read-snapshot.ts';

const definition = {
  schema: { properties: { n: { type: 'number' } } },
  rules: { read: 'public', create: 'signed-in', update: 'signed-in' },
};

describe('a snapshot', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin'] });
  });
  after(() => data.stop());

  const define = async (name: string, body: object = definition): Promise<string> => {
    const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.ok([200, 201].includes(answer.status), answer.text);
    const stored = await data.db.collection('collections').findOne({ name });
    return String(stored?._id);
  };
  const create = async (name: string, ...numbers: number[]): Promise<string[]> => {
    const answers = await Promise.all(
      numbers.map((n) => replica.call(`POST /v1/data/${name}`, { body: { n }, token: admin.token })),
    );
    for (const answer of answers) assert.equal(answer.status, 201, answer.text);
    return answers.map(({ body }) => String(body.id));
  };
  const recordsOf = (id: string) => data.db.collection<RecordDocument>(recordsCollection(id));

  it('reads definition and records as of one time, in all batches, whatever is written meanwhile', async () => {
    const id = await define('rows');
    const ids = await create('rows', 0, 1, 2, 3, 4, 5);
    const snapshot = await openSnapshot(data.db, id);
    await create('rows', 6);
    const cursor = recordsOf(id).find({}, { readConcern: snapshot.readConcern, batchSize: 2, sort: { _id: 1 } });
    const found = [await cursor.next()];
    const type = 'application/merge-patch+json';
    const changed = await replica.call(`PATCH /v1/data/rows/${ids[5]}`, { body: { n: 50 }, type, token: admin.token });
    assert.equal(changed.status, 200, changed.text);
    await create('rows', 7);
    await define('rows', { ...definition, rules: {} });
    for await (const record of cursor) found.push(record);
    assert.deepEqual(found.map((record) => record?.fields.n).sort(), [0, 1, 2, 3, 4, 5]);
    assert.equal(snapshot.definition?.definition.rules.read, 'public');
    const later = await openSnapshot(data.db, id);
    assert.ok(later.time.greaterThan(snapshot.time));
    assert.equal(later.definition?.definition.rules.read, undefined);
    const now = await recordsOf(id).find({}, { readConcern: later.readConcern }).toArray();
    assert.deepEqual(now.map(({ fields }) => fields.n).sort(), [0, 1, 2, 3, 4, 50, 6, 7]);
  });

  it('knows of no definition that is gone', async () => {
    const id = await define('gone');
    await replica.call('DELETE /v1/collections/gone', { token: admin.token });
    assert.equal((await openSnapshot(data.db, id)).definition, undefined);
  });

  it('is gone once an index is dropped that is being read, between two batches too', async () => {
    const id = await define('indexed', { ...definition, indexes: [{ keys: { n: 1 } }] });
    await create('indexed', 0, 1, 2, 3);
    const { readConcern } = await openSnapshot(data.db, id);
    const options = { readConcern, batchSize: 2, sort: { 'fields.n': 1, _id: 1 } } as const;
    const cursor = recordsOf(id).find({ 'fields.n': { $gte: 0 } }, options);
    await cursor.next();
    await define('indexed');
    await assert.rejects(cursor.toArray(), isSnapshotGone);
    const again = await openSnapshot(data.db, id);
    assert.equal((await recordsOf(id).find({}, { readConcern: again.readConcern }).toArray()).length, 4);
  });

  it('is gone once MongoDB no longer has its time', async () => {
    const id = await define('old');
    await create('old', 1);
    const { readConcern, time } = await openSnapshot(data.db, id);
    // Long before the 300 s that MongoDB keeps.
    Object.assign(readConcern, { atClusterTime: new Timestamp({ t: time.t - 100_000, i: 1 }) });
    await assert.rejects(recordsOf(id).find({}, { readConcern }).toArray(), isSnapshotGone);
  });
});
