import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Answer, call } from '../harness/client.ts';
import { createRecord, defineCollection, exportRecords, type StoredRecord } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus, type ProblemBody } from '../harness/expectations.ts';
import { openFeedSocket, type SocketMessage } from '../harness/feed-socket.ts';
import { admin, type Person, signUp } from '../harness/people.ts';
import { assertNoEvents } from './changes-nothing.ts';
import { assertPlace, expectPlace, notValid } from './expect-place.ts';

const mergePatch = 'application/merge-patch+json';

const repeated = (times: number, text: string): string => text.repeat(times);

/** Filters that are larger than anybody needs, and the place that is told of them. */
const largeFilters = {
  'of 50 levels of `$not`': {
    filter: Array.from({ length: 50 }).reduce<object>((inner) => ({ $not: inner }), { $eq: 'a' }),
    of: (filter: object) => ({ title: filter }),
    at: `/title${repeated(11, '/$not')}`,
  },
  'of 12 levels of `$and`': {
    filter: Array.from({ length: 12 }).reduce<object>((inner) => ({ $and: [inner] }), { title: 'a' }),
    of: (filter: object) => filter,
    at: `${repeated(10, '/$and/0')}/$and`,
  },
  'of 300 branches': {
    filter: { $or: Array.from({ length: 300 }, (_, n) => ({ title: `${n}` })) },
    of: (filter: object) => filter,
    at: '/$or',
  },
} as const;

/** What no address holds: in bodies alone. */
const largerFilters: readonly (readonly [what: string, filter: object, at: string])[] = [
  ['of 10,000 branches', { $or: Array.from({ length: 10_000 }, (_, n) => ({ title: `t${n}` })) }, '/$or'],
  ['of 10,000 values', { title: { $in: Array.from({ length: 10_000 }, (_, n) => `t${n}`) } }, '/title/$in'],
];

