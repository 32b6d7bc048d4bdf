import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { recordsCollection } from '../collections/collection.model.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { Answered } from '../testing/test-data.ts';
import { openTestPatients, patients } from '../testing/test-patients.ts';
import type { TestPatients } from '../testing/test-patients.ts';

const byOwner = [{ createdBy: { $auth: 'sub' } }];

describe('an answer with a part of the fields', () => {
  let world: TestPatients;
  let name: string;
  let friend: string;

  before(async () => {
    world = await openTestPatients();
    // What is hidden depends on the record, so that it is read whole.
    const fields = { ...patients.fields, name: { read: byOwner }, friend: { reference: { collection: 'friends' } } };
    const properties = { ...patients.schema.properties, friend: { type: 'string' } };
    await world.define({ schema: { properties: { name: { type: 'string' } } }, rules: { read: 'public' } }, 'friends');
    const definition = { ...patients, schema: { type: 'object', properties }, fields };
    const defined = await world.define(definition, `p${randomUUID().slice(0, 8)}`);
    ({ name } = defined);
    friend = await world.create('friends', { name: 'Ida' });
    const id = await world.create(name, { name: 'Grace', ssn: 'SSN-1', visits: 3, friend });
    const records = world.data.db.collection<RecordDocument>(recordsCollection(defined.id));
    const { sealed } = await world.raw(defined.id, id);
    const values = sealed?.values.map((each) => (each.path === 'ssn' ? { ...each, text: 'broken' } : each));
    await records.updateOne({ _id: id }, { $set: { 'sealed.values': values } });
  });
  after(() => world.data.stop());

  const list = (parameters: string, accept = 'application/json'): Promise<Answered> =>
    world.call(`GET /v1/data/${name}?${parameters}`, { headers: { accept } }, world.ada);
  const aggregate = (...project: string[]): Promise<Answered> =>
    world.call(`POST /v1/data/${name}/aggregate`, { body: { stages: [{ project }] } }, world.ada);

  it('opens what is sealed of these alone', async () => {
    assert.equal((await list('')).status, 500);
    assert.equal((await list('fields=ssn')).status, 500);
    assert.equal((await aggregate('ssn')).status, 500);
    const listed = await list('fields=visits&expand=friend');
    assert.equal(listed.status, 200, listed.text);
    const [item] = listed.body.items as unknown as readonly Record<string, unknown>[];
    assert.deepEqual([item?.visits, Object.hasOwn(item ?? {}, 'ssn')], [3, false]);
    assert.equal((item?._expand as { friend: { name: string } }).friend.name, 'Ida');
    const revisions = await list('fields=revision');
    assert.equal(revisions.status, 200, revisions.text);
    const exported = await list('fields=visits', 'application/x-ndjson');
    assert.match(exported.text, /"visits":3/);
    const rows = await aggregate('visits');
    assert.equal(rows.status, 200, rows.text);
  });
});
