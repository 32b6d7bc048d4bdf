import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { createRecord, defineCollection, listRecords, type Page, type StoredRecord } from '../harness/collections.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin, type Person, signUp } from '../harness/people.ts';

const mergePatch = 'application/merge-patch+json';
const jsonPatch = 'application/json-patch+json';
const operators = 'application/vnd.causeway.operators+json';

describe('a collection', () => {
  it('is defined, changed, listed and removed by administrators alone', async () => {
    const [administrator, { accessToken: member }] = await Promise.all([admin(), signUp()]);
    const name = await defineCollection(administrator);
    const path = `/v1/collections/${name}`;
    const read = expectStatus(await call('GET', path, { token: administrator }), 200);
    assert.equal(read.headers.etag, '"1"');
    const { schema, indexes } = read.json<{ schema: unknown; indexes: unknown }>();
    const json = { schema, indexes, rules: { read: 'public' } };
    for (const [method, options] of [
      ['PUT', { json }],
      ['GET', {}],
      ['DELETE', {}],
    ] as const) {
      await expectProblem(await call(method, path, { token: member, ...options }), 403, 'forbidden');
      await expectProblem(await call(method, path, options), 401, 'unauthenticated');
    }
    const changed = await call('PUT', path, { token: administrator, json, headers: { 'if-match': '"1"' } });
    assert.equal(expectStatus(changed, 200).json().revision, 2);
    const { items } = expectStatus(await call('GET', '/v1/collections', { token: administrator }), 200).json<{
      items: { name: string }[];
    }>();
    assert.ok(items.some((each) => each.name === name));

    await createRecord(name, administrator, { title: 'in the way' });
    await expectProblem(await call('DELETE', path, { token: administrator }), 409, 'collection-not-empty');
    expectStatus(await call('DELETE', path, { token: administrator, query: { records: 'delete' } }), 204);
    await expectProblem(await call('GET', path, { token: administrator }), 404, 'not-found');
    await expectProblem(await call('GET', `/v1/data/${name}`, { token: administrator }), 404, 'not-found');
  });

  it('keeps its definition where the records there would break a new one', async () => {
    const administrator = await admin();
    const name = await defineCollection(administrator);
    await createRecord(name, administrator, { title: 'a title', score: -1 });
    const path = `/v1/collections/${name}`;
    const schema = { type: 'object', properties: { title: { type: 'string' }, score: { type: 'number', minimum: 0 } } };
    const answer = await call('PUT', path, { token: administrator, json: { schema } });
    await expectProblem(answer, 409, 'definition-conflict');
    assert.equal(expectStatus(await call('GET', path, { token: administrator }), 200).json().revision, 1);
  });
});

