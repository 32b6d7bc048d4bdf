import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { lockDefinition } from '../collections/definition-lock.ts';
import { parseDefinition } from '../collections/parse-definition.ts';
import { mergePatchType } from '../records/merge-patch.ts';
import type { Answered } from '../testing/test-data.ts';
import { fieldsOf, openTestPatients, patients } from '../testing/test-patients.ts';
import type { TestPatients } from '../testing/test-patients.ts';

const whole = { name: 'Grace', ssn: 'SSN-1234', visits: 3, tags: ['a'], contact: { city: 'Bern', phone: 'PHONE-1' } };

describe('what is encrypted', () => {
  let world: TestPatients;
  let name: string;

  before(async () => {
    world = await openTestPatients();
    ({ name } = await world.define());
    await world.create(name, whole);
  });
  after(() => world.data.stop());

  interface Located {
    readonly pointer?: string;
    readonly parameter?: string;
    readonly code: string;
  }
  const outcome = ({ status, body }: Answered): string =>
    [
      status,
      ...((body as unknown as { errors?: Located[] }).errors ?? []).map(
        ({ pointer, parameter, code }) => `${pointer ?? parameter ?? ''} ${code}`,
      ),
    ].join(' ');
  const inAddress = (filter: unknown): string => encodeURIComponent(JSON.stringify(filter));
  const put = (definition: object, of = `p${randomUUID().slice(0, 8)}`, query = ''): Promise<Answered> =>
    world.call(`PUT /v1/collections/${of}${query}`, { body: definition });
  const plain = ({ fields: _fields, ...rest }: typeof patients) => rest;

  it('finds nothing, puts nothing in order and makes nothing up, for nobody', async () => {
    for (const by of [world.admin, world.ada]) {
      for (const filter of [
        { ssn: 'SSN-1234' },
        { ssn: { $exists: false } },
        { $nor: [{ visits: { $gt: 1 } }] },
        { tags: { $in: ['a'] } },
        { 'tags.0': 'a' },
        { contact: { $exists: true } },
        { 'contact.phone': { $regex: '^P' } },
        { $or: [{ name: 'x' }, { tags: { $elemMatch: { $eq: 'a' } } }] },
      ]) {
        for (const path of ['', '/changes']) {
          const answer = await world.call(`GET /v1/data/${name}${path}?filter=${inAddress(filter)}`, {}, by);
          assert.equal(
            outcome(answer),
            '400 filter encrypted-field',
            `${path} ${JSON.stringify(filter)} ${answer.text}`,
          );
        }
        const asked = await world.call(`POST /v1/data/${name}/query`, { body: { filter } }, by);
        assert.equal(outcome(asked), '400 /filter encrypted-field', asked.text);
        const exported = { headers: { accept: 'text/csv' } };
        const csv = await world.call(`GET /v1/data/${name}?filter=${inAddress(filter)}`, exported, by);
        assert.equal(outcome(csv), '400 filter encrypted-field');
        const patched = { body: { name: 'n' }, type: mergePatchType };
        const many = `/v1/data/${name}?filter=${inAddress(filter)}`;
        assert.equal(outcome(await world.call(`PATCH ${many}`, patched, by)), '400 filter encrypted-field');
        assert.equal(outcome(await world.call(`DELETE ${many}`, {}, by)), '400 filter encrypted-field');
        const match = { body: { stages: [{ match: filter }] } };
        assert.match(outcome(await world.call(`POST /v1/data/${name}/aggregate`, match, by)), /^400 .*encrypted-field/);
      }
      assert.equal(outcome(await world.call(`GET /v1/data/${name}?sort=-visits`, {}, by)), '400 sort encrypted-field');
      for (const stages of [
        [{ group: { by: { s: 'ssn' }, fields: { n: 'count' } } }],
        [{ group: { by: {}, fields: { n: { sum: 'visits' } } } }],
        [{ group: { by: {}, fields: { n: { addToSet: 'contact.phone' } } } }],
        [{ sort: ['visits'] }],
      ]) {
        const answer = await world.call(`POST /v1/data/${name}/aggregate`, { body: { stages } }, by);
        assert.match(outcome(answer), /^400 \/stages\S* encrypted-field/, `${JSON.stringify(stages)} ${answer.text}`);
      }
    }
    const upsert = await world.call(`PUT /v1/data/${name}?by=ssn`, { body: whole });
    // No index is of it.
    assert.equal(upsert.status, 422, upsert.text);
  });

  it('is in no index, rule, reference or expiry', async () => {
    const { fields, rules } = patients;
    const properties = { ...patients.schema.properties, until: { type: 'string', format: 'date-time' } };
    const dated = { ...patients.schema, properties };
    for (const [definition, expected] of [
      [{ ...patients, indexes: [{ keys: { ssn: 1 } }] }, '400 /indexes/0/keys/ssn encrypted-field'],
      [
        { ...patients, indexes: [{ keys: { name: 1, contact: 1 }, unique: true }] },
        '400 /indexes/0/keys/contact encrypted-field',
      ],
      [{ ...patients, indexes: [{ keys: { ssn: 'text' } }] }, '400 /indexes/0/keys/ssn encrypted-field'],
      [
        { ...patients, indexes: [{ keys: { name: 1 }, where: { $and: [{ visits: 1 }] } }] },
        '400 /indexes/0/where encrypted-field',
      ],
      [
        { ...patients, rules: { ...rules, read: [{ name: 'x' }, { ssn: { $auth: 'sub' } }] } },
        '400 /rules/read/1 encrypted-field',
      ],
      [{ ...patients, rules: { ...rules, update: [{ tags: 'x' }] } }, '400 /rules/update/0 encrypted-field'],
      [
        { ...patients, rules: { ...rules, update: { before: 'public', after: [{ name: { $before: 'ssn' } }] } } },
        '400 /rules/update/after/0 encrypted-field',
      ],
      [
        { ...patients, fields: { ...fields, name: { read: [{ ssn: 'x' }] } } },
        '400 /fields/name/read/0 encrypted-field',
      ],
      [
        { ...patients, fields: { ssn: { encrypted: true, reference: { collection: name } } } },
        '400 /fields/ssn/reference encrypted-field',
      ],
      [
        { ...patients, fields: { contact: { encrypted: true }, 'contact.city': { readOnly: true } } },
        '400 /fields/contact.city within-encrypted',
      ],
      [
        { ...patients, schema: dated, fields: { until: { encrypted: true } }, expiry: { field: 'until' } },
        '400 /expiry/field encrypted-field',
      ],
      [
        { ...patients, fields: { ssn: { encrypted: true, default: 'for all to see' } } },
        '400 /fields/ssn/default encrypted-field',
      ],
      [{ ...patients, fields: { ssn: { encrypted: false } } }, '400 /fields/ssn/encrypted invalid-option'],
    ] as const) {
      const answer = await put(definition);
      assert.equal(outcome(answer), expected, answer.text);
      const tried = await put(definition, undefined, '?dryRun=true');
      assert.equal(outcome(tried), expected, tried.text);
    }
  });

  it('is asked for by no rule that follows a reference, whichever of the two is defined first', async () => {
    const target = await world.define();
    const following = (field: string) => ({
      schema: { properties: { patient: { type: 'string' } } },
      fields: { patient: { reference: { collection: target.name } } },
      rules: { read: [{ patient: { $follow: { [field]: { $auth: 'sub' } } } }], create: 'public' },
    });
    assert.match(outcome(await put(following('ssn'))), /^400 \/rules\/read\/0\/patient\S* encrypted-field$/);
    assert.equal(outcome(await put(following('name'))), '201');
    const later = await world.define(plain(patients));
    const first = { ...following('ssn'), fields: { patient: { reference: { collection: later.name } } } };
    assert.equal(outcome(await put(first)), '201');
    for (const query of ['', '?dryRun=true']) {
      const answer = await put({ ...patients, fields: { ssn: { encrypted: true } } }, later.name, query);
      assert.equal(outcome(answer), '400 /fields/ssn/encrypted encrypted-field', answer.text);
    }
    assert.equal(outcome(await put({ ...patients, fields: { visits: { encrypted: true } } }, later.name)), '200');
  });

  const settled = async (migration: string): Promise<Record<string, unknown>> => {
    const bound = performance.now() + 60_000;
    while (performance.now() < bound) {
      const { body } = await world.call(`GET /v1/migrations/${migration}`);
      if (String(body.status) !== 'running') return body;
      await delay(50);
    }
    return assert.fail(`${migration} does not come to an end`);
  };
  let count = 0;
  const migrate = async (steps: readonly object[]): Promise<Record<string, unknown>> => {
    const of = `${String((count += 1)).padStart(4, '0')}-encrypt`;
    const answer = await world.call('POST /v1/migrations', { body: { name: of, steps } });
    assert.equal(answer.status, 202, answer.text);
    return await settled(of);
  };

  it('becomes so where there are no values, and by a migration where there are some', async () => {
    const own = await world.define(plain(patients));
    const id = await world.create(own.name, whole);
    for (const [definition, of] of [[{ ...patients, fields: { ssn: { encrypted: true } } }, own.name] as const]) {
      const refused = await put(definition, of);
      assert.deepEqual([refused.status, refused.body.code], [409, 'definition-conflict'], refused.text);
      assert.match(refused.text, /\$rename/);
      assert.match(refused.text, new RegExp(id));
      const tried = await put(definition, of, '?dryRun=true');
      const [conflict] = tried.body.conflicts as unknown as { pointer: string; count: number }[];
      assert.deepEqual([conflict?.pointer, conflict?.count], ['/fields/ssn/encrypted', 1], tried.text);
    }
    const properties = { ...patients.schema.properties, sealedSsn: patients.schema.properties.ssn };
    const wider = { schema: { ...patients.schema, properties }, rules: patients.rules };
    const change = (from: string, to: string) => ({
      change: { collection: own.name, operators: { $rename: { [from]: to } } },
    });
    const define = (fields: object) => ({ define: { collection: own.name, ...wider, fields } });
    const done = await migrate([
      define({ sealedSsn: { encrypted: true } }),
      change('ssn', 'sealedSsn'),
      define({ sealedSsn: { encrypted: true }, ssn: { encrypted: true } }),
      change('sealedSsn', 'ssn'),
      define({ ssn: { encrypted: true } }),
    ]);
    assert.equal(done.status, 'applied', JSON.stringify(done));
    const document = await world.raw(own.id, id);
    assert.deepEqual(
      document.sealed?.values.map(({ path }) => path),
      ['ssn'],
    );
    assert.ok(!Object.hasOwn(document.fields, 'ssn'));
    assert.deepEqual(fieldsOf(await world.read(own.name, id)), whole);
    // And back: what is encrypted is not laid open by leaving out the option.
    const back = await put({ ...wider }, own.name);
    assert.deepEqual([back.status, back.body.code], [409, 'definition-conflict'], back.text);
    const opened = await migrate([change('ssn', 'sealedSsn'), define({})]);
    assert.equal(opened.status, 'applied', JSON.stringify(opened));
    assert.deepEqual((await world.raw(own.id, id)).sealed, undefined);
  });

  it('is changed by migrations, which cannot look for it', async () => {
    const own = await world.define();
    const id = await world.create(own.name, whole);
    const made = await migrate([
      { change: { collection: own.name, filter: { name: 'Grace' }, operators: { $inc: { visits: 1 } } } },
    ]);
    assert.equal(made.status, 'applied', JSON.stringify(made));
    assert.deepEqual(fieldsOf(await world.read(own.name, id)), { ...whole, visits: 4 });
    assert.deepEqual((await world.raw(own.id, id)).fields, { name: 'Grace', contact: { city: 'Bern' } });
    const change = (operators: object) => ({ change: { collection: own.name, operators } });
    for (const [step, expected] of [
      [{ remove: { collection: own.name, filter: { ssn: { $exists: false } } } }, '/steps/0/remove/filter'],
      [change({ $set: { ssn: 'in the clear' } }), '/steps/0/change/operators/$set/ssn'],
      [change({ $set: { contact: { phone: 'in the clear' } } }), '/steps/0/change/operators/$set/contact'],
      [change({ $default: { 'contact.phone': 'in the clear' } }), '/steps/0/change/operators/$default/contact.phone'],
      [change({ $push: { tags: 'in the clear' } }), '/steps/0/change/operators/$push/tags'],
    ] as const) {
      const answer = await world.call('POST /v1/migrations', { body: { name: '9999-told', steps: [step] } });
      assert.equal(outcome(answer), `400 ${expected} encrypted-field`, answer.text);
    }
    assert.equal((await world.rawAll(own.id)).length, 1);
  });

  const followingTo = (target: string) => ({
    schema: { properties: { patient: { type: 'string' } } },
    fields: { patient: { reference: { collection: target } } },
    rules: { read: [{ patient: { $follow: { ssn: { $auth: 'sub' } } } }] },
  });
  const passing = async () => {
    const { name: target, id } = await world.define(plain(patients));
    return { target, id, follow: followingTo(target) };
  };
  const encrypting = { ...patients, fields: { ssn: { encrypted: true } } };
  const isBusy = (answer: Answered): void => assert.equal(answer.body.code, 'definition-busy', answer.text);

  it('is not asked for by a rule of a definition that is about to come, nor encrypted while one does', async () => {
    const { target, id, follow } = await passing();
    const { source } = parseDefinition(encrypting);
    const lock = await lockDefinition(world.data.db, id, { pending: source });
    isBusy(await put(follow));
    await lock.release();
    const { name: from, id: fromId } = await world.define(plain(patients));
    const pending = parseDefinition(followingTo(id)).source;
    const other = await lockDefinition(world.data.db, fromId, { pending });
    isBusy(await put(encrypting, target));
    await other.release();
    assert.equal(outcome(await put(encrypting, target)), '200');
    assert.match(outcome(await put(follow, from)), /^400 .*encrypted-field$/);
  });

  it('and is followed by a rule, is not where both come at once', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { target, follow } = await passing();
      const from = round % 2 === 0 ? (await world.define(plain(patients))).name : `p${randomUUID().slice(0, 8)}`;
      const answers = await Promise.all([put(follow, from), put(encrypting, target)]);
      const made = answers.filter(({ status }) => status < 300);
      assert.ok(made.length <= 1, answers.map(({ text }) => text).join('\n'));
      for (const { status, text } of answers) assert.ok(status < 500, text);
    }
  });

  it('has no names of its own in why a definition or a migration was refused', async () => {
    const secret = { type: 'object', properties: { dosage: { type: 'number' } } };
    const properties = { note: { type: 'object' }, secret: { type: 'object' } };
    const definition = { schema: { properties }, fields: { secret: { encrypted: true } } };
    const own = await world.define(definition);
    await world.create(own.name, { secret: { dosage: 'twice', rash: true } });
    const strict = { ...secret, additionalProperties: false };
    const refused = await put({ ...definition, schema: { properties: { ...properties, secret: strict } } }, own.name);
    assert.equal(refused.body.code, 'definition-conflict', refused.text);
    const { text: kept } = await world.call(`GET /v1/collections/${own.name}`);
    for (const text of [refused.text, kept]) {
      assert.match(text, /"\/secret"/);
      assert.doesNotMatch(text, /dosage|rash/);
    }
    const other = await world.define({ ...definition, schema: { properties: { ...properties, secret: strict } } });
    await world.create(other.name, { note: { dosage: 'twice', rash: true } });
    const made = await migrate([{ change: { collection: other.name, operators: { $rename: { note: 'secret' } } } }]);
    assert.equal(made.status, 'stopped', JSON.stringify(made));
    assert.match(JSON.stringify(made), /"\/secret"/);
    assert.doesNotMatch(JSON.stringify(made), /dosage|rash/);
    const reverted = await world.call(`POST /v1/migrations/${String(made.name)}/revert`);
    assert.ok(reverted.status < 300, reverted.text);
    await settled(String(made.name));
  });

  it('is not written by what a migration said before it was encrypted', async () => {
    const own = await world.define(plain(patients));
    const id = await world.create(own.name, { name: 'bad' });
    await world.create(own.name, { name: 'good' });
    const steps = [
      { change: { collection: own.name, filter: { name: 'bad' }, operators: { $set: { name: 5 } } } },
      { change: { collection: own.name, operators: { $set: { ssn: 'in the clear' } } } },
    ];
    const stopped = await migrate(steps);
    assert.equal(stopped.status, 'stopped', JSON.stringify(stopped));
    assert.equal(outcome(await put(encrypting, own.name)), '200');
    assert.equal((await world.call(`DELETE /v1/data/${own.name}/${id}`)).status, 204);
    const of = String(stopped.name);
    assert.equal((await world.call('POST /v1/migrations', { body: { name: of, steps } })).status, 202);
    const { status, failure } = await settled(of);
    const { step, errors } = failure as { step: number; errors: readonly Located[] };
    assert.deepEqual([status, step], ['stopped', 1], JSON.stringify(failure));
    assert.deepEqual(
      errors.map(({ pointer, code }) => [pointer, code]),
      [['/change/operators/$set/ssn', 'encrypted-field']],
    );
    assert.deepEqual(
      (await world.rawAll(own.id)).map(({ sealed }) => sealed),
      [undefined],
    );
  });
});
