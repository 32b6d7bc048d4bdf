import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { lockDefinition } from '../collections/definition-lock.ts';
import { parseDefinition } from '../collections/parse-definition.ts';
import type { Answered } from '../testing/test-data.ts';
import { fieldsOf, openTestPatients, outcomeOf, patients, plainPatients } from '../testing/test-patients.ts';
import type { TestPatients } from '../testing/test-patients.ts';

const whole = { name: 'Grace', ssn: 'SSN-1234', visits: 3, tags: ['a'], contact: { city: 'Bern', phone: 'PHONE-1' } };

describe('a field that becomes encrypted', () => {
  let world: TestPatients;

  before(async () => {
    world = await openTestPatients();
  });
  after(() => world.data.stop());

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
    const own = await world.define(plainPatients);
    const id = await world.create(own.name, whole);
    for (const [definition, of] of [[{ ...patients, fields: { ssn: { encrypted: true } } }, own.name] as const]) {
      const refused = await world.put(definition, of);
      assert.deepEqual([refused.status, refused.body.code], [409, 'definition-conflict'], refused.text);
      assert.match(refused.text, /\$rename/);
      assert.match(refused.text, new RegExp(id));
      const tried = await world.put(definition, of, '?dryRun=true');
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
    const back = await world.put({ ...wider }, own.name);
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
      assert.equal(outcomeOf(answer), `400 ${expected} encrypted-field`, answer.text);
    }
    assert.equal((await world.rawAll(own.id)).length, 1);
  });

  const followingTo = (target: string) => ({
    schema: { properties: { patient: { type: 'string' } } },
    fields: { patient: { reference: { collection: target } } },
    rules: { read: [{ patient: { $follow: { ssn: { $auth: 'sub' } } } }] },
  });
  const passing = async () => {
    const { name: target, id } = await world.define(plainPatients);
    return { target, id, follow: followingTo(target) };
  };
  const encrypting = { ...patients, fields: { ssn: { encrypted: true } } };
  const isBusy = (answer: Answered): void => assert.equal(answer.body.code, 'definition-busy', answer.text);

  it('is not asked for by a rule of a definition that is about to come, nor encrypted while one does', async () => {
    const { target, id, follow } = await passing();
    const { source } = parseDefinition(encrypting);
    const lock = await lockDefinition(world.data.db, id, { pending: source });
    isBusy(await world.put(follow));
    await lock.release();
    const { name: from, id: fromId } = await world.define(plainPatients);
    const pending = parseDefinition(followingTo(id)).source;
    const other = await lockDefinition(world.data.db, fromId, { pending });
    isBusy(await world.put(encrypting, target));
    await other.release();
    assert.equal(outcomeOf(await world.put(encrypting, target)), '200');
    assert.match(outcomeOf(await world.put(follow, from)), /^400 .*encrypted-field$/);
  });

  it('does not become so where a rule that follows it comes at the same time', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { target, follow } = await passing();
      const from = round % 2 === 0 ? (await world.define(plainPatients)).name : `p${randomUUID().slice(0, 8)}`;
      const answers = await Promise.all([world.put(follow, from), world.put(encrypting, target)]);
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
    const refused = await world.put(
      { ...definition, schema: { properties: { ...properties, secret: strict } } },
      own.name,
    );
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
    const own = await world.define(plainPatients);
    const id = await world.create(own.name, { name: 'bad' });
    await world.create(own.name, { name: 'good' });
    const steps = [
      { change: { collection: own.name, filter: { name: 'bad' }, operators: { $set: { name: 5 } } } },
      { change: { collection: own.name, operators: { $set: { ssn: 'in the clear' } } } },
    ];
    const stopped = await migrate(steps);
    assert.equal(stopped.status, 'stopped', JSON.stringify(stopped));
    assert.equal(outcomeOf(await world.put(encrypting, own.name)), '200');
    assert.equal((await world.call(`DELETE /v1/data/${own.name}/${id}`)).status, 204);
    const of = String(stopped.name);
    assert.equal((await world.call('POST /v1/migrations', { body: { name: of, steps } })).status, 202);
    const { status, failure } = await settled(of);
    const { step, errors } = failure as {
      step: number;
      errors: readonly { readonly pointer: string; readonly code: string }[];
    };
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