describe('a record', () => {
  let administrator: string;
  let owner: Person;
  let other: Person;
  let articles: string;

  before(async () => {
    [administrator, owner, other] = await Promise.all([admin(), signUp(), signUp()]);
    const own = [{ author: { $auth: 'sub' } }];
    articles = await defineCollection(administrator, {
      indexes: [{ keys: { status: 1, score: -1 } }, { keys: { title: 1 }, unique: true }],
      rules: { read: [{ status: 'published' }, ...own], create: own, update: own, delete: own },
    });
  });

  const article = (more: Readonly<Record<string, unknown>> = {}) => ({
    title: randomUUID(),
    status: 'draft',
    author: owner.id,
    ...more,
  });

  it('is created, read, replaced, patched and deleted, each change with its event', async () => {
    const token = owner.accessToken;
    const json = article({ score: 1, tags: ['a'] });
    const created = expectStatus(await call('POST', `/v1/data/${articles}`, { token, json }), 201);
    const record = created.json<StoredRecord>();
    assert.deepEqual(
      { ...json, id: record.id, revision: 1, createdBy: owner.id },
      {
        ...Object.fromEntries(Object.entries(record).filter(([name]) => !['createdAt', 'updatedAt'].includes(name))),
      },
    );
    const path = `/v1/data/${articles}/${record.id}`;
    assert.equal(new URL(created.headers.location ?? '', 'http://gateway').pathname, path);
    assert.equal(created.headers.etag, '"1"');
    assert.equal(created.events.length, 1);

    const replaced = await call('PUT', path, {
      token,
      json: article({ title: json.title }),
      headers: { 'if-match': '"1"' },
    });
    assert.equal(expectStatus(replaced, 200).json().score, undefined);
    const patched = await call('PATCH', path, { token, type: mergePatch, json: { score: 5, tags: ['b', 'c'] } });
    assert.deepEqual(expectStatus(patched, 200).json().tags, ['b', 'c']);
    const operations = [
      { op: 'test', path: '/score', value: 5 },
      { op: 'remove', path: '/tags/0' },
    ];
    const operated = await call('PATCH', path, { token, type: jsonPatch, json: operations });
    assert.deepEqual(expectStatus(operated, 200).json().tags, ['c']);
    assert.equal(operated.headers.etag, '"4"');
    const increment = { $inc: { score: 2 }, $addToSet: { tags: 'd' } };
    const incremented = await call('PATCH', path, { token, type: operators, json: increment });
    const { score, tags } = expectStatus(incremented, 200).json();
    assert.deepEqual([score, tags], [7, ['c', 'd']]);

    const read = expectStatus(await call('GET', path, { token }), 200);
    assert.deepEqual(read.json(), incremented.json());
    expectStatus(await call('GET', path, { token, headers: { 'if-none-match': '"5"' } }), 304);
    const deleted = expectStatus(await call('DELETE', path, { token, headers: { 'if-match': '"5"' } }), 204);
    await expectProblem(await call('GET', path, { token }), 404, 'not-found');
    const events = [created, replaced, patched, operated, incremented, deleted].flatMap((each) => each.events);
    assert.equal(new Set(events).size, 6);
  });

  it('is changed by one of two who read the same revision', async () => {
    const token = owner.accessToken;
    const { id } = await createRecord(articles, token, article());
    const path = `/v1/data/${articles}/${id}`;
    const options = { token, type: mergePatch, headers: { 'if-match': '"1"' } };
    const answers = await Promise.all(
      [1, 2, 3, 4].map((score) => call('PATCH', path, { ...options, json: { score } })),
    );
    assert.deepEqual(answers.map((each) => each.status).sort(), [200, 412, 412, 412]);
    const winner = answers.find((each) => each.status === 200);
    assert.deepEqual(expectStatus(await call('GET', path, { token }), 200).json(), winner?.json());
  });

  it('is made once by any number of calls with one key', async () => {
    const options = { token: owner.accessToken, json: article(), headers: { 'idempotency-key': randomUUID() } };
    const path = `/v1/data/${articles}`;
    const first = expectStatus(await call('POST', path, options), 201);
    const second = expectStatus(await call('POST', path, options), 201);
    assert.equal(second.headers['idempotency-replayed'], 'true');
    assert.deepEqual([second.json(), second.events], [first.json(), first.events]);
    const changed = { ...options, json: article() };
    await expectProblem(await call('POST', path, changed), 422, 'idempotency-key-reused');
    // Keys are each person's own.
    const others = { ...options, token: other.accessToken, json: article({ author: other.id }) };
    expectStatus(await call('POST', path, others), 201);
  });

  it('whose unique value is taken is refused', async () => {
    const token = owner.accessToken;
    const json = article();
    await createRecord(articles, token, json);
    await expectProblem(await call('POST', `/v1/data/${articles}`, { token, json }), 409, 'duplicate-value');
  });

  it('is seen and changed by whom the rules allow, and by nobody else', async () => {
    const draft = await createRecord(articles, owner.accessToken, article());
    const published = await createRecord(articles, owner.accessToken, article({ status: 'published' }));
    const [draftPath, publishedPath] = [draft, published].map(({ id }) => `/v1/data/${articles}/${id}`) as [
      string,
      string,
    ];
    const token = other.accessToken;
    const patch = { token, type: mergePatch, json: { score: 1 } };
    await expectProblem(await call('GET', draftPath, { token }), 404, 'not-found');
    await expectProblem(await call('PATCH', draftPath, patch), 404, 'not-found');
    await expectProblem(await call('DELETE', draftPath, { token }), 404, 'not-found');
    expectStatus(await call('GET', publishedPath, { token }), 200);
    await expectProblem(await call('PATCH', publishedPath, patch), 403, 'forbidden');
    await expectProblem(await call('DELETE', publishedPath, { token }), 403, 'forbidden');
    const forged = { token, json: article({ author: owner.id }) };
    await expectProblem(await call('POST', `/v1/data/${articles}`, forged), 403, 'forbidden');
    // To pass it on is to write what one may not write.
    const gift = { token: owner.accessToken, type: mergePatch, json: { author: other.id } };
    await expectProblem(await call('PATCH', draftPath, gift), 403, 'forbidden');
    const { items } = await listRecords(articles, token, { limit: '200' });
    assert.ok(items.every((each) => each.status === 'published' || each.author === other.id));
    assert.ok(items.some((each) => each.id === published.id));
    expectStatus(await call('PATCH', draftPath, { ...patch, token: administrator }), 200);
    // The rule reads an id that somebody who is not signed in does not have.
    expectStatus(await call('GET', publishedPath), 200);
    await expectProblem(await call('GET', draftPath), 404, 'not-found');
  });
});

