import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { mergePatchType } from '../records/merge-patch.ts';
import { openTestPatients, outcomeOf, patients, plainPatients } from '../testing/test-patients.ts';
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

  const inAddress = (filter: unknown): string => encodeURIComponent(JSON.stringify(filter));

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
            outcomeOf(answer),
            '400 filter encrypted-field',
            `${path} ${JSON.stringify(filter)} ${answer.text}`,
          );
        }
        const asked = await world.call(`POST /v1/data/${name}/query`, { body: { filter } }, by);
        assert.equal(outcomeOf(asked), '400 /filter encrypted-field', asked.text);
        const exported = { headers: { accept: 'text/csv' } };
        const csv = await world.call(`GET /v1/data/${name}?filter=${inAddress(filter)}`, exported, by);
        assert.equal(outcomeOf(csv), '400 filter encrypted-field');
        const patched = { body: { name: 'n' }, type: mergePatchType };
        const many = `/v1/data/${name}?filter=${inAddress(filter)}`;
        assert.equal(outcomeOf(await world.call(`PATCH ${many}`, patched, by)), '400 filter encrypted-field');
        assert.equal(outcomeOf(await world.call(`DELETE ${many}`, {}, by)), '400 filter encrypted-field');
        const match = { body: { stages: [{ match: filter }] } };
        assert.match(
          outcomeOf(await world.call(`POST /v1/data/${name}/aggregate`, match, by)),
          /^400 .*encrypted-field/,
        );
      }
      assert.equal(
        outcomeOf(await world.call(`GET /v1/data/${name}?sort=-visits`, {}, by)),
        '400 sort encrypted-field',
      );
      for (const stages of [
        [{ group: { by: { s: 'ssn' }, fields: { n: 'count' } } }],
        [{ group: { by: {}, fields: { n: { sum: 'visits' } } } }],
        [{ group: { by: {}, fields: { n: { addToSet: 'contact.phone' } } } }],
        [{ sort: ['visits'] }],
      ]) {
        const answer = await world.call(`POST /v1/data/${name}/aggregate`, { body: { stages } }, by);
        assert.match(outcomeOf(answer), /^400 \/stages\S* encrypted-field/, `${JSON.stringify(stages)} ${answer.text}`);
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
      const answer = await world.put(definition);
      assert.equal(outcomeOf(answer), expected, answer.text);
      const tried = await world.put(definition, undefined, '?dryRun=true');
      assert.equal(outcomeOf(tried), expected, tried.text);
    }
  });

  it('is asked for by no rule that follows a reference, whichever of the two is defined first', async () => {
    const target = await world.define();
    const following = (field: string) => ({
      schema: { properties: { patient: { type: 'string' } } },
      fields: { patient: { reference: { collection: target.name } } },
      rules: { read: [{ patient: { $follow: { [field]: { $auth: 'sub' } } } }], create: 'public' },
    });
    assert.match(outcomeOf(await world.put(following('ssn'))), /^400 \/rules\/read\/0\/patient\S* encrypted-field$/);
    assert.equal(outcomeOf(await world.put(following('name'))), '201');
    const later = await world.define(plainPatients);
    const first = { ...following('ssn'), fields: { patient: { reference: { collection: later.name } } } };
    assert.equal(outcomeOf(await world.put(first)), '201');
    for (const query of ['', '?dryRun=true']) {
      const answer = await world.put({ ...patients, fields: { ssn: { encrypted: true } } }, later.name, query);
      assert.equal(outcomeOf(answer), '400 /fields/ssn/encrypted encrypted-field', answer.text);
    }
    assert.equal(
      outcomeOf(await world.put({ ...patients, fields: { visits: { encrypted: true } } }, later.name)),
      '200',
    );
  });
});
