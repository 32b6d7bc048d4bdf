import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { altered } from '@causeway/service/testing';

import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const countries = {
  schema: {
    properties: {
      name: { type: 'object', properties: { common: { type: 'string' } } },
      region: { type: 'string' },
      area: { type: 'number' },
      borders: { type: 'array', items: { type: 'string' } },
      hidden: { type: 'boolean' },
    },
  },
  indexes: [{ keys: { region: 1, area: -1 } }],
  rules: { read: [{ hidden: { $ne: true } }, { 'name.common': { $auth: 'org' } }], create: 'signed-in' },
};

const rows = [
  ['Algeria', 'Africa', 2_381_741, ['TUN', 'LBY']],
  ['Chad', 'Africa', 1_284_000, ['LBY']],
  ['Libya', 'Africa', 1_759_540, ['TUN', 'DZA', 'TCD']],
  ['Tunisia', 'Africa', 163_610, ['DZA', 'LBY']],
  ['France', 'Europe', 551_695, ['BEL', 'DEU']],
  ['Malta', 'Europe', 316, []],
  ['Monaco', 'Europe', 2.02, ['FRA']],
  ['=Sum', 'Other', -1, []],
] as const;

describe('lists', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    [admin, ada, eve] = await Promise.all([data.person({ roles: ['admin'] }), data.person(), data.person()]);
    const defined = await replica.call('PUT /v1/collections/countries', { body: countries, token: admin.token });
    assert.equal(defined.status, 201, defined.text);
    const lines = rows.map(([common, region, area, borders]) => ({ name: { common }, region, area, borders }));
    const hidden = { name: { common: 'Atlantis' }, region: 'Other', hidden: true };
    const body = [...lines, hidden].map((line) => JSON.stringify(line)).join('\n');
    const imported = await replica.call('POST /v1/data/countries', {
      body,
      type: 'application/x-ndjson',
      token: ada.token,
    });
    assert.equal(imported.body.created, 9, imported.text);
  });

  after(() => data.stop());

  type Item = Readonly<Record<string, unknown>> & { readonly name?: { readonly common: string } };
  type Parameters = Readonly<Record<string, string | number | object>>;
  const get = (parameters: Parameters, person?: Person, headers: Record<string, string> = {}): Promise<Answered> => {
    const text = Object.entries(parameters).map(([name, value]): [string, string] => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]);
    const path = `/v1/data/countries?${new URLSearchParams(text).toString()}`;
    return replica.call(`GET ${path}`, { token: person?.token, headers });
  };
  const itemsOf = (answer: Answered): Item[] => {
    assert.equal(answer.status, 200, answer.text);
    return (answer.body as unknown as { items: Item[] }).items;
  };
  const names = (answer: Answered): unknown[] => itemsOf(answer).map((item) => item.name?.common);
  const code = (answer: Answered): string => `${answer.status} ${String(answer.body.code)}`;
  const errorsOf = (answer: Answered) => (answer.body as unknown as { errors: Record<string, string>[] }).errors;

  it('answer real questions', async () => {
    const largest = await get({ filter: { region: 'Africa' }, sort: '-area', limit: 3 });
    assert.deepEqual(names(largest), ['Algeria', 'Libya', 'Chad']);
    const beside = await get({ filter: { borders: 'LBY', area: { $lt: 1_000_000 } } });
    assert.deepEqual(names(beside), ['Tunisia']);
  });

  it('show each caller what the rule lets see', async () => {
    const filter = { region: 'Other' };
    assert.deepEqual(names(await get({ filter })), ['=Sum']);
    assert.equal(names(await get({ filter }, admin)).length, 2);
    const citizen = await data.person({ org: 'Atlantis' });
    assert.equal(names(await get({ filter }, citizen)).length, 2);
    const counted = await get({ filter, count: 'true' });
    assert.equal(counted.body.count, 1);
  });

  it('go page by page to the end, each record once', async () => {
    const seen: unknown[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await get({ sort: 'region,-area', limit: 3, ...(cursor ? { cursor } : {}) }, admin);
      seen.push(...names(page));
      cursor = (page.body as unknown as { nextCursor: string | null }).nextCursor;
      const link = page.headers.get('link');
      if (cursor === null) assert.equal(link, null);
      else {
        const [, path = ''] = /^<(.*)>; rel="next"$/.exec(link ?? '') ?? [];
        const next = await replica.call(`GET ${path}`, { token: admin.token });
        assert.equal(next.status, 200, next.text);
      }
    } while (cursor !== null);
    const expected = ['Algeria', 'Libya', 'Chad', 'Tunisia', 'France', 'Malta', 'Monaco', '=Sum', 'Atlantis'];
    assert.deepEqual(seen, expected);
  });

  describe('of long values', () => {
    const long = (first: string, sizeBytes: number): string => first + 'x'.repeat(sizeBytes - 1);
    const titles = [long('a', 3_000), long('b', 20_000), long('c', 500_000), long('d', 20_000), 'e'];
    const page = async (cursor?: unknown): Promise<Answered> => {
      const parameters = { sort: 'title', limit: '1', ...(typeof cursor === 'string' ? { cursor } : {}) };
      return replica.call(`GET /v1/data/long?${new URLSearchParams(parameters).toString()}`);
    };

    before(async () => {
      const schema = { properties: { title: { type: 'string' } } };
      const body = { schema, rules: { read: 'public', create: 'signed-in' } };
      const defined = await replica.call('PUT /v1/collections/long', { body, token: admin.token });
      assert.equal(defined.status, 201, defined.text);
      for (const title of titles) {
        const created = await replica.call('POST /v1/data/long', { body: { title }, token: ada.token });
        assert.equal(created.status, 201);
      }
    });

    it('go page by page, each record once, with cursors and links that fit in a header', async () => {
      const seen: unknown[] = [];
      let cursor: unknown;
      do {
        const answer = await page(cursor);
        seen.push(...itemsOf(answer).map((item) => item.title));
        cursor = answer.body.nextCursor;
        assert.ok(String(cursor).length <= 4_096);
        assert.ok((answer.headers.get('link') ?? '').length <= 4_096);
      } while (cursor !== null && seen.length <= titles.length);
      assert.deepEqual(seen, titles);
    });

    it('do not go on from a record that has changed', async () => {
      const first = await page();
      const cursor = first.body.nextCursor;
      const path = `/v1/data/long/${String(itemsOf(first)[0]?.id)}`;
      const type = 'application/merge-patch+json';
      const changed = await replica.call(`PATCH ${path}`, { body: { title: 'z' }, type, token: admin.token });
      assert.equal(changed.status, 200, changed.text);
      const answer = await page(cursor);
      assert.deepEqual([answer.status, errorsOf(answer)[0]?.code], [400, 'cursor-expired']);
      assert.equal((await replica.call(`DELETE ${path}`, { token: admin.token })).status, 204);
      assert.equal(errorsOf(await page(cursor))[0]?.code, 'cursor-expired');
    });

    it('leave out a link that the filter makes too long', async () => {
      const filter = { title: { $ne: '"'.repeat(2_000) } };
      const parameters = { filter: JSON.stringify(filter), limit: '1' };
      const answer = await replica.call(`GET /v1/data/long?${new URLSearchParams(parameters).toString()}`);
      assert.equal(typeof answer.body.nextCursor, 'string');
      assert.equal(answer.headers.get('link'), null);
    });
  });

  it('end with null on a page that is just full', async () => {
    const page = await get({ filter: { region: 'Africa' }, limit: 4 });
    assert.equal(page.body.nextCursor, null);
  });

  it('end a page of large records before its limit', async () => {
    const body = { schema: { properties: { text: { type: 'string' } } }, rules: { read: 'public' } };
    await replica.call('PUT /v1/collections/large', { body, token: admin.token });
    const text = 'x'.repeat(500_000);
    const lines = Array.from({ length: 25 }, () => JSON.stringify({ text })).join('\n');
    const type = 'application/x-ndjson';
    const imported = await replica.call('POST /v1/data/large', { body: lines, type, token: admin.token });
    assert.equal(imported.body.created, 25, imported.text);
    const page = await replica.call('GET /v1/data/large?limit=200&fields=text');
    const found = itemsOf(page).length;
    assert.ok(found > 5 && found < 25, `${found} records on a page`);
    const cursor = String(page.body.nextCursor);
    const rest = await replica.call(`GET /v1/data/large?limit=200&fields=text&cursor=${cursor}`);
    assert.equal(itemsOf(rest).length, 25 - found);
    assert.equal(rest.body.nextCursor, null);
  });

  it('bind a cursor to its query and its person', async () => {
    const page = await get({ sort: 'area', limit: 2 }, ada);
    const cursor = String(page.body.nextCursor);
    assert.equal((await get({ sort: 'area', limit: 2, cursor }, ada)).status, 200);
    assert.equal((await get({ sort: 'area', limit: 5, cursor }, ada)).status, 200);
    for (const other of [
      { sort: '-area', cursor },
      { cursor },
      { sort: 'area', filter: { region: 'Africa' }, cursor },
    ]) {
      const answer = await get(other, ada);
      assert.equal(code(answer), '400 invalid-request');
      assert.deepEqual(errorsOf(answer)[0]?.code, 'other-query');
    }
    assert.equal(code(await get({ sort: 'area', cursor }, eve)), '404 not-found');
    assert.equal(code(await get({ sort: 'area', cursor })), '404 not-found');
    for (const broken of [altered(cursor), 'x', cursor.slice(0, 60), `${cursor}!`]) {
      const answer = await get({ sort: 'area', cursor: broken }, ada);
      assert.deepEqual([answer.status, errorsOf(answer)[0]?.code], [400, 'invalid-cursor']);
    }
  });

  it('answer with the fields that were named', async () => {
    const [item] = itemsOf(
      await get({ filter: { region: 'Africa' }, sort: '-area', fields: 'name.common,area', limit: 1 }),
    );
    const { id, ...rest } = item ?? {};
    assert.match(String(id), /^rec_/);
    assert.deepEqual(rest, { name: { common: 'Algeria' }, area: 2_381_741 });
    const [times] = itemsOf(await get({ fields: 'createdAt,revision', limit: 1 }));
    assert.deepEqual(Object.keys(times ?? {}).sort(), ['createdAt', 'id', 'revision']);
  });

  it('compare times as times', async () => {
    const [{ createdAt } = {}] = itemsOf(await get({ limit: 1 }));
    assert.equal(itemsOf(await get({ filter: { createdAt: { $gte: '2020-01-01T00:00:00Z' } } })).length, 8);
    assert.equal(itemsOf(await get({ filter: { createdAt: { $lt: '2020-01-01T00:00:00Z' } } })).length, 0);
    assert.ok(itemsOf(await get({ filter: { createdAt: { $lte: createdAt } } })).length > 0);
  });

  for (const [what, parameters, parameter] of [
    ['$where', { filter: { $where: 'sleep(1000)' } }, 'filter'],
    ['an unknown operator', { filter: { area: { $near: 1 } } }, 'filter'],
    ['a filter on _id', { filter: { _id: 'x' } }, 'filter'],
    ['an operator as a value', { filter: { region: { $eq: { $gt: '' } } } }, 'filter'],
    ['a pattern that backtracks for ever', { filter: { region: { $regex: '(a+)+$' } } }, 'filter'],
    ['a filter that is no JSON', { filter: '{' }, 'filter'],
    ['a filter that is no object', { filter: '[]' }, 'filter'],
    ['sorting by an array', { sort: 'borders' }, 'sort'],
    ['sorting by what the schema does not know', { sort: 'unknown' }, 'sort'],
    ['sorting by the outbox', { sort: '_id' }, 'sort'],
    ['too many on a page', { limit: 201 }, 'limit'],
    ['none on a page', { limit: 0 }, 'limit'],
    ['a field and a part of it', { fields: 'name,name.common' }, 'fields'],
    ['an unknown parameter', { offset: 3 }, 'offset'],
    ['a count that is neither', { count: 'yes' }, 'count'],
  ] as const) {
    it(`refuse ${what}`, async () => {
      const answer = await get(parameters);
      assert.equal(code(answer), '400 invalid-request', answer.text);
      assert.equal(errorsOf(answer)[0]?.parameter, parameter);
    });
  }

  it('reach nothing but the fields by a filter', async () => {
    const answer = await get({ filter: { outbox: { $exists: true } } });
    assert.equal(code(answer), '400 invalid-request', answer.text);
    assert.deepEqual(itemsOf(await get({ filter: { event: { $exists: true } } })), []);
    assert.deepEqual(itemsOf(await get({ filter: { 'fields.region': 'Africa' } })), []);
  });

  describe('exported', () => {
    it('as NDJSON, are the whole result in order', async () => {
      const answer = await get({ sort: '-area', filter: { region: 'Africa' } }, undefined, {
        accept: 'application/x-ndjson',
      });
      assert.equal(answer.headers.get('content-type'), 'application/x-ndjson');
      const lines = answer.text.trimEnd().split('\n');
      const parsed = lines.map((line) => JSON.parse(line) as Item);
      assert.deepEqual(
        parsed.map((item) => item.name?.common),
        ['Algeria', 'Libya', 'Chad', 'Tunisia'],
      );
      assert.equal(parsed[0]?.revision, 1);
    });

    it('as CSV, have columns in the order of the schema, and no formulas', async () => {
      const answer = await get({ sort: 'area', limit: '', filter: {} }, undefined, { accept: 'text/csv' });
      assert.equal(answer.status, 400);
      const csv = await get({ sort: 'area' }, undefined, { accept: 'text/csv' });
      const [head, first, second] = csv.text.split('\r\n');
      assert.equal(head, 'id,name,region,area,borders,hidden,revision,createdAt,updatedAt,createdBy,updatedBy');
      assert.match(first ?? '', /^rec_\w+,"{""common"":""=Sum""}",Other,-1,\[\],,1,2/);
      assert.match(second ?? '', /,Europe,2.02,"\[""FRA""\]",/);
      const named = await get({ sort: 'area', fields: 'name.common,area' }, undefined, { accept: 'text/csv' });
      const lines = named.text.split('\r\n');
      assert.equal(lines[0], 'id,name.common,area');
      assert.match(lines[1] ?? '', /^rec_\w+,'=Sum,-1$/);
      assert.equal(lines.length, 10);
      const times = await get({ sort: 'area', fields: 'createdAt' }, undefined, { accept: 'text/csv' });
      assert.match(times.text.split('\r\n')[1] ?? '', /^rec_\w+,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(lines.at(-1), '');
    });

    it('end where MongoDB takes too long over a batch, and go on however long the whole takes', async () => {
      const made = await replica.call('PUT /v1/collections/texts', {
        body: { schema: { properties: { text: { type: 'string' } } } },
        token: admin.token,
      });
      const { id } = made.body as unknown as { id: string };
      const at = new Date(0);
      const fields = {
        text: randomBytes(250_000)
          .toString('latin1')
          .replaceAll(/./gs, (c) => (c < '\x80' ? 'a' : 'b')),
      };
      const documents = Array.from({ length: 48 }, (_, n) => ({
        _id: `rec_${n}`,
        revision: 1,
        fields,
        createdAt: at,
        updatedAt: at,
      }));
      const stored = data.db.collection<{ _id: string }>(`records_${id}`);
      await stored.insertMany(documents, { bypassDocumentValidation: true });
      const strict = await data.replica({ QUERY_TIMEOUT: '300ms' });
      const slow = { $or: Array.from({ length: 12 }, (_, n) => ({ text: { $regex: `[ab]a[ab]{${n + 300}}[cd]` } })) };
      const accept = { accept: 'application/x-ndjson' };
      const path = `GET /v1/data/texts?filter=${encodeURIComponent(JSON.stringify(slow))}`;
      const begun = performance.now();
      await assert.rejects(strict.call(path, { token: admin.token, headers: accept }));
      // Unbounded it takes half a minute.
      assert.ok(performance.now() - begun < 5_000, `${performance.now() - begun} ms`);
      // Where there is time enough for its one batch; in-time.unit.spec.ts tells that each has its own.
      const whole = await replica.call('GET /v1/data/texts', { token: admin.token, headers: accept });
      assert.equal(whole.text.trimEnd().split('\n').length, 48);
      await strict.stop();
    });

    it('are refused with paging', async () => {
      const answer = await get({ limit: 3, count: 'true' }, undefined, { accept: 'application/x-ndjson' });
      assert.deepEqual(
        errorsOf(answer).map(({ parameter }) => parameter),
        ['limit', 'count'],
      );
    });

    it('are not given in other forms', async () => {
      assert.equal((await get({}, undefined, { accept: 'text/html' })).status, 406);
    });
  });
});