describe('a list', () => {
  it('goes through all records once, page by page, in its order', async () => {
    const administrator = await admin();
    const collection = await defineCollection(administrator);
    const lines = Array.from({ length: 90 }, (_, index) =>
      JSON.stringify({ title: `t${index % 7}`, score: index % 5 }),
    );
    const type = 'application/x-ndjson';
    const body = `${lines.join('\n')}\n`;
    const imported = await call('POST', `/v1/data/${collection}`, { token: administrator, type, body });
    assert.deepEqual(expectStatus(imported, 200).json(), { created: 90, failed: 0, errors: [] });

    const seen: StoredRecord[] = [];
    let cursor: string | null = null;
    do {
      const query = { sort: '-score,title', limit: '40', count: 'true', ...(cursor === null ? {} : { cursor }) };
      const page = await listRecords(collection, administrator, query);
      assert.equal(page.count, 90);
      seen.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    assert.equal(new Set(seen.map((each) => each.id)).size, 90);
    const inOrder = [...seen].sort(
      (left, right) =>
        Number(right.score) - Number(left.score) ||
        (String(left.title) < String(right.title) ? -1 : Number(left.title !== right.title)) ||
        (left.id < right.id ? -1 : 1),
    );
    assert.deepEqual(seen, inOrder);

    const filter = { score: { $gte: 3 }, title: { $in: ['t1', 't2'] } };
    const found = await listRecords(collection, administrator, { fields: 'title', limit: '200' }, filter);
    const expected = seen.filter((each) => Number(each.score) >= 3 && ['t1', 't2'].includes(String(each.title)));
    assert.deepEqual(found.items.map((each) => each.id).sort(), expected.map((each) => each.id).sort());
    assert.ok(found.items.every((each) => each.score === undefined && each.title !== undefined));

    const path = `/v1/data/${collection}/query`;
    const asked = { filter, fields: ['title'], limit: 200 };
    const answer = await call('POST', path, { token: administrator, json: asked });
    assert.deepEqual(expectStatus(answer, 200).json<Page>(), found);
    const explained = await call('POST', path, { token: administrator, json: { ...asked, explain: true } });
    const { explain } = expectStatus(explained, 200).json<{ explain: { examined: { records: number } } }>();
    assert.equal(explain.examined.records, 90);
    const { accessToken: member } = await signUp();
    await expectProblem(
      await call('GET', `/v1/data/${collection}`, { token: member, query: { explain: 'true' } }),
      403,
      'forbidden',
    );
    const first = await listRecords(collection, administrator, { sort: '-score,title', limit: '40' });
    const goOn = { sort: ['-score', 'title'], cursor: first.nextCursor, limit: 40 };
    const next = expectStatus(await call('POST', path, { token: administrator, json: goOn }), 200).json<Page>();
    assert.deepEqual(
      next.items.map((each) => each.id),
      seen.slice(40, 80).map((each) => each.id),
    );
  });
});

describe('records that match a filter', () => {
  it('are changed and deleted by one call, which can say first what it would do', async () => {
    const token = await admin();
    const collection = await defineCollection(token);
    for (const score of [1, 2, 3, 4, 5]) await createRecord(collection, token, { title: `t${score}`, score });
    const path = `/v1/data/${collection}`;
    const query = { filter: JSON.stringify({ score: { $gte: 3 } }) };
    const json = { $inc: { score: 10 } };
    const dry = { token, type: operators, json, query: { ...query, dryRun: 'true' } };
    const rehearsed = expectStatus(await call('PATCH', path, dry), 200).json<{ changed: number }>();
    const changed = expectStatus(await call('PATCH', path, { token, type: operators, json, query }), 200);
    assert.deepEqual(changed.json(), { ...rehearsed, dryRun: false });
    assert.equal(rehearsed.changed, 3);
    const { items } = await listRecords(collection, token, { sort: 'score' });
    assert.deepEqual(
      items.map(({ score }) => score),
      [1, 2, 13, 14, 15],
    );
    await expectProblem(await call('DELETE', path, { token }), 400, 'invalid-request');
    await expectProblem(
      await call('DELETE', path, { token, query: { filter: '{}', limit: '4' } }),
      409,
      'too-many-matches',
    );
    const gone = expectStatus(await call('DELETE', path, { token, query: { filter: '{}' } }), 200);
    assert.equal(gone.json<{ deleted: number }>().deleted, 5);
  });
});

describe('import and export', () => {
  it('bring back what was taken in, as NDJSON and as CSV that no spreadsheet runs', async () => {
    const token = await admin();
    const collection = await defineCollection(token, {
      properties: { title: { type: 'string' }, nested: { type: 'object' }, tags: { type: 'array' } },
    });
    const sent = [
      { title: 'plain' },
      { title: 'with "quotes", commas\nand lines', tags: ['a', 'b'] },
      { title: '=HYPERLINK("http://example.com")', nested: { deep: { er: [1, null] } } },
      { title: '@SUM(A1)' },
      { title: '+1' },
      { title: '-1' },
    ];
    const type = 'application/x-ndjson';
    const body = sent.map((each) => JSON.stringify(each)).join('\r\n');
    const headers = { 'idempotency-key': randomUUID() };
    const path = `/v1/data/${collection}`;
    assert.equal(expectStatus(await call('POST', path, { token, type, body, headers }), 200).json().created, 6);
    // One key covers the import: to repeat it makes nothing twice.
    expectStatus(await call('POST', path, { token, type, body, headers }), 200);

    const ndjson = await call('GET', path, { token, headers: { accept: type } });
    const back = expectStatus(ndjson, 200)
      .text.trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as StoredRecord);
    assert.deepEqual(new Set(back.map((each) => each.title)), new Set(sent.map((each) => each.title)));
    assert.equal(back.length, sent.length);
    const csv = expectStatus(await call('GET', path, { token, headers: { accept: 'text/csv' } }), 200).text;
    const [head] = csv.split(/\r?\n/);
    assert.match(head ?? '', /title,nested,tags/);
    for (const cell of [`"'=HYPERLINK(""http://example.com"")"`, "'@SUM(A1)", "'+1", "'-1"]) {
      assert.ok(csv.includes(cell), `${cell} in ${csv}`);
    }
    assert.ok(csv.includes('"{""deep"":{""er"":[1,null]}}"'), csv);
  });
});
