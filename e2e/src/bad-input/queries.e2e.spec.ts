import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { altered } from '@causeway/service/testing';
import { type Answer, call } from '../harness/client.ts';
import { createRecord, defineCollection, listRecords, type StoredRecord } from '../harness/collections.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin, type Person, signUp } from '../harness/people.ts';
import { assertNoEvents } from './changes-nothing.ts';

/** Filters that reach for what is not the user's, run code, or run for ever; each is a condition, or its text. */
const badFilters: Readonly<Record<string, unknown>> = {
  'runs code': { $where: 'sleep(10000) || true' },
  'runs code further down': { $or: [{ title: 'a' }, { $where: 'true' }] },
  'holds an expression': { $expr: { $eq: [1, 1] } },
  'holds an unknown operator': { title: { $mod: [2, 0] } },
  'asks what is near something else than a point': { title: { $near: 'a' } },
  'asks what is near a point off the globe': {
    title: { $near: { $geometry: { type: 'Point', coordinates: [0, 91] } } },
  },
  'asks for an area that is none': { title: { $geoWithin: { $box: [0, 1] } } },
  'calls a function': { title: { $function: { body: 'x', args: [], lang: 'js' } } },
  'looks for words that are none': { $text: { $search: { $gt: '' } } },
  'looks for words in a branch': { $or: [{ $text: { $search: 'a' } }] },
  'asks for the outbox': { outbox: { $exists: true } },
  'asks for something in the outbox': { 'outbox.0.data.email': 'a' },
  'asks for the stored id': { _id: { $exists: true } },
  'asks for the stored id further down': { $nor: [{ $and: [{ _id: 'a' }] }] },
  "names a type of the database's driver": { title: { $in: [{ a: { _bsontype: 'Long' } }] } },
  'asks for the prototype': { '__proto__.isAdmin': true },
  'has a regular expression that backtracks for ever': { title: { $regex: '^(a+)+$(?=b)' } },
  'has a regular expression with a back-reference': { title: { $regex: '(a*)\\1*b' } },
  'has a regular expression that is none': { title: { $regex: '(' } },
  'has a regular expression without end': { title: { $regex: 'a'.repeat(201) } },
  'is no condition': 'title',
  'is no JSON': undefined,
  'has an integer that no double holds': '{"score": 9007199254740993}',
  'is deeper than anybody needs': Array.from({ length: 200 }).reduce((inner) => ({ $and: [inner] }), { title: 'a' }),
  'lists without end': { title: { $in: Array.from({ length: 100_000 }, (_, index) => `t${index}`) } },
};

const textOf = (filter: unknown): string =>
  filter === undefined
    ? '{"title": '
    : typeof filter === 'string' && filter.startsWith('{')
      ? filter
      : JSON.stringify(filter);

