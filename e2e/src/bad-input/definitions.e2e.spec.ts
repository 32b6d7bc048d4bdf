import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Answer, call } from '../harness/client.ts';
import { createRecord, defineCollection, listRecords } from '../harness/collections.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin } from '../harness/people.ts';
import { assertNoEvents } from './changes-nothing.ts';
import { expectPlace, notValid } from './expect-place.ts';

const schema = { type: 'object', properties: { title: { type: 'string' }, author: { type: 'string' } } } as const;
const schemaOf = (a: unknown) => ({ schema: { type: 'object', properties: { a } } });
const readBy = (alternative: object) => ({ schema, rules: { read: [alternative] } });
const remote = 'https://evil.example/schema.json';

/** Definitions that are none, and the place that the problem names. */
const badDefinitions: Readonly<Record<string, readonly [definition: object, pointer: string]>> = {
  'whose schema is no object': [{ schema: 'title' }, '/schema'],
  'whose schema has a type that there is not': [schemaOf({ type: 'strin' }), '/schema/properties/a/type'],
  'whose schema requires a text instead of a list': [
    { schema: { type: 'object', required: 'title', properties: {} } },
    '/schema/required',
  ],
  'whose schema is of something else than objects': [{ schema: { type: 'string' } }, '/schema/type'],
  'whose schema is in another dialect': [
    { schema: { ...schema, $schema: 'http://json-schema.org/draft-04/schema#' } },
    '/schema/$schema',
  ],
  'whose schema refers to another server': [schemaOf({ $ref: remote }), '/schema/properties/a/$ref'],
  'whose schema refers to another server further down': [
    schemaOf({ items: { anyOf: [{ type: 'string' }, { not: { $ref: remote } }] } }),
    '/schema/properties/a/items/anyOf/1/not/$ref',
  ],
  'whose schema refers to another server by its own id': [
    schemaOf({ $id: remote, $ref: '#/x' }),
    '/schema/properties/a/$id',
  ],
  'whose schema refers dynamically': [schemaOf({ $dynamicRef: remote }), '/schema/properties/a/$dynamicRef'],
  'whose schema refers to a file': [schemaOf({ $ref: 'file:///etc/passwd' }), '/schema/properties/a/$ref'],
  'whose schema refers to itself for ever': [
    { schema: { ...schema, $defs: { a: { $ref: '#/$defs/a' } }, allOf: [{ $ref: '#/$defs/a' }] } },
    '/schema/$defs/a/$ref',
  ],
  'whose schema has a pattern that backtracks': [
    schemaOf({ type: 'string', pattern: '^(a+)+(?=b)$' }),
    '/schema/properties/a/pattern',
  ],
  'whose schema has a pattern that refers back': [
    schemaOf({ type: 'string', pattern: '(a*)\\1*b' }),
    '/schema/properties/a/pattern',
  ],
  'whose schema names fields by a pattern that backtracks': [
    schemaOf({ type: 'object', patternProperties: { '(?<=a)b': {} } }),
    '/schema/properties/a/patternProperties/(?<=a)b',
  ],
  'whose rule has an unknown operator': [readBy({ title: { $mod: [2, 0] } }), '/rules/read/0/title/$mod'],
  'whose rule has an unknown operator further down': [
    readBy({ $or: [{ title: 'a' }, { $nor: [{ author: { $not: { $jsonSchema: {} } } }] }] }),
    '/rules/read/0/$or/1/$nor/0/author/$not/$jsonSchema',
  ],
  'whose rule runs code': [readBy({ $where: 'true' }), '/rules/read/0/$where'],
  'whose rule has a pattern that backtracks': [
    readBy({ title: { $regex: '^(a+)+(?=b)$' } }),
    '/rules/read/0/title/$regex',
  ],
  'whose rule asks for what the service keeps for itself': [readBy({ 'outbox.0': 'a' }), '/rules/read/0/outbox.0'],
  'whose rule of a field has an unknown operator': [
    { schema, fields: { title: { read: [{ author: { $near: 'a' } }] } } },
    '/fields/title/read/0/author/$near',
  ],
};

describe('a definition', () => {
  let administrator: string;
  let collection: string;
  const refused: Answer[] = [];

  before(async () => {
    administrator = await admin();
    collection = await defineCollection(administrator);
    await createRecord(collection, administrator, { title: 'there' });
  });
  after(async () => {
    await assertNoEvents(refused, administrator);
    const { items } = await listRecords(collection, administrator);
    assert.deepEqual(
      items.map(({ title }) => title),
      ['there'],
    );
    const kept = expectStatus(await call('GET', `/v1/collections/${collection}`, { token: administrator }), 200);
    assert.equal(kept.json().revision, 1);
  });

  for (const [what, [json, pointer]] of Object.entries(badDefinitions)) {
    it(`${what} is refused at its place, also in the place of another, tried dry and in a migration`, async () => {
      const token = administrator;
      const fresh = `/v1/collections/e2e-${randomBytes(6).toString('hex')}`;
      const migration = {
        name: `9999-${randomBytes(6).toString('hex')}`,
        steps: [{ define: { collection: 'never', ...json } }],
      };
      for (const answer of [
        await call('PUT', fresh, { token, json }),
        await call('PUT', fresh, { token, query: { dryRun: 'true' }, json }),
        await call('PUT', `/v1/collections/${collection}`, { token, json }),
      ]) {
        refused.push(answer);
        await expectPlace(answer, notValid, pointer);
      }
      const migrated = await call('POST', '/v1/migrations', { token, json: migration });
      refused.push(migrated);
      await expectPlace(migrated, notValid, `/steps/0/define${pointer}`);
      await expectProblem(await call('GET', fresh, { token }), 404, 'not-found');
      await expectProblem(await call('GET', `/v1/migrations/${migration.name}`, { token }), 404, 'not-found');
    });
  }

  it('with a rule that no index could serve is warned of, with the index where there is one', async () => {
    const read = [{ author: { $auth: 'sub' } }, { title: { $regex: 'x' } }, { title: { $ne: 'a' } }];
    const path = `/v1/collections/e2e-${randomBytes(6).toString('hex')}`;
    const options = { token: administrator, json: { schema, rules: { read } } };
    const warnedOf = (answer: Answer): unknown => {
      const { warnings } = answer.json<{
        warnings: { pointer: string; code: string; index: unknown; message: string }[];
      }>();
      for (const { message } of warnings) assert.match(message, /\.$/);
      return warnings.map(({ pointer, code, index }) => [pointer, code, index]);
    };
    const expected = [
      ['/rules/read/0', 'rule-needs-index', { keys: { author: 1 } }],
      ['/rules/read/1', 'rule-without-index', null],
      ['/rules/read/2', 'rule-without-index', null],
    ];
    const tried = expectStatus(await call('PUT', path, { ...options, query: { dryRun: 'true' } }), 200);
    refused.push(tried);
    assert.deepEqual(warnedOf(tried), expected);
    assert.deepEqual(warnedOf(expectStatus(await call('PUT', path, options), 201)), expected);
    const json = { collection, rules: { read } };
    const trial = expectStatus(await call('POST', '/v1/rules/try', { token: administrator, json }), 200);
    refused.push(trial);
    assert.deepEqual(warnedOf(trial), expected);
  });
});
