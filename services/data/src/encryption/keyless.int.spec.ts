import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { mergePatchType } from '../records/merge-patch.ts';
import type { Answered, TestReplica } from '../testing/test-data.ts';
import { fieldsOf, openTestPatients, patients } from '../testing/test-patients.ts';
import type { TestPatients } from '../testing/test-patients.ts';

const whole = { name: 'Grace', ssn: 'SSN-1234', contact: { city: 'Bern', phone: 'PHONE-1' } };

const kinds = [
  ['no key', ''],
  ['another key', randomUUID() + randomUUID()],
] as const;

for (const [title, key] of kinds) {
  describe(`a replica with ${title} for encrypted fields`, () => {
    let world: TestPatients;
    let keyless: TestReplica;
    let name: string;
    let collectionId: string;
    let id: string;

    before(async () => {
      world = await openTestPatients();
      ({ name, id: collectionId } = await world.define());
      id = await world.create(name, whole);
      keyless = await world.data.replica({ CAUSEWAY_FIELD_KEY: key });
    });
    after(() => world.data.stop());

    const call = (methodAndPath: string, body?: unknown, type?: string): Promise<Answered> =>
      keyless.call(methodAndPath, {
        token: world.admin.token,
        ...(body === undefined ? {} : { body }),
        ...(type === undefined ? {} : { type }),
      });
    const codeOf = ({ status, body }: Answered): string => `${status} ${String(body.code)}`;

    it('shows nothing that is sealed, and all else', async () => {
      const bare = await call(`POST /v1/data/${name}`, { name: 'Ada' });
      assert.equal(bare.status, 201, bare.text);
      assert.equal((await call(`GET /v1/data/${name}/${String(bare.body.id)}`)).status, 200);
      for (const path of [`/v1/data/${name}/${id}`, `/v1/data/${name}`, `/v1/data/${name}?fields=ssn`]) {
        assert.equal(codeOf(await call(`GET ${path}`)), '503 field-key-missing', path);
      }
      assert.equal(codeOf(await call(`POST /v1/data/${name}`, whole)), '503 field-key-missing');
      const patched = await call(`PATCH /v1/data/${name}/${id}`, { name: 'other' }, mergePatchType);
      assert.equal(codeOf(patched), '503 field-key-missing');
      const own = await world.define({ schema: {}, rules: { read: 'public' } });
      assert.equal((await call(`GET /v1/data/${own.name}`)).status, 200);
      assert.deepEqual(fieldsOf(await world.read(name, id)), whole);
    });

    it('makes no key: what it sealed with it no other replica would open', async () => {
      const other = `k${randomUUID().slice(0, 8)}`;
      const expected = key === '' ? 'no-field-key' : 'other-field-key';
      for (const query of ['', '?dryRun=true']) {
        const refused = await call(`PUT /v1/collections/${other}${query}`, patients);
        assert.equal(refused.status, 400, refused.text);
        const { errors } = refused.body as unknown as { errors: { pointer: string; code: string; message: string }[] };
        assert.deepEqual(
          errors.map(({ pointer, code }) => `${pointer} ${code}`),
          Object.keys(patients.fields).map((path) => `/fields/${path}/encrypted ${expected}`),
        );
        assert.match(errors[0]?.message ?? '', /CAUSEWAY_FIELD_KEY/);
      }
      // Nor for a collection that is there, and has had none.
      const { name: plain } = await world.define({ schema: patients.schema, rules: patients.rules });
      assert.equal((await call(`PUT /v1/collections/${plain}`, patients)).status, 400);
      await world.define(patients, plain);
    });

    it('deletes records, and what refers to what it deletes', async () => {
      const target = await world.define({ schema: {}, rules: patients.rules });
      const referring = (onDelete: string, required: readonly string[] = []) => ({
        ...patients,
        schema: {
          ...patients.schema,
          required: ['ssn', ...required],
          properties: { ...patients.schema.properties, of: { type: ['string', 'null'] } },
        },
        fields: { ...patients.fields, of: { reference: { collection: target.name, onDelete } } },
      });
      const cascading = await world.define(referring('cascade'));
      const loose = await world.define(referring('null'));
      const made = async () => {
        const of = await world.create(target.name, {});
        return {
          of,
          ids: [await world.create(cascading.name, { ...whole, of }), await world.create(loose.name, { ...whole, of })],
        };
      };
      const { of, ids } = await made();
      const gone = await call(`DELETE /v1/data/${target.name}/${of}`);
      assert.equal(gone.status, 204, gone.text);
      assert.deepEqual(await world.rawAll(cascading.id), []);
      assert.deepEqual(fieldsOf(await world.read(loose.name, ids[1] ?? '')), { ...whole, of: null });
      // What is left still has to keep to its schema.
      const dependent = {
        ...referring('null'),
        schema: {
          ...referring('null').schema,
          if: { properties: { name: { const: 'Grace' } }, required: ['name'] },
          then: { properties: { of: { type: 'string' } } },
        },
      };
      const strict = await world.define(dependent);
      const kept = await world.create(target.name, {});
      await world.create(strict.name, { ...whole, of: kept });
      assert.equal(codeOf(await call(`DELETE /v1/data/${target.name}/${kept}`)), '409 still-referenced');
      const deleted = await call(`DELETE /v1/data/${name}/${await world.create(name, whole)}`);
      assert.equal(deleted.status, 204, deleted.text);
    });

    it('removes a collection with its records', async () => {
      const own = await world.define();
      await world.create(own.name, whole);
      const removed = await call(`DELETE /v1/collections/${own.name}?records=delete`);
      assert.equal(removed.status, 204, removed.text);
      assert.deepEqual(await world.rawAll(own.id), []);
    });

    it('erases people, whose records stay as they are but for their name, or go', async () => {
      const own = await world.define({ ...patients, onErase: 'delete' });
      const by = { token: world.ada.token };
      const kept = await world.call(`POST /v1/data/${name}`, { body: whole, ...by });
      await world.call(`POST /v1/data/${own.name}`, { body: whole, ...by });
      // It alone is left to do it.
      await world.replica.stop();
      await world.data.erase(world.ada.id, 'requested');
      const markers = world.data.db.collection<{ _id: string; status: string }>('removals');
      const bound = performance.now() + 60_000;
      while ((await markers.findOne({ _id: world.ada.id, status: 'prepared' })) === null) {
        assert.ok(performance.now() < bound, 'it is never prepared');
        await delay(20);
      }
      assert.deepEqual(await world.rawAll(own.id), []);
      const document = await world.raw(collectionId, String(kept.body.id));
      assert.equal(document.createdBy, undefined);
      // And nothing is lost: whoever has the key reads all.
      const again = await world.data.replica();
      const answer = await again.call(`GET /v1/data/${name}/${String(kept.body.id)}`, { token: world.admin.token });
      assert.deepEqual(fieldsOf(answer.body), whole);
    });
  });
}

