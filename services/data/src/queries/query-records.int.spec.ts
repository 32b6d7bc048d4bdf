import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { altered } from '@causeway/service/testing';

import { seededRandom } from '../conditions/testing/random.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const { CAUSEWAY_TEST_SEED } = process.env;

const definition = {
  schema: {
    properties: {
      name: { type: 'string' },
      score: { type: 'number' },
      tags: { type: 'array', items: { type: 'string' } },
      place: { type: 'object', properties: { town: { type: 'string' } } },
    },
  },
  indexes: [{ keys: { score: -1 } }],
  rules: { read: [{ tags: { $ne: 'hidden' } }], create: 'signed-in', update: 'signed-in', delete: 'signed-in' },
};

interface Item {
  readonly id: string;
  readonly name?: string;
}

describe('queries in a body', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;

  const define = async (name: string, rows: readonly object[]): Promise<void> => {
    const defined = await replica.call(`PUT /v1/collections/${name}`, { body: definition, token: admin.token });
    assert.equal(defined.status, 201, defined.text);
    const body = rows.map((row) => JSON.stringify(row)).join('\n');
    const type = 'application/x-ndjson';
    const imported = await replica.call(`POST /v1/data/${name}`, { body, type, token: ada.token });
    assert.equal(imported.body.created, rows.length, imported.text);
  };

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    [admin, ada, eve] = await Promise.all([data.person({ roles: ['admin'] }), data.person(), data.person()]);
    const rows = Array.from({ length: 10 }, (_, n) => ({
      name: `row ${n}`,
      score: n % 4,
      tags: n === 9 ? ['hidden'] : ['a', `t${n}`],
      place: { town: n % 2 === 0 ? 'Ulm' : 'Bonn' },
    }));
    await define('rows', rows);
  });

  after(() => data.stop());

  const post = (body: unknown, person: Person = ada, path = '/v1/data/rows/query'): Promise<Answered> =>
    replica.call(`POST ${path}`, { body, token: person.token });
  const get = (parameters: Record<string, string>, person: Person = ada, name = 'rows'): Promise<Answered> =>
    replica.call(`GET /v1/data/${name}?${new URLSearchParams(parameters).toString()}`, { token: person.token });
  const itemsOf = (answer: Answered): Item[] => {
    assert.equal(answer.status, 200, answer.text);
    return (answer.body as unknown as { items: Item[] }).items;
  };
  const cursorOf = (answer: Answered): string | null => {
    itemsOf(answer);
    return (answer.body as unknown as { nextCursor: string | null }).nextCursor;
  };
  const errorsOf = (answer: Answered): Record<string, string>[] =>
    (answer.body as unknown as { errors: Record<string, string>[] }).errors;

  it('find what the same query in an address finds', async () => {
    const filter = { $or: [{ score: { $gte: 2 } }, { 'place.town': 'Ulm' }] };
    const asked = await post({ filter, sort: ['-score', 'name'], fields: ['name', 'score'], count: true });
    const listed = await get({
      filter: JSON.stringify(filter),
      sort: '-score,name',
      fields: 'name,score',
      count: 'true',
    });
    assert.equal(itemsOf(asked).length, 7);
    assert.deepEqual(asked.body, listed.body);
    assert.equal(asked.headers.get('link'), null);
    assert.deepEqual((await post({})).body, (await get({})).body);
    assert.deepEqual((await post({ sort: '-score,name' })).body, (await get({ sort: '-score,name' })).body);
  });

  it('go on with a cursor of an address, and the other way round', async () => {
    const filter = { tags: 'a', score: { $lt: 3 } };
    const inBody = { filter, sort: ['score'], limit: 2 };
    const inAddress = { filter: ' { "tags" : "a", "score": {"$lt": 3.0} }', sort: 'score', limit: '2' };
    const whole = itemsOf(await post({ ...inBody, limit: 200 })).map(({ id }) => id);
    assert.equal(whole.length, 7);
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let page = 0; page === 0 || cursor !== null; page += 1) {
      const more: { cursor?: string } = cursor === null ? {} : { cursor };
      const answer = page % 2 === 0 ? await get({ ...inAddress, ...more }) : await post({ ...inBody, ...more });
      seen.push(...itemsOf(answer).map(({ id }) => id));
      cursor = cursorOf(answer);
    }
    assert.deepEqual(seen, whole);
  });

  it('have cursors that are good for them and for their person alone', async () => {
    const query = { filter: { place: { $ne: { a: 1, b: 2 } } }, sort: ['score'], fields: ['score'], limit: 2 };
    const cursor = cursorOf(await post(query)) ?? assert.fail();
    itemsOf(await post({ ...query, cursor, limit: 5 }));
    const otherQueries = [
      { ...query, sort: ['-score'] },
      { ...query, sort: ['score', 'name'] },
      { ...query, filter: {} },
      { ...query, fields: ['name'] },
      // To MongoDB an object whose members come in another order is another object.
      { ...query, filter: { place: { $ne: { b: 2, a: 1 } } } },
    ];
    for (const other of otherQueries) {
      const answer = await post({ ...other, cursor });
      assert.deepEqual([answer.status, errorsOf(answer)[0]?.code], [400, 'other-query'], JSON.stringify(other));
      assert.equal(errorsOf(answer)[0]?.pointer, '/cursor');
    }
    assert.equal((await post({ ...query, cursor }, eve)).status, 404);
    const answer = await post({ ...query, cursor: altered(cursor) });
    assert.deepEqual(
      [answer.status, errorsOf(answer)[0]?.code, errorsOf(answer)[0]?.pointer],
      [400, 'invalid-cursor', '/cursor'],
    );
  });

  it('take filters that no address holds', async () => {
    const names = Array.from({ length: 480 }, (_, n) => `row ${n} ${'x'.repeat(100)}`);
    const filter = { $or: [{ name: { $in: names } }, { name: 'row 3' }] };
    assert.deepEqual(
      itemsOf(await post({ filter })).map(({ name }) => name),
      ['row 3'],
    );
  });

  it('are exported as they are asked for', async () => {
    const headers = { accept: 'text/csv' };
    const options = { token: ada.token, headers, body: { filter: { score: 3 }, sort: ['name'], fields: ['name'] } };
    const answer = await replica.call('POST /v1/data/rows/query', options);
    const rows = answer.text.split('\r\n').map((row) => row.replace(/^rec_\w+/, ''));
    assert.deepEqual(rows, ['id,name', ',row 3', ',row 7', '']);
    const paged = await replica.call('POST /v1/data/rows/query', { ...options, body: { limit: 3, count: false } });
    assert.deepEqual(
      errorsOf(paged).map(({ pointer, code }) => `${pointer} ${code}`),
      ['/limit not-in-exports', '/count not-in-exports'],
    );
  });

  const nested = (levels: number): unknown =>
    Array.from({ length: levels }).reduce((inner) => ({ $and: [inner] }), { name: 'a' });
  for (const [what, body, pointer] of [
    ['an unknown member', { filters: {} }, '/filters'],
    ['a filter as a text', { filter: '{}' }, '/filter'],
    ['a filter that is a list', { filter: [] }, '/filter'],
    ['a limit that is a text', { limit: '20' }, '/limit'],
    ['too many on a page', { limit: 201 }, '/limit'],
    ['a count that is a text', { count: 'true' }, '/count'],
    ['fields in one text', { fields: 'name,score' }, '/fields'],
    ['no fields', { fields: [] }, '/fields'],
    ['a field and a part of it', { fields: ['place', 'place.town'] }, '/fields'],
    ['fields without end', { fields: Array.from({ length: 51 }, (_, n) => `f${n}`) }, '/fields'],
    ['sorting by an array', { sort: ['tags'] }, '/sort'],
    ['sorting by two fields in one text of a list', { sort: ['score,name'] }, '/sort'],
    ['sorting by more than may be', { sort: ['a', 'b', 'c', 'd', 'e'] }, '/sort'],
    ['an unknown operator', { filter: { score: { $where: 1 } } }, '/filter/score/$where'],
    ['11 levels', { filter: nested(11) }, `/filter${'/$and/0'.repeat(10)}/$and`],
    // A body has a bound of its own, whatever stands in it.
    ['50 levels', { filter: nested(50) }, `/filter${'/$and/0'.repeat(31)}/$and`],
    ['10,000 branches', { filter: { $or: Array.from({ length: 10_000 }, (_, n) => ({ score: n })) } }, '/filter/$or'],
    ['what is no object', [], ''],
  ] as const) {
    it(`refuse ${what}`, async () => {
      const answer = await post(body);
      assert.deepEqual([answer.status, answer.body.code], [400, 'invalid-request'], answer.text);
      assert.equal(errorsOf(answer)[0]?.pointer, pointer);
    });
  }

  it('refuse parameters beside the body, and a body that is too large', async () => {
    const beside = await post({ limit: 3 }, ada, '/v1/data/rows/query?limit=3');
    assert.deepEqual([beside.status, errorsOf(beside)[0]?.parameter], [400, 'limit']);
    assert.equal((await post({ filter: { name: 'x'.repeat(2 * 1_048_576) } })).status, 413);
  });

  it('are not there where the collection is none of the caller’s business', async () => {
    assert.equal((await post({ filter: { $where: 1 } }, ada, '/v1/data/nothing/query')).status, 404);
    await replica.call('PUT /v1/collections/closed', { body: { schema: {} }, token: admin.token });
    assert.equal((await post({ sort: ['unknown'] }, ada, '/v1/data/closed/query')).status, 404);
  });

  it('give every record that stays exactly once, whatever else is written meanwhile', async (test) => {
    const seed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    const row = (kind: string) => ({ name: `${kind} ${random.below(1_000_000)}`, score: random.below(6) });
    await define(
      'moving',
      Array.from({ length: 60 }, (_, n) => row(n % 2 === 0 ? 'stays' : 'moves')),
    );
    const all = itemsOf(await get({ limit: '200' }, ada, 'moving'));
    const stays = all.filter(({ name }) => name?.startsWith('stays') === true).map(({ id }) => id);
    const moving = all.filter(({ id }) => !stays.includes(id)).map(({ id }) => id);
    const { token } = ada;

    const write = async (): Promise<void> => {
      const [gone] = random.chance(30) ? moving.splice(random.below(moving.length), 1) : [];
      if (gone !== undefined) {
        assert.equal((await replica.call(`DELETE /v1/data/moving/${gone}`, { token })).status, 204);
      } else if (random.chance(40)) {
        const made = await replica.call('POST /v1/data/moving', { body: row('moves'), token });
        moving.push(String(made.body.id));
      } else {
        const type = 'application/merge-patch+json';
        const path = `/v1/data/moving/${random.pick(moving)}`;
        assert.equal((await replica.call(`PATCH ${path}`, { body: row('moves'), type, token })).status, 200);
      }
    };

    for (const sort of ['-score', 'score,-name', 'name', '-id']) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const more: { cursor?: string } = cursor === null ? {} : { cursor };
        const reading: Promise<Answered> = random.chance(50)
          ? get({ sort, limit: '7', ...more }, ada, 'moving')
          : post({ sort, limit: 7, ...more }, ada, '/v1/data/moving/query');
        for (let left = random.below(4); left > 0; left -= 1) await write();
        const answer = await reading;
        seen.push(...itemsOf(answer).map(({ id }) => id));
        cursor = cursorOf(answer);
      } while (cursor !== null && seen.length < 300);
      assert.deepEqual(seen.filter((id) => stays.includes(id)).sort(), stays.toSorted(), `sort=${sort}`);
    }
  });
});
