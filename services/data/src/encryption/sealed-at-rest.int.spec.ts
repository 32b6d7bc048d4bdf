import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { recordsCollection } from '../collections/collection.model.ts';
import { operatorsType } from '../operators/parse-operators.ts';
import { jsonPatchType } from '../records/json-patch.ts';
import { mergePatchType } from '../records/merge-patch.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { Answered } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';
import { fieldsOf, openTestPatients, patients } from '../testing/test-patients.ts';
import type { TestPatients } from '../testing/test-patients.ts';

const whole = {
  name: 'Grace',
  ssn: 'SSN-1234',
  visits: 3,
  tags: ['a', 'b'],
  contact: { city: 'Bern', phone: 'PHONE-1' },
};
const plain = { name: 'Grace', contact: { city: 'Bern' } };

describe('encrypted fields', () => {
  let world: TestPatients;
  let name: string;
  let collectionId: string;

  before(async () => {
    world = await openTestPatients();
    ({ name, id: collectionId } = await world.define());
  });
  after(() => world.data.stop());

  const recordsOf = (id: string) => world.data.db.collection<RecordDocument>(recordsCollection(id));
  const pathsIn = (document: RecordDocument): string[] => (document.sealed?.values ?? []).map(({ path }) => path);
  const patch = (id: string, body: unknown, type: string): Promise<Answered> =>
    world.call(`PATCH /v1/data/${name}/${id}`, { body, type });
  const lines = (text: string): Record<string, unknown>[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('lie beside the others in MongoDB, sealed, and are answered as they were sent', async () => {
    const id = await world.create(name, whole);
    const document = await world.raw(collectionId, id);
    assert.deepEqual(document.fields, plain);
    assert.equal(document.sealed?.key, 1);
    assert.deepEqual(pathsIn(document), ['ssn', 'visits', 'tags', 'contact.phone']);
    assert.ok(!JSON.stringify(document).includes('SSN-1234'));
    assert.deepEqual(fieldsOf(await world.read(name, id)), whole);
    // From the caches, too.
    const { headers } = await world.call(`GET /v1/data/${name}/${id}`);
    const seen = { headers: { 'causeway-after': headers.get('causeway-position') ?? '' } };
    for (let time = 0; time < 3; time += 1) {
      assert.deepEqual(fieldsOf((await world.call(`GET /v1/data/${name}/${id}`, seen)).body), whole);
    }
  });

  it('are in every answer: lists, parts, exports, batches, lookups and feeds', async () => {
    const id = await world.create(name, whole);
    const filter = encodeURIComponent(JSON.stringify({ id }));
    const list = await world.call(`GET /v1/data/${name}?filter=${filter}`);
    assert.deepEqual(
      (list.body as unknown as { items: object[] }).items.map((each) => fieldsOf({ ...each })),
      [whole],
    );
    const parts = await world.call(`GET /v1/data/${name}?filter=${filter}&fields=ssn,contact.phone`);
    assert.deepEqual(parts.body.items, [{ id, ssn: 'SSN-1234', contact: { phone: 'PHONE-1' } }]);
    const others = await world.call(`GET /v1/data/${name}?filter=${filter}&fields=name,createdBy`);
    assert.deepEqual(others.body.items, [{ id, name: 'Grace', createdBy: world.admin.id }]);
    const none = await world.call(`GET /v1/data/${name}?filter=${filter}&fields=revision`);
    assert.deepEqual(none.body.items, [{ id, revision: 1 }]);
    const ndjson = { headers: { accept: 'application/x-ndjson' } };
    const exported = await world.call(`GET /v1/data/${name}?filter=${filter}`, ndjson);
    assert.deepEqual(lines(exported.text).map(fieldsOf), [whole]);
    const csv = await world.call(`GET /v1/data/${name}?filter=${filter}`, { headers: { accept: 'text/csv' } });
    assert.match(csv.text, /SSN-1234/);
    const stages = [{ match: { id } }, { project: ['name', 'ssn'] }];
    const rows = await world.call(`POST /v1/data/${name}/aggregate`, { body: { stages } });
    assert.deepEqual(rows.body.items, [{ id, name: 'Grace', ssn: 'SSN-1234' }]);
    const operations = [{ op: 'update', collection: name, id, merge: { ssn: 'SSN-5' } }];
    const batch = await world.call('POST /v1/batch', { body: { operations } });
    assert.equal(batch.status, 200, batch.text);
    assert.match(batch.text, /SSN-5/);
  });

  it('are told by feeds, as they were and as they are, also to who resumes and from a snapshot', async () => {
    const id = await world.create(name, whole);
    const { token } = world.ada;
    const feed = await openFeed(world.replica, name, { token, filter: { id }, snapshot: true });
    await feed.until('the result', () => feed.blocks.some(({ event }) => event === 'ready'));
    const current = feed.blocks.find(({ event }) => event === 'current');
    assert.match(current?.data ?? '', /SSN-1234/);
    const from = feed.lastId();
    assert.equal((await patch(id, { ssn: 'SSN-2' }, mergePatchType)).status, 200);
    const gone = await world.call(`DELETE /v1/data/${name}/${id}`);
    assert.ok(gone.status < 300, gone.text);
    const [updated, deleted] = await feed.count(2);
    feed.close();
    assert.equal(updated?.record?.ssn, 'SSN-2');
    assert.deepEqual(fieldsOf(updated.previous ?? {}), whole);
    assert.deepEqual(fieldsOf(deleted?.previous ?? {}), { ...whole, ssn: 'SSN-2' });
    const resumed = await openFeed(world.replica, name, { token, filter: { id }, after: from });
    const again = await resumed.count(2);
    resumed.close();
    assert.deepEqual(again, [updated, deleted]);
  });

  it('are told by feeds that were open before there were any', async () => {
    const later = `k${randomUUID().slice(0, 8)}`;
    const define = async (encrypted: boolean): Promise<void> => {
      const fields = encrypted ? { ssn: { encrypted } } : {};
      const schema = { properties: { name: { type: 'string' }, ...(encrypted && { ssn: { type: 'string' } }) } };
      const body = { schema, fields, rules: { read: 'public', create: 'signed-in' } };
      const defined = await world.call(`PUT /v1/collections/${later}`, { body });
      assert.ok(defined.status < 300, defined.text);
    };
    await define(false);
    const feed = await openFeed(world.replica, later, { token: world.ada.token });
    await define(true);
    await feed.until('the gap', () => feed.blocks.some(({ event }) => event === 'gap'));
    await world.create(later, { name: 'Grace', ssn: 'SSN-3' });
    const [created] = await feed.count(1);
    feed.close();
    assert.equal(created?.record?.ssn, 'SSN-3');
    // What is kept encrypted here is not for others to keep in the clear.
    for (const path of [`/v1/data/${later}`, `/v1/data/${later}/${created.recordId}`]) {
      const answer = await world.replica.call(`GET ${path}`);
      assert.match(answer.text, /SSN-3/);
      assert.equal(answer.headers.get('cache-control'), 'private, no-cache');
    }
  });

  it('are written by every way of writing', async () => {
    const id = await world.create(name, whole);
    const stored = async (): Promise<unknown> => fieldsOf(await world.read(name, id));
    const ways: readonly [() => Promise<Answered>, object][] = [
      [
        () => patch(id, { $inc: { visits: 4 }, $push: { tags: 'c' } }, operatorsType),
        { ...whole, visits: 7, tags: ['a', 'b', 'c'] },
      ],
      [
        () => patch(id, [{ op: 'copy', from: '/ssn', path: '/name' }], jsonPatchType),
        { ...whole, visits: 7, tags: ['a', 'b', 'c'], name: 'SSN-1234' },
      ],
      [
        () => world.call(`PUT /v1/data/${name}/${id}`, { body: { name: 'put', ssn: null } }),
        { name: 'put', ssn: null },
      ],
      [
        () => patch(id, { $set: { 'contact.phone': 'P' } }, operatorsType),
        { name: 'put', ssn: null, contact: { phone: 'P' } },
      ],
      [
        () => {
          const filter = encodeURIComponent(JSON.stringify({ id }));
          return world.call(`PATCH /v1/data/${name}?filter=${filter}`, {
            body: { ssn: 'by filter' },
            type: mergePatchType,
          });
        },
        { name: 'put', ssn: 'by filter', contact: { phone: 'P' } },
      ],
    ];
    for (const [write, expected] of ways) {
      const answer = await write();
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(await stored(), expected);
      const { fields } = await world.raw(collectionId, id);
      assert.deepEqual(
        Object.keys(fields).sort(),
        Object.keys(expected)
          .filter((key) => ['name', 'contact'].includes(key))
          .sort(),
      );
      assert.ok(!JSON.stringify(fields).includes('phone'));
    }
    // A field that is taken away is gone.
    assert.equal((await patch(id, { ssn: undefined, contact: null }, mergePatchType)).status, 200);
    assert.equal((await patch(id, { $unset: { ssn: true } }, operatorsType)).status, 200);
    assert.deepEqual(await stored(), { name: 'put' });
    assert.equal((await world.raw(collectionId, id)).sealed, undefined);
  });

  it('are imported, repeated imports included', async () => {
    const own = await world.define();
    const body = [1, 2, 3].map((n) => JSON.stringify({ ...whole, visits: n })).join('\n');
    const headers = { 'idempotency-key': randomUUID() };
    const send = async (sent: string): Promise<unknown> => {
      const answer = await world.call(`POST /v1/data/${own.name}`, {
        body: sent,
        type: 'application/x-ndjson',
        headers,
      });
      assert.equal(answer.status, 200, answer.text);
      // As if it had broken off before its end was noted: what is there is compared.
      await world.data.db.collection('idempotency').deleteMany({});
      await world.data.db.collection('imports').updateMany({}, { $unset: { done: true } });
      return [answer.body.created, answer.body.failed];
    };
    assert.deepEqual(await send(body), [3, 0]);
    assert.deepEqual(await send(body), [3, 0]);
    assert.deepEqual(await send(body.replace('SSN-1234', 'SSN-other')), [2, 1]);
    const documents = await world.rawAll(own.id);
    assert.deepEqual(
      documents.map(({ fields }) => fields),
      [plain, plain, plain],
    );
  });

  it('stay sealed as they are where they do not change, and change nothing where nothing does', async () => {
    const id = await world.create(name, whole);
    const before = await world.raw(collectionId, id);
    assert.equal((await patch(id, { name: 'Ada', ssn: 'SSN-9' }, mergePatchType)).status, 200);
    const later = await world.raw(collectionId, id);
    const textOf = (document: RecordDocument, path: string) =>
      document.sealed?.values.find((each) => each.path === path)?.text;
    assert.equal(textOf(later, 'visits'), textOf(before, 'visits'));
    assert.notEqual(textOf(later, 'ssn'), textOf(before, 'ssn'));
    const same = await patch(id, { ssn: 'SSN-9' }, mergePatchType);
    assert.equal(same.headers.get('causeway-event'), null);
    assert.equal(same.body.revision, 2);
    // Two of the same value are not the same.
    const [one, other] = [await world.create(name, whole), await world.create(name, whole)];
    assert.notEqual(
      textOf(await world.raw(collectionId, one), 'ssn'),
      textOf(await world.raw(collectionId, other), 'ssn'),
    );
  });

  it('have to keep to the schema', async () => {
    const refused = await world.call(`POST /v1/data/${name}`, { body: { name: 'x', visits: 'many' } });
    assert.equal(refused.status, 400, refused.text);
    const [error] = (refused.body as unknown as { errors: { pointer: string }[] }).errors;
    assert.equal(error?.pointer, '/visits');
    const own = await world.define();
    await world.create(own.name, whole);
    const properties = { ...patients.schema.properties, ssn: { type: 'string', maxLength: 3 } };
    const stricter = { ...patients, schema: { ...patients.schema, properties } };
    const conflict = await world.call(`PUT /v1/collections/${own.name}`, { body: stricter });
    assert.equal(conflict.status, 409, conflict.text);
    assert.match(conflict.text, /"\/ssn"/);
    assert.ok(!conflict.text.includes('SSN-1234'));
  });

  it('follow the rules of fields as others do', async () => {
    const fields = { ...patients.fields, ssn: { encrypted: true, read: [{ name: { $auth: 'sub' } }] } };
    const own = await world.define({ ...patients, fields });
    const id = await world.create(own.name, { ...whole, name: world.ada.id });
    const foreign = await world.create(own.name, whole);
    const seenBy = async (which: string): Promise<unknown> =>
      (await world.call(`GET /v1/data/${own.name}/${which}`, {}, world.ada)).body.ssn;
    assert.equal(await seenBy(id), 'SSN-1234');
    assert.equal(await seenBy(foreign), undefined);
    const hidden = await world.call(
      `PATCH /v1/data/${own.name}/${foreign}`,
      { body: { name: 'renamed' }, type: mergePatchType },
      world.ada,
    );
    assert.equal(hidden.status, 200, hidden.text);
    assert.equal((await world.read(own.name, foreign)).ssn, 'SSN-1234');
    const written = { body: { ssn: 'mine' }, type: mergePatchType };
    assert.equal((await world.call(`PATCH /v1/data/${own.name}/${foreign}`, written, world.ada)).status, 403);
  });

  it('open at no other place: a value that is moved is refused', async () => {
    const own = await world.define();
    const [from, to] = [await world.create(own.name, whole), await world.create(own.name, { ...whole, ssn: 'other' })];
    const { sealed } = await world.raw(own.id, from);
    const move = (values: unknown) => recordsOf(own.id).updateOne({ _id: to }, { $set: { 'sealed.values': values } });
    // Another record's.
    await move(sealed?.values);
    const refused = await world.call(`GET /v1/data/${own.name}/${to}`);
    assert.equal(refused.status, 500, refused.text);
    assert.equal((await world.call(`GET /v1/data/${own.name}`)).status, 500);
    // Another field's.
    await move([{ path: 'ssn', text: sealed?.values.find(({ path }) => path === 'contact.phone')?.text }]);
    assert.equal((await world.call(`GET /v1/data/${own.name}/${to}`)).status, 500);
    // Another collection's.
    const twin = await world.define();
    const document = await world.raw(own.id, from);
    await recordsOf(twin.id).insertOne(document);
    assert.equal((await world.call(`GET /v1/data/${twin.name}/${from}`)).status, 500);
    // The others are read.
    assert.deepEqual(fieldsOf(await world.read(own.name, from)), whole);
  });
});