describe('the root key of encrypted fields', () => {
  let world: TestPatients;
  let first: TestReplica;
  let second: TestReplica;
  before(async () => {
    world = await openTestPatients();
  });
  after(() => world.data.stop());

  const define = (at: TestReplica): Promise<Answered> =>
    at.call(`PUT /v1/collections/k${randomUUID().slice(0, 8)}`, { body: patients, token: world.admin.token });

  it('is the one of whoever makes the first key, of two who begin at once', async () => {
    const others = await Promise.all(
      [1, 2].map(() => world.data.replica({ CAUSEWAY_FIELD_KEY: randomUUID() + randomUUID() })),
    );
    const all = [world.replica, ...others];
    const isMade = async (work: Promise<Answered>): Promise<boolean> => (await work).status === 201;
    const atOnce = await Promise.all(all.map((each) => isMade(define(each))));
    const later: boolean[] = [];
    for (const each of all) later.push(await isMade(define(each)));
    assert.ok(atOnce.filter(Boolean).length <= 1);
    assert.equal(later.filter(Boolean).length, 1);
    if (atOnce.includes(true)) assert.deepEqual(later, atOnce);
    first = all[later.indexOf(true)] ?? assert.fail();
    second = all[later.indexOf(false)] ?? assert.fail();
  });

  it('is another once all that it kept is removed', async () => {
    assert.equal((await define(second)).status, 400);
    const { body } = await second.call('GET /v1/collections', { token: world.admin.token });
    for (const { name } of body.items as unknown as { name: string }[]) {
      const removed = await second.call(`DELETE /v1/collections/${name}`, { token: world.admin.token });
      assert.equal(removed.status, 204, removed.text);
    }
    assert.equal((await define(second)).status, 201);
    assert.equal((await define(first)).status, 400);
  });

  it('is taken from the keys of a release that did not note it', async () => {
    const rows = world.data.db.collection<{ _id: string; roots: string[] }>('field_roots');
    const row = await rows.findOne({ _id: 'roots' });
    await rows.deleteOne({ _id: 'roots' });
    assert.equal((await define(first)).status, 400);
    assert.deepEqual((await rows.findOne({ _id: 'roots' }))?.roots, row?.roots);
    assert.equal((await define(second)).status, 201);
  });
});
