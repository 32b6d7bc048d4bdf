import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const schema = {
  properties: {
    title: { type: 'string' },
    owner: { type: 'string' },
    status: { type: 'string' },
    secret: { type: 'string' },
    n: { type: 'number' },
  },
};
const writes = { create: 'public', update: 'public', delete: 'public' } as const;
const definitions = {
  open: { schema, rules: { ...writes, read: 'public' } },
  members: { schema, rules: { ...writes, read: 'signed-in' } },
  published: { schema, rules: { ...writes, read: [{ status: 'published' }, { owner: { $auth: 'sub' } }] } },
  guarded: {
    schema,
    rules: { ...writes, read: 'public' },
    fields: { secret: { read: [{ owner: { $auth: 'sub' } }] } },
  },
  timed: { schema, rules: { ...writes, read: [{ createdAt: { $gte: { $now: '-1h' } } }] } },
} as const;
type Name = keyof typeof definitions;

describe('what caches are told', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;
  const ids = new Map<Name, string>();

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin', 'member'] });
    ada = await data.person();
    eve = await data.person();
    for (const [name, body] of Object.entries(definitions)) {
      const defined = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
      assert.equal(defined.status, 201, defined.text);
      const fields = { title: name, owner: ada.id, status: 'published', secret: 's' };
      const created = await replica.call(`POST /v1/data/${name}`, { body: fields, token: ada.token });
      assert.equal(created.status, 201, created.text);
      ids.set(name as Name, String(created.body.id));
    }
  });
  after(() => data.stop());

  const get = (path: string, by?: Person, headers: Record<string, string> = {}): Promise<Answered> =>
    replica.call(`GET /v1/data/${path}`, { token: by?.token, headers });
  const pathOf = (name: Name): string => `${name}/${ids.get(name) ?? ''}`;
  const told = ({ headers }: Answered): unknown[] => [headers.get('cache-control'), headers.get('vary')];
  const tagOf = ({ headers }: Answered): string => headers.get('etag') ?? assert.fail('no tag');
  const vary = 'Authorization, Cookie, Accept';

  for (const [name, anonymous] of [
    ['open', 'public, no-cache'],
    ['published', 'private, no-cache'],
    ['guarded', 'private, no-cache'],
    ['timed', 'private, no-cache'],
  ] as const) {
    it(`of ${name}, a record and a page are ${anonymous} to who is not signed in, and private to who is`, async () => {
      for (const path of [pathOf(name), name]) {
        const open = await get(path);
        assert.deepEqual([open.status, ...told(open)], [200, anonymous, vary], path);
        for (const person of [ada, admin]) {
          const own = await get(path, person);
          assert.deepEqual([own.status, ...told(own)], [200, 'private, no-cache', vary], path);
        }
        const unchanged = await get(path, undefined, { 'if-none-match': tagOf(open) });
        assert.deepEqual([unchanged.status, unchanged.text, ...told(unchanged)], [304, '', anonymous, vary], path);
        assert.equal(tagOf(unchanged), tagOf(open));
      }
    });
  }

  it('of what only members see is private, and nothing of what one may not see', async () => {
    for (const path of [pathOf('members'), 'members']) {
      assert.deepEqual(told(await get(path, ada)), ['private, no-cache', vary]);
      const refused = await get(path);
      assert.deepEqual([refused.status, refused.headers.get('cache-control')], [404, 'no-store'], path);
    }
  });

  it('is that a record has its revision as its tag, and a weak one where something may be hidden', async () => {
    assert.equal(tagOf(await get(pathOf('open'))), '"1"');
    assert.equal(tagOf(await get(pathOf('guarded'), admin)), '"1"');
    const [own, others, anonymous] = [
      tagOf(await get(pathOf('guarded'), ada)),
      tagOf(await get(pathOf('guarded'), eve)),
      tagOf(await get(pathOf('guarded'))),
    ];
    assert.match(own, /^W\/"1-/);
    assert.match(others, /^W\/"1-/);
    assert.notEqual(own, others);
    assert.equal(others, anonymous);
    // Whoever signs in as another is shown what that one sees.
    assert.equal((await get(pathOf('guarded'), eve, { 'if-none-match': own })).status, 200);
    assert.equal((await get(pathOf('guarded'), ada, { 'if-none-match': '"1"' })).status, 200);
  });

  it('is that a page has another tag whenever anything in it is another', async () => {
    const list = 'open?sort=title&count=true&fields=title,n';
    const first = await get(list);
    assert.match(tagOf(first), /^W\/"[\w-]{22}"$/);
    const again = (tag: string, path = list): Promise<Answered> =>
      get(path, undefined, { 'if-none-match': `"x", ${tag}` });
    assert.equal((await again(tagOf(first))).status, 304);
    const id = ids.get('open') ?? '';
    // Of a field that is not shown: the page is the same.
    const hidden = { body: { status: 'draft' }, type: 'application/merge-patch+json' };
    assert.equal((await replica.call(`PATCH /v1/data/open/${id}`, hidden)).status, 200);
    assert.equal((await again(tagOf(first))).status, 304);
    const shown = { body: { n: 7 }, type: 'application/merge-patch+json' };
    assert.equal((await replica.call(`PATCH /v1/data/open/${id}`, shown)).status, 200);
    const second = await again(tagOf(first));
    assert.equal(second.status, 200, second.text);
    assert.notEqual(tagOf(second), tagOf(first));
    const created = await replica.call('POST /v1/data/open', { body: { title: 'zz' } });
    const third = await again(tagOf(second));
    assert.deepEqual([third.status, third.body.count], [200, 2]);
    assert.equal((await replica.call(`DELETE /v1/data/open/${String(created.body.id)}`)).status, 204);
    // As it was before.
    assert.equal((await again(tagOf(second))).status, 304);
    assert.notEqual(tagOf(await get('open?sort=title&count=true')), tagOf(second));
    assert.equal((await again('*')).status, 400, 'a star stands alone');
    assert.equal((await get(list, undefined, { 'if-none-match': '*' })).status, 304);
    assert.equal((await get(list, undefined, { 'if-none-match': 'x' })).status, 400);
  });

  it('is that a cursor of another person makes another page', async () => {
    for (let n = 0; n < 2; n += 1) await replica.call('POST /v1/data/members', { body: { n }, token: ada.token });
    const [one, two] = [await get('members?limit=1', ada), await get('members?limit=1', eve)];
    assert.deepEqual(one.body.items, two.body.items);
    assert.notEqual(tagOf(one), tagOf(two));
    assert.equal((await get('members?limit=1', ada, { 'if-none-match': tagOf(one) })).status, 304);
  });

  it('is that nothing else is kept: writes, problems, exports, feeds, and what says what a query costs', async () => {
    const path = pathOf('open');
    const patch = { body: { n: 1 }, type: 'application/merge-patch+json', token: ada.token };
    const answers = {
      create: await replica.call('POST /v1/data/open', { body: {}, token: ada.token }),
      update: await replica.call(`PATCH /v1/data/${path}`, patch),
      query: await replica.call('POST /v1/data/open/query', { body: {} }),
      batch: await replica.call('POST /v1/batch', {
        body: { operations: [{ op: 'create', collection: 'open', fields: {} }] },
      }),
      missing: await get('open/rec_nothing'),
      invalid: await get('open?limit=0'),
      explain: await get('open?explain=true', admin),
      ndjson: await get('open', undefined, { accept: 'application/x-ndjson' }),
      csv: await get('open', undefined, { accept: 'text/csv' }),
      definitions: await replica.call('GET /v1/collections', { token: admin.token }),
    };
    for (const [what, answer] of Object.entries(answers)) {
      assert.equal(answer.headers.get('cache-control'), 'no-store', what);
    }
    assert.equal(answers.explain.headers.get('etag'), null);
    const feed = await replica.service.fetch('/v1/data/open/changes');
    assert.equal(feed.headers.get('cache-control'), 'no-store');
    await feed.body?.cancel();
  });

  it('is that a definition is an administrator’s own, by its revision', async () => {
    const path = 'GET /v1/collections/open';
    const answer = await replica.call(path, { token: admin.token });
    assert.deepEqual([answer.headers.get('cache-control'), tagOf(answer)], ['private, no-cache', '"1"']);
    const headers = { 'if-none-match': '"1"' };
    const unchanged = await replica.call(path, { token: admin.token, headers });
    assert.deepEqual([unchanged.status, unchanged.headers.get('cache-control')], [304, 'private, no-cache']);
  });
});