describe('a query', () => {
  let person: Person;
  let other: Person;
  let administrator: string;
  let collection: string;
  let record: StoredRecord;
  const refused: Answer[] = [];

  before(async () => {
    [person, other, administrator] = await Promise.all([signUp(), signUp(), admin()]);
    collection = await defineCollection(administrator);
    record = await createRecord(collection, person.accessToken, { title: `${'a'.repeat(40)}!` });
    for (const title of ['b', 'c', 'd']) await createRecord(collection, person.accessToken, { title });
  });
  after(() => assertNoEvents(refused, administrator));

  for (const [what, filter] of Object.entries(badFilters)) {
    it(`whose filter ${what} is refused, in a list, in a body, in an aggregate and in a feed`, async () => {
      const query = { filter: textOf(filter) };
      // A request line has its own limit: what does not fit is refused before anybody reads it.
      const isLong = query.filter.length > 8000;
      for (const path of [`/v1/data/${collection}`, `/v1/data/${collection}/changes`]) {
        const answer = await call('GET', path, { token: person.accessToken, query, isRefusedEarly: isLong });
        if (isLong) assert.ok([400, 431].includes(answer.status), answer.text);
        else await expectProblem(answer, 400, 'invalid-request');
      }
      const body = `{"filter": ${query.filter}}`;
      const answer = await call('POST', `/v1/data/${collection}/query`, { token: person.accessToken, body });
      await expectProblem(answer, 400, 'invalid-request');
      const stages = `{"stages": [{"match": ${query.filter}}, {"group": {"fields": {"n": "count"}}}]}`;
      const path = `/v1/data/${collection}/aggregate`;
      await expectProblem(
        await call('POST', path, { token: person.accessToken, body: stages }),
        400,
        'invalid-request',
      );
    });
  }

  it('is refused where it asks for more, or otherwise, than can be', async () => {
    const token = person.accessToken;
    const bad = [
      { limit: '0' },
      { limit: '201' },
      { limit: 'many' },
      { sort: '$natural' },
      { sort: '_id' },
      { sort: 'outbox' },
      { fields: '_id' },
      { count: 'yes' },
      { explain: 'yes' },
      { scan: 'refuse' },
      { cursor: 'bm90IG91cnM' },
    ];
    for (const query of bad) {
      const answer = await call('GET', `/v1/data/${collection}`, { token, query });
      await expectProblem(answer, 400, 'invalid-request').catch((error: unknown) => {
        throw new Error(JSON.stringify(query), { cause: error });
      });
    }
  });

  it('is refused where its stages are none of those that aggregates have', async () => {
    const path = `/v1/data/${collection}/aggregate`;
    const stages: readonly unknown[] = [
      ...['$out', '$merge', '$lookup', '$unionWith', '$function', '__proto__'].map(
        (name) => JSON.parse(`{"${name}": {"from": "system.users", "into": "x"}}`) as unknown,
      ),
      { group: { by: { all: '$$ROOT' } } },
      { group: { by: { outbox: 'outbox' } } },
      { group: { fields: { n: { $accumulator: { init: 'x' } } } } },
      { group: { fields: { n: { sum: { $function: { body: 'x', args: [], lang: 'js' } } } } } },
      { lookup: { from: 'collections', as: 'all', pipeline: [] } },
      { project: { title: 1 } },
    ];
    for (const stage of stages) {
      const json = { stages: [stage] };
      const answer = await call('POST', path, { token: person.accessToken, json });
      await expectProblem(answer, 400, 'invalid-request').catch((error: unknown) => {
        throw new Error(JSON.stringify(stage), { cause: error });
      });
    }
    const counted = { stages: [{ group: { fields: { n: 'count' } } }] };
    const answer = expectStatus(await call('POST', path, { token: person.accessToken, json: counted }), 200);
    assert.deepEqual(answer.json(), { items: [{ n: 4 }] });
  });

  it('goes on with the cursor of that query and that person alone', async () => {
    const { nextCursor } = await listRecords(collection, person.accessToken, { limit: '2', sort: 'title' });
    assert.ok(nextCursor);
    const path = `/v1/data/${collection}`;
    const same = { limit: '2', sort: 'title', cursor: nextCursor };
    const rest = expectStatus(await call('GET', path, { token: person.accessToken, query: same }), 200);
    assert.deepEqual(
      rest.json<{ items: { title: string }[] }>().items.map((each) => each.title),
      ['c', 'd'],
    );
    const otherQuery = { ...same, sort: '-title' };
    await expectProblem(
      await call('GET', path, { token: person.accessToken, query: otherQuery }),
      400,
      'invalid-request',
    );
    const filtered = { ...same, filter: '{"title": "b"}' };
    await expectProblem(
      await call('GET', path, { token: person.accessToken, query: filtered }),
      400,
      'invalid-request',
    );
    await expectProblem(await call('GET', path, { token: other.accessToken, query: same }), 404, 'not-found');
    const changed = { ...same, cursor: altered(nextCursor) };
    await expectProblem(await call('GET', path, { token: person.accessToken, query: changed }), 400, 'invalid-request');
  });

  it('is refused with a malformed If-Match, and changes nothing', async () => {
    const token = person.accessToken;
    const path = `/v1/data/${collection}/${record.id}`;
    const type = 'application/merge-patch+json';
    for (const value of ['1', '"1', 'W/', '"1" "2"', '*, "1"', '"a"x']) {
      const options = { token, headers: { 'if-match': value } };
      const attempts = [
        await call('PATCH', path, { ...options, type, json: { title: 'changed' } }),
        await call('PUT', path, { ...options, json: { title: 'changed' } }),
        await call('DELETE', path, options),
        await call('PATCH', '/v1/users/me', { ...options, type, json: { bio: 'changed' } }),
      ];
      refused.push(...attempts);
      for (const answer of attempts) await expectProblem(answer, 400, 'invalid-request');
    }
    for (const value of ['"2"', 'W/"1"', '"0", "7"']) {
      const answer = await call('PATCH', path, { token, type, json: { title: 'x' }, headers: { 'if-match': value } });
      refused.push(answer);
      await expectProblem(answer, 412, 'precondition-failed');
    }
    const now = expectStatus(await call('GET', path, { token }), 200).json<StoredRecord>();
    assert.deepEqual(now, record);
  });
});

describe('an import', () => {
  it('takes the good lines, and names the broken ones', async () => {
    const [person, administrator] = await Promise.all([signUp(), admin()]);
    const collection = await defineCollection(administrator);
    const token = person.accessToken;
    const lines = [
      '{"title": "one"}',
      '{"title": ',
      '{"title": "three"}',
      '{"title": {"$gt": ""}}',
      '{"title": "five", "isAdmin": true}',
      '{"__proto__": {"a": 1}, "title": "six"}',
      '',
      '{"title": "eight"}',
    ];
    const body = lines.join('\n');
    const answer = await call('POST', `/v1/data/${collection}`, { token, body, type: 'application/x-ndjson' });
    const { created, failed, errors } = expectStatus(answer, 200).json<{
      created: number;
      failed: number;
      errors: { line: number; problem: { code: string; status: number; type: string } }[];
    }>();
    assert.deepEqual({ created, failed }, { created: 3, failed: 4 });
    assert.deepEqual(
      errors.map((each) => each.line),
      [2, 4, 5, 6],
    );
    assert.ok(
      errors.every(({ problem }) => problem.status === 400 && problem.type.endsWith(`/problems/${problem.code}`)),
    );
    const { items } = await listRecords(collection, token, { sort: 'title' });
    assert.deepEqual(
      items.map((each) => each.title),
      ['eight', 'one', 'three'],
    );
  });
});
