import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import { definitionsCollection } from '../collections/collection.model.ts';
import { mergePatchType } from '../records/merge-patch.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { createHeldStream } from '../testing/held-stream.ts';
import type { Answered, TestReplica } from '../testing/test-data.ts';
import { fieldsOf, openTestPatients, patients } from '../testing/test-patients.ts';
import type { TestPatients } from '../testing/test-patients.ts';
import { createRemoveRetiredKeys, keptDays } from './remove-retired-keys.ts';

interface Rotation {
  readonly status: string;
  readonly version: number;
  readonly looked: number;
  readonly of: number;
  readonly resealed: number;
  readonly broken: number;
}

describe('the rotation of a key', () => {
  let world: TestPatients;
  let other: TestReplica;
  before(async () => {
    world = await openTestPatients();
    other = await world.data.replica();
  });
  after(() => world.data.stop());

  const rotate = (name: string, by = world.admin): Promise<Answered> =>
    world.call(`POST /v1/collections/${name}/keys/rotations`, {}, by);
  const keysOf = (name: string): Promise<Answered> => world.call(`GET /v1/collections/${name}/keys`);
  const rotationOf = async (name: string): Promise<Rotation> => {
    const { body, text } = await keysOf(name);
    return (body as { rotation?: Rotation }).rotation ?? assert.fail(text);
  };
  const done = async (name: string): Promise<Rotation> => {
    const bound = performance.now() + 120_000;
    for (;;) {
      const rotation = await rotationOf(name);
      if (rotation.status === 'done') return rotation;
      assert.ok(performance.now() < bound, `it does not come to an end: ${JSON.stringify(rotation)}`);
      await delay(100);
    }
  };
  const importMany = async (name: string, count: number, more: object = {}): Promise<void> => {
    const lineOf = (n: number): string => JSON.stringify({ name: `n${n}`, ssn: `SSN-${n}`, visits: n, ...more });
    const body = Array.from({ length: count }, (_, n) => lineOf(n));
    const options = { body: body.join('\n'), type: 'application/x-ndjson' };
    const answer = await world.call(`POST /v1/data/${name}`, options);
    assert.equal((answer.body as { created?: number }).created, count, answer.text);
  };
  const withoutSealed = ({ sealed: _sealed, outbox: _outbox, ...rest }: RecordDocument) => rest;

  it('seals every record anew while others write, and changes nothing of it: no revision, no event, no value', async () => {
    const { name, id } = await world.define();
    await importMany(name, 600);
    const documents = await world.rawAll(id);
    const [written, left] = [documents.slice(0, 90), documents.slice(90)];
    const published = await world.data.published();
    const begun = await rotate(name);
    assert.equal(begun.status, 202, begun.text);
    assert.equal(begun.headers.get('location'), `/v1/collections/${name}/keys`);
    assert.equal(begun.body.current, 1);
    let running = true;
    const last = new Map<string, string>();
    const write = async (own: readonly RecordDocument[], at: TestReplica): Promise<string[]> => {
      const made: string[] = [];
      for (let n = 0; running; n += 1) {
        const { _id } = own[n % own.length] ?? assert.fail();
        const ssn = `NEW-${randomUUID()}`;
        const options = { body: { ssn }, type: mergePatchType, token: world.admin.token };
        const answer = await at.call(`PATCH /v1/data/${name}/${_id}`, options);
        assert.equal(answer.status, 200, answer.text);
        last.set(_id, ssn);
        made.push(
          String(
            (await at.call(`POST /v1/data/${name}`, { body: { name: 'new', ssn }, token: world.admin.token })).body.id,
          ),
        );
      }
      return made;
    };
    const writers = [
      write(written.slice(0, 30), world.replica),
      write(written.slice(30, 60), other),
      write(written.slice(60), other),
    ];
    const rotation = await done(name).finally(() => {
      running = false;
    });
    const created = (await Promise.all(writers)).flat();
    assert.ok(last.size > 0 && created.length > 0);
    assert.ok(rotation.resealed >= left.length && rotation.broken === 0, JSON.stringify(rotation));
    const afterwards = await world.rawAll(id);
    assert.equal(afterwards.length, 600 + created.length);
    for (const document of afterwards) assert.equal(document.sealed?.key, 2, document._id);
    const byId = new Map(afterwards.map((each) => [each._id, each]));
    for (const document of left) {
      assert.deepEqual(withoutSealed(byId.get(document._id) ?? assert.fail()), withoutSealed(document));
    }
    for (const { _id, fields, revision } of documents.filter((_, n) => n < 90 || n % 20 === 0)) {
      const { name: of } = fields as { name: string };
      const { ssn, visits } = fieldsOf(await world.read(name, _id));
      assert.deepEqual([ssn, visits], [last.get(_id) ?? of.replace('n', 'SSN-'), Number(of.slice(1))]);
      if (!last.has(_id)) assert.equal(byId.get(_id)?.revision, revision);
    }
    await published.waitFor(({ subject }) => subject === `record/${created.at(-1) ?? ''}`);
    const untouched = new Set(left.map(({ _id }) => `record/${_id}`));
    await published.waitFor(({ subject }) => untouched.has(subject), left.length);
    const told = published.all.filter(({ subject }) => untouched.has(subject));
    assert.equal(told.length, left.length, 'each of them is told of once: of its creation');
    const { body } = await keysOf(name);
    const keys = body.keys as unknown as { version: number; status: string; removedAfter?: string }[];
    assert.deepEqual(
      keys.map(({ version, status }) => `${version} ${status}`),
      ['1 replaced', '2 current'],
    );
    const days = (Date.parse(keys[0]?.removedAfter ?? '') - Date.now()) / 86_400_000;
    assert.ok(days > keptDays - 1 && days <= keptDays + 1, String(days));
    assert.deepEqual(Object.keys(keys[1] ?? {}).sort(), ['status', 'version']);
  });

  it('waits until every replica has heard of the new key: none is asked for what it cannot open', async () => {
    const { name } = await world.define();
    await importMany(name, 3);
    const held = createHeldStream();
    const late = await world.data.replica({}, held);
    const list = () => late.call(`GET /v1/data/${name}`, { token: world.admin.token });
    assert.equal((await list()).status, 200);
    held.hold();
    assert.equal((await rotate(name)).status, 202);
    for (let isOver = false; !isOver;) {
      isOver = (await rotationOf(name)).status === 'done';
      const answer = await list();
      assert.equal(answer.status, 200, answer.text);
      assert.equal((answer.body.items as unknown as { ssn: string }[])[0]?.ssn, 'SSN-0');
    }
    await late.stop();
  });

  it('comes one at a time, and again and again', async () => {
    const { name, id } = await world.define();
    await importMany(name, 3);
    const answers = await Promise.all([rotate(name), rotate(name), rotate(name)]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [202, 409, 409]);
    for (const { status, body } of answers) {
      if (status === 409) assert.ok(['rotation-under-way', 'definition-busy', 'conflict'].includes(String(body.code)));
    }
    const again = await rotate(name);
    assert.deepEqual([again.status, again.body.code], [409, 'rotation-under-way'], again.text);
    // Its definition may be changed meanwhile.
    const { body } = await world.call(`GET /v1/collections/${name}`);
    const { schema, rules, fields } = body as Record<string, unknown>;
    const change = { body: { schema, rules, fields, scans: 'allow' } };
    let changed = await world.call(`PUT /v1/collections/${name}`, change);
    // While the new key becomes the current one it waits; each is short.
    for (let tries = 0; changed.status === 409 && tries < 200; tries += 1) {
      await delay(50);
      changed = await world.call(`PUT /v1/collections/${name}`, change);
    }
    assert.equal(changed.status, 200, changed.text);
    assert.equal((await done(name)).version, 2);
    assert.equal((await rotate(name)).status, 202);
    assert.equal((await done(name)).version, 3);
    for (const document of await world.rawAll(id)) assert.equal(document.sealed?.key, 3);
  });

  it('is refused where there is no key to rotate, or nobody who may', async () => {
    const { name: plain } = await world.define({ schema: {}, rules: { read: 'public' } });
    const { name } = await world.define();
    const codeOf = ({ status, body }: Answered): string => `${status} ${String(body.code)}`;
    for (const call of ['POST /v1/collections/N/keys/rotations', 'GET /v1/collections/N/keys']) {
      const of = (which: string, by = world.admin): Promise<Answered> => world.call(call.replace('N', which), {}, by);
      assert.equal(codeOf(await of(plain)), '409 nothing-encrypted');
      assert.equal(codeOf(await of('nowhere')), '404 not-found');
      assert.equal(codeOf(await of(name, world.ada)), '403 forbidden');
    }
    for (const key of ['', randomUUID() + randomUUID()]) {
      const keyless = await world.data.replica({ CAUSEWAY_FIELD_KEY: key });
      const path = `/v1/collections/${name}/keys`;
      const refused = await keyless.call(`POST ${path}/rotations`, { token: world.admin.token });
      assert.equal(codeOf(refused), '503 field-key-missing');
      assert.equal((await keyless.call(`GET ${path}`, { token: world.admin.token })).status, 200);
      await keyless.stop();
    }
    assert.equal((await keysOf(name)).body.rotation, undefined);
  });

  it('leaves what does not open as it is, with its key, and what it refers to can be deleted', async () => {
    const target = await world.define({ schema: {}, rules: patients.rules });
    const { properties } = patients.schema;
    const { name, id } = await world.define({
      ...patients,
      schema: { ...patients.schema, properties: { ...properties, of: { type: ['string', 'null'] } } },
      fields: { ...patients.fields, of: { reference: { collection: target.name, onDelete: 'null' } } },
    });
    const of = await world.create(target.name, {});
    await importMany(name, 3, { of });
    const [one, two] = await world.rawAll(id);
    const records = world.data.db.collection<RecordDocument>(`records_${id}`);
    await records.updateOne({ _id: one?._id ?? '' }, { $set: { sealed: two?.sealed ?? assert.fail() } });
    await rotate(name);
    assert.equal((await done(name)).broken, 1);
    const used = (await world.rawAll(id)).map(({ sealed }) => sealed?.key);
    assert.deepEqual(used, [1, 2, 2]);
    const gone = await world.call(`DELETE /v1/data/${target.name}/${of}`);
    assert.equal(gone.status, 204, gone.text);
    assert.deepEqual(
      (await world.rawAll(id)).map(({ fields }) => fields.of),
      [null, null, null],
    );
  });

  it('is followed by the end of the key before, once no record uses it and its time is over', async () => {
    const { name, id } = await world.define();
    await importMany(name, 2);
    await rotate(name);
    await done(name);
    const definitions = world.data.db.collection<DefinitionDocument>(definitionsCollection);
    const logger = { info: () => undefined, warn: () => undefined };
    const remove = createRemoveRetiredKeys({ events: { db: world.data.db }, definitions, logger });
    const versions = async (): Promise<unknown> =>
      (await definitions.findOne({ _id: id }))?.keys?.versions.map(({ version }) => version);
    const removed = async (): Promise<unknown> => {
      await remove(new AbortController().signal);
      return await versions();
    };
    assert.deepEqual(await removed(), [1, 2]);
    const retiredAt = new Date(Date.now() - (keptDays + 1) * 86_400_000);
    await definitions.updateOne({ _id: id }, { $set: { 'keys.versions.0.retiredAt': retiredAt } });
    const records = world.data.db.collection<RecordDocument>(`records_${id}`);
    const [{ _id } = assert.fail()] = await world.rawAll(id);
    const plainly = { bypassDocumentValidation: true };
    await records.updateOne({ _id }, { $set: { 'sealed.key': 1 } }, plainly);
    assert.deepEqual(await removed(), [1, 2], 'a record uses it');
    await records.updateOne({ _id }, { $set: { 'sealed.key': 2 } }, plainly);
    assert.deepEqual(await removed(), [2]);
    assert.equal((await world.read(name, _id)).ssn, 'SSN-0');
  });

  it('leaves a record whose key is not there any more, comes to its end, and keys that are not used go all the same', async () => {
    const { name, id } = await world.define();
    await importMany(name, 3);
    const records = world.data.db.collection<RecordDocument>(`records_${id}`);
    const [{ _id } = assert.fail()] = await world.rawAll(id);
    const plainly = { bypassDocumentValidation: true };
    await records.updateOne({ _id }, { $set: { 'sealed.key': 9 } }, plainly);
    await rotate(name);
    assert.equal((await done(name)).broken, 1);
    await rotate(name);
    const { broken, version } = await done(name);
    assert.deepEqual({ broken, version }, { broken: 1, version: 3 });
    // One that uses the oldest keeps that one alone.
    await records.updateOne({ _id }, { $set: { 'sealed.key': 1 } }, plainly);
    const definitions = world.data.db.collection<DefinitionDocument>(definitionsCollection);
    const retiredAt = new Date(Date.now() - (keptDays + 1) * 86_400_000);
    await definitions.updateOne(
      { _id: id },
      { $set: { 'keys.versions.0.retiredAt': retiredAt, 'keys.versions.1.retiredAt': retiredAt } },
    );
    const logger = { info: () => undefined, warn: () => undefined };
    const remove = createRemoveRetiredKeys({ events: { db: world.data.db }, definitions, logger });
    await remove(new AbortController().signal);
    const kept = (await definitions.findOne({ _id: id }))?.keys?.versions.map(({ version: own }) => own);
    assert.deepEqual(kept, [1, 3]);
  });
});