describe('what is larger than anything may be', () => {
  let person: Person;
  let administrator: string;
  let collection: string;
  let record: StoredRecord;
  let records: readonly StoredRecord[];
  const refused: Answer[] = [];

  before(async () => {
    [person, administrator] = await Promise.all([signUp(), admin()]);
    collection = await defineCollection(administrator, {
      properties: { title: { type: 'string' }, at: { type: 'object' } },
      indexes: [{ keys: { at: '2dsphere' } }],
    });
    record = await createRecord(collection, person.accessToken, { title: 'there' });
    records = await exportRecords(collection, person.accessToken);
  });
  after(async () => {
    await assertNoEvents(refused, administrator);
    assert.deepEqual(await exportRecords(collection, person.accessToken), records);
  });

  const tried = async (method: string, path: string, options: object): Promise<Answer> => {
    const answer = await call(method, path, { token: person.accessToken, ...options });
    refused.push(answer);
    return answer;
  };

  const inBodies = async (filter: object, at: (before: string) => string): Promise<void> => {
    const path = `/v1/data/${collection}`;
    await expectPlace(await tried('POST', `${path}/query`, { json: { filter } }), notValid, at('/filter'));
    const stages = [{ match: filter }, { group: { fields: { n: 'count' } } }];
    await expectPlace(await tried('POST', `${path}/aggregate`, { json: { stages } }), notValid, at('/stages/0/match'));
    const token = administrator;
    const rules = { read: [filter] };
    const name = `e2e-${randomBytes(6).toString('hex')}`;
    const schema = { type: 'object', properties: { title: { type: 'string' } } };
    const defined = await tried('PUT', `/v1/collections/${name}`, { token, json: { schema, rules } });
    await expectPlace(defined, notValid, at('/rules/read/0'));
    const trial = await tried('POST', '/v1/rules/try', { token, json: { collection, rules } });
    await expectPlace(trial, notValid, at('/rules/read/0'));
    const steps = [{ remove: { collection, filter } }];
    const json = { name: `9999-${randomBytes(6).toString('hex')}`, steps };
    await expectPlace(await tried('POST', '/v1/migrations', { token, json }), notValid, at('/steps/0/remove/filter'));
  };

  const overSocket = async (filter: object): Promise<SocketMessage | undefined> => {
    const socket = await openFeedSocket(person.accessToken);
    socket.send({ type: 'subscribe', id: 'it', collection, filter });
    await eventually(() => assert.ok(socket.messages.length > 1 || socket.closed() !== undefined, 'no answer'));
    const [, answer] = socket.messages;
    socket.close();
    return answer;
  };

  for (const [what, { filter: inner, of, at }] of Object.entries(largeFilters)) {
    it(`is a filter ${what}, wherever it stands`, async () => {
      const filter = of(inner);
      const query = { filter: JSON.stringify(filter) };
      const path = `/v1/data/${collection}`;
      const json = { title: 'changed' };
      for (const answer of [
        await tried('GET', path, { query }),
        await tried('GET', path, { query, headers: { accept: 'application/x-ndjson' } }),
        await tried('GET', `${path}/changes`, { query }),
        await tried('PATCH', path, { query, type: mergePatch, json }),
        await tried('DELETE', path, { query }),
      ]) {
        await expectPlace(answer, notValid, `filter${at}`);
      }
      await inBodies(filter, (before) => `${before}${at}`);
      const told = await overSocket(filter);
      assert.deepEqual([told?.type, told?.problem?.status], ['error', 400], JSON.stringify(told));
      assertPlace(told?.problem as ProblemBody, `/filter${at}`);
    });
  }

  for (const [what, filter, at] of largerFilters) {
    it(`is a filter ${what}, which no address holds`, async () => {
      await inBodies(filter, (before) => `${before}${at}`);
      const query = { filter: JSON.stringify(filter) };
      const long = await tried('GET', `/v1/data/${collection}`, { query, isRefusedEarly: true });
      const { detail } = await expectProblem(long, 431, 'headers-too-large');
      assert.match(detail ?? '', /Send a long query as a body/);
      refused.pop();
    });
  }

  it('is a filter of 50 levels of `$and`, which is more than JSON may have', async () => {
    const filter = Array.from({ length: 50 }).reduce<object>((inner) => ({ $and: [inner] }), { title: 'a' });
    // 64 levels, of which some are around the filter; each `$and` takes two.
    const after = (levels: number): string =>
      repeated(Math.ceil(levels / 2), '/$and/0').slice(0, levels % 2 === 1 ? -2 : undefined);
    await inBodies(filter, (before) => `${before}${after(64 - (before.split('/').length - 1))}`);
    const query = { filter: JSON.stringify(filter) };
    const asked = await tried('GET', `/v1/data/${collection}`, { query });
    await expectPlace(asked, notValid, `filter${repeated(10, '/$and/0')}/$and`);
  });

  it('is a batch of 100,001', async () => {
    const create = { op: 'create', collection, fields: { title: 'batch' } };
    for (const operation of [create, {}]) {
      const operations = Array.from({ length: 100_001 }, () => operation);
      const answer = await tried('POST', '/v1/batch', { json: { operations } });
      await expectPlace(answer, [413, 'batch-too-large'], '/operations');
      assert.match(answer.json<ProblemBody>().detail ?? '', /at most 1000 operations; this one has 100001/);
    }
    const long = { ...create, fields: { title: 'x'.repeat(200) } };
    const operations = Array.from({ length: 100_001 }, () => long);
    const answer = await tried('POST', '/v1/batch', { json: { operations } });
    const { detail } = await expectProblem(answer, 413, 'payload-too-large');
    assert.match(detail ?? '', /at most \d+ bytes/);
  });

  it('is a place off the globe, however it is written and asked for', async () => {
    const path = `/v1/data/${collection}`;
    const unindexable = [422, 'unindexable'] as const;
    for (const coordinates of [[0, 91], [181, 0], [-180.1, 0], [0], ['0', 0]]) {
      const at = { type: 'Point', coordinates };
      const json = { title: 'a', at };
      for (const answer of [
        await tried('POST', path, { json }),
        await tried('PUT', `${path}/${record.id}`, { json }),
        await tried('PATCH', `${path}/${record.id}`, { type: mergePatch, json: { at } }),
      ]) {
        await expectPlace(answer, unindexable, '/at/coordinates');
      }
      const operations = [{ op: 'update', collection, id: record.id, merge: { at } }];
      const batch = await tried('POST', '/v1/batch', { json: { operations } });
      await expectPlace(batch, unindexable, '/operations/0/merge/at/coordinates');
      const line = { type: 'application/x-ndjson', body: JSON.stringify(json) };
      const imported = expectStatus(await tried('POST', path, line), 200);
      const { errors } = imported.json<{ errors: { line: number; problem: ProblemBody }[] }>();
      assert.deepEqual(
        errors.map(({ problem, ...each }) => [each.line, problem.code]),
        [[1, 'unindexable']],
      );
      for (const { problem } of errors) assertPlace(problem, '/at/coordinates');
      const many = { query: { filter: '{}' }, type: mergePatch, json: { at } };
      const matching = expectStatus(await tried('PATCH', path, many), 200);
      for (const { problem } of matching.json<{ refused: { problem: ProblemBody }[] }>().refused)
        assertPlace(problem, '/at/coordinates');
      const near = { at: { $near: { $geometry: at } } };
      const asked = await tried('POST', `${path}/query`, { json: { filter: near } });
      await expectPlace(asked, notValid, '/filter/at/$near/$geometry/coordinates');
      const polygon = { type: 'Polygon', coordinates: [[[0, 0], [0, 1], coordinates, [0, 0]]] };
      const within = await tried('POST', `${path}/query`, {
        json: { filter: { at: { $geoWithin: { $geometry: polygon } } } },
      });
      await expectPlace(within, notValid, '/filter/at/$geoWithin/$geometry/coordinates/0/2');
    }
  });
});
