import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Answer, call } from '../harness/client.ts';
import { createRecord, defineCollection, exportRecords, type StoredRecord } from '../harness/collections.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';
import { rawRequest } from '../harness/raw-http.ts';
import { assertNoEvents } from './changes-nothing.ts';
import { expectPlace, notValid, type Refusal } from './expect-place.ts';

/** Names that reach for what is not a user's. */
const badNames = ['system.users', '__proto__', '../x', '$cmd', 'a\0b', 'a\nb', 'A', 'x y', 'a\\b'];

/** What could be read as another path than it is. */
const isAmbiguous = (name: string): boolean => /[/\\\0]/.test(name);

const mergePatch = 'application/merge-patch+json';
const schema = { type: 'object', properties: { title: { type: 'string' } } } as const;
const notThere: Refusal = [404, 'not-found'];
/** `JSON.parse` gives an object a member of its own that is called `__proto__`. */
const withMember = (name: string, value: unknown, rest: object = {}): object => ({
  ...rest,
  ...(JSON.parse(`{${JSON.stringify(name)}: ${JSON.stringify(value)}}`) as object),
});

describe('a name such as', () => {
  let token: string;
  let collection: string;
  let records: readonly StoredRecord[];
  const refused: Answer[] = [];

  before(async () => {
    token = await admin();
    collection = await defineCollection(token);
    await createRecord(collection, token, { title: 'there' });
    records = await exportRecords(collection, token);
  });
  after(async () => {
    await assertNoEvents(refused, token);
    assert.deepEqual(await exportRecords(collection, token), records);
  });

  const tried = async (method: string, path: string, options: object = {}): Promise<Answer> => {
    const answer = await call(method, path, { token, ...options });
    refused.push(answer);
    return answer;
  };

  for (const name of badNames) {
    const at = encodeURIComponent(name);
    /** The gateway refuses what it could read otherwise than a service, before it asks whose it is. */
    const isMissing = async (method: string, path: string, options: object = {}): Promise<void> => {
      const answer = await tried(method, path, options);
      const { detail } = await expectProblem(answer, ...(isAmbiguous(name) ? notValid : notThere));
      if (isAmbiguous(name)) assert.match(detail ?? '', /Send it as it is meant/);
    };

    it(`${JSON.stringify(name)} is no collection’s and no id in an address`, async () => {
      const answer = await tried('PUT', `/v1/collections/${at}`, { json: { schema } });
      if (isAmbiguous(name)) await expectProblem(answer, ...notValid);
      else await expectPlace(answer, notValid, 'name');
      await isMissing('GET', `/v1/collections/${at}`);
      await isMissing('DELETE', `/v1/collections/${at}?records=delete`);
      await isMissing('POST', `/v1/data/${at}`, { json: { title: 'a' } });
      await isMissing('GET', `/v1/data/${at}`);
      await isMissing('GET', `/v1/data/${at}/changes`);
      await isMissing('POST', `/v1/data/${at}/query`, { json: {} });
      await isMissing('POST', `/v1/data/${at}/aggregate`, {
        json: { stages: [{ group: { fields: { n: 'count' } } }] },
      });
      await isMissing('DELETE', `/v1/data/${at}?filter=${encodeURIComponent('{}')}`);
      await isMissing('GET', `/v1/data/${collection}/${at}`);
      await isMissing('PUT', `/v1/data/${collection}/${at}`, { json: { title: 'a' } });
      await isMissing('PATCH', `/v1/data/${collection}/${at}`, { type: mergePatch, json: { title: 'a' } });
      await isMissing('DELETE', `/v1/data/${collection}/${at}`);
      await isMissing('GET', `/v1/migrations/${at}`);
      await isMissing('GET', `/v1/users/${at}`);
      await isMissing('GET', `/v1/events/${at}`);
      await isMissing('DELETE', `/v1/auth/sessions/${at}`);
    });

    it(`${JSON.stringify(name)} is no collection’s and no id in a body`, async () => {
      const fields = { title: 'a' };
      for (const operation of [
        { op: 'create', collection: name, fields },
        { op: 'update', collection, id: name, fields },
        { op: 'delete', collection, id: name },
      ]) {
        const answer = await tried('POST', '/v1/batch', { json: { operations: [operation] } });
        await expectProblem(answer, ...notThere);
        assert.equal(answer.json().operation, 0);
      }
      const rules = { collection: name, rules: { read: 'public' } };
      await expectPlace(await tried('POST', '/v1/rules/try', { json: rules }), notThere, '/collection');
      const explained = { collection: name, who: 'anonymous', action: 'read', id: 'rec_1' };
      await expectPlace(await tried('POST', '/v1/rules/explain', { json: explained }), notThere, '/collection');
      const steps = [{ define: { collection: name, schema } }];
      const migration = { name: `9999-${randomBytes(6).toString('hex')}`, steps };
      const migrated = await tried('POST', '/v1/migrations', { json: migration });
      await expectPlace(migrated, notValid, '/steps/0/define/collection');
      await expectPlace(await tried('POST', '/v1/migrations', { json: { ...migration, name } }), notValid, '/name');
      const reference = { fields: { title: { reference: { collection: name } } }, schema };
      const referring = await tried('PUT', `/v1/collections/e2e-${randomBytes(6).toString('hex')}`, {
        json: reference,
      });
      await expectPlace(referring, notValid, '/fields/title/reference/collection');
    });
  }

  it('those is no field’s either, wherever one is named', async () => {
    const names = ['system.users', '__proto__', '$cmd', 'a\0b'];
    for (const name of names) {
      const at = `/v1/collections/e2e-${randomBytes(6).toString('hex')}`;
      const properties = withMember(name, { type: 'string' });
      const defined = await tried('PUT', at, { json: { schema: { type: 'object', properties } } });
      await expectPlace(defined, notValid, `/schema/properties/${name}`);
      const record = await tried('POST', `/v1/data/${collection}`, { json: withMember(name, 1, { title: 'a' }) });
      await expectPlace(record, notValid, `/${name}`);
      const sorted = await tried('GET', `/v1/data/${collection}`, { query: { sort: name } });
      await expectPlace(sorted, notValid, 'sort');
      const upserted = await tried('PUT', `/v1/data/${collection}`, { query: { by: name }, json: { title: 'a' } });
      await expectPlace(upserted, [422, 'key-not-unique'], 'by');
      if (name === 'system.users') continue;
      const found = await tried('POST', `/v1/data/${collection}/query`, { json: { filter: withMember(name, 1) } });
      await expectPlace(found, notValid, `/filter/${name}`);
    }
  });

  it('a path that leads elsewhere is refused as it is sent, whatever stands there', async () => {
    for (const path of [
      `/v1/data/${collection}/../../collections`,
      '/v1/data/../collections',
      '/v1/data/%2e%2e/collections',
      '/v1/data/..%2fcollections',
      '/v1/data/./collections',
      '/v1/data/%2e',
      '/v1/data/a%00b',
      '/v1//collections',
      '/v1/data\\..\\collections',
    ]) {
      const lines = [`GET ${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${token}`];
      const { status, text } = await rawRequest(addressOf('gateway'), lines);
      const { code, detail } = JSON.parse(text) as { code: string; detail: string };
      assert.deepEqual([status, code], notValid, path);
      assert.match(detail, /Send it as it is meant/, path);
    }
  });

  it('constructor is one like any other', async (context) => {
    const path = '/v1/collections/constructor';
    context.after(() => call('DELETE', path, { token, query: { records: 'delete' } }));
    expectStatus(await call('PUT', path, { token, json: { schema } }), 201);
    const { id } = await createRecord('constructor', token, { title: 'a' });
    assert.deepEqual(
      (await exportRecords('constructor', token)).map((each) => each.id),
      [id],
    );
    expectStatus(await call('DELETE', path, { token, query: { records: 'delete' } }), 204);
    await expectProblem(await call('GET', path, { token }), ...notThere);
  });
});
