import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const pages = {
  schema: {
    type: 'object',
    required: ['slug'],
    properties: {
      slug: { type: ['string', 'array', 'null'] },
      title: { type: 'string' },
      status: { enum: ['draft', 'published'] },
      owner: { type: 'string' },
      hidden: { type: 'boolean' },
      meta: { type: 'object', properties: { source: { type: 'string' } } },
    },
  },
  fields: {
    status: { default: 'draft' },
    owner: { default: { $auth: 'sub' }, readOnly: true },
    'meta.source': { writeOnce: true },
  },
  indexes: [{ keys: { slug: 1 }, unique: true }, { keys: { title: 1 } }],
  rules: {
    read: [{ hidden: { $ne: true } }],
    create: 'signed-in',
    update: [{ owner: { $auth: 'sub' } }],
  },
};

const notes = {
  schema: {
    type: 'object',
    properties: { slug: { type: 'string' }, text: { type: 'string' }, current: { type: 'boolean' } },
  },
  indexes: [
    { keys: { slug: 1, createdBy: 1 }, unique: true },
    { keys: { text: 1 }, unique: true, where: { current: true } },
  ],
  rules: { read: 'public', create: 'public', update: 'public' },
};

describe('upserts', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;

  before(async () => {
    data = await openTestData();
    [replica, other] = [await data.replica(), await data.replica()];
    admin = await data.person({ roles: ['admin', 'member'] });
    ada = await data.person();
    eve = await data.person();
    for (const [name, body] of Object.entries({ pages, notes })) {
      const defined = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
      assert.equal(defined.status, 201, defined.text);
    }
  });

  after(() => data.stop());

  interface Put {
    readonly by?: string;
    readonly to?: string;
    readonly as?: Person | undefined;
    readonly at?: TestReplica;
    readonly headers?: Record<string, string>;
  }
  const put = (body: unknown, { by = 'slug', to = 'pages', at = replica, headers = {}, ...who }: Put = {}) => {
    const token = ('as' in who ? who.as : ada)?.token;
    return at.call(`PUT /v1/data/${to}?by=${encodeURIComponent(by)}`, { body, token, headers });
  };
  const found = async (filter: object): Promise<Record<string, unknown>[]> => {
    const query = encodeURIComponent(JSON.stringify(filter));
    const answer = await replica.call(`GET /v1/data/pages?filter=${query}`, { token: admin.token });
    assert.equal(answer.status, 200, answer.text);
    return (answer.body as { items?: Record<string, unknown>[] }).items ?? [];
  };
  const code = ({ status, body }: Answered): string => `${status} ${String(body.code)}`;
  const places = ({ body }: Answered): unknown =>
    (body as { errors?: { pointer?: string; parameter?: string }[] }).errors?.map(
      (each) => each.pointer ?? each.parameter,
    );
  const fresh = (): string => `s-${randomUUID()}`;

  it('creates what is not there, and replaces it the next time', async () => {
    const slug = fresh();
    const made = await put({ slug, title: 'one', meta: { source: 'a' } });
    assert.equal(made.status, 201, made.text);
    assert.equal(made.headers.get('location'), `/v1/data/pages/${String(made.body.id)}`);
    assert.equal(made.headers.get('etag'), '"1"');
    assert.deepEqual([made.body.status, made.body.owner], ['draft', ada.id]);

    const changed = await put({ slug, meta: { source: 'a' } });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual([changed.body.id, changed.body.revision, changed.body.title], [made.body.id, 2, undefined]);
    const published = await data.published();
    const [event] = await published.waitFor(({ id }) => id === changed.headers.get('causeway-event'));
    assert.equal(event?.type, 'data.record.updated');
    assert.equal(event.subject, `record/${String(made.body.id)}`);
  });

  it('changes nothing when it comes twice, whatever defaults have filled in', async () => {
    const record = { slug: fresh(), title: 'one', meta: { source: 'a' } };
    const made = await put(record);
    const { slug, title } = record;
    for (const same of [record, { slug, title }]) {
      const again = await put(same);
      assert.equal(again.status, 200, again.text);
      assert.deepEqual(again.body, made.body);
      assert.equal(again.headers.get('causeway-event'), null);
    }
  });

  it(
    'makes one record of many calls at once, at two replicas, and loses none of them',
    { timeout: 120_000 },
    async () => {
      const slug = fresh();
      const titles = Array.from({ length: 24 }, (_, at) => `title ${at}`);
      const answers = await Promise.all(
        titles.map((title, at) => put({ slug, title }, { at: at % 2 === 0 ? replica : other })),
      );
      assert.deepEqual(
        answers.filter(({ status }) => status >= 300).map(({ text }) => text),
        [],
      );
      assert.equal(answers.filter(({ status }) => status === 201).length, 1);
      const revisions = answers.map(({ body }) => Number(body.revision)).sort((a, b) => a - b);
      assert.deepEqual(
        revisions,
        titles.map((_, at) => at + 1),
      );
      assert.equal((await found({ slug })).length, 1);
    },
  );

  it('finds nobody else’s record where the key says whose it is', async () => {
    const slug = fresh();
    const by = 'createdBy,slug';
    const [hers, mine] = [await put({ slug }, { by, to: 'notes', as: eve }), await put({ slug }, { by, to: 'notes' })];
    assert.deepEqual([hers.status, mine.status], [201, 201], hers.text + mine.text);
    const again = await put({ slug, text: fresh() }, { by: 'slug, createdBy', to: 'notes' });
    assert.deepEqual([again.status, again.body.id], [200, mine.body.id], again.text);
    assert.equal(code(await put({ slug }, { by, to: 'notes', as: undefined })), '400 invalid-request');
  });

  it('looks for a key in the part that its index holds', async () => {
    const text = fresh();
    const to = 'notes';
    const old = await replica.call('POST /v1/data/notes', { body: { text, slug: fresh() }, token: ada.token });
    const made = await put({ text, current: true, slug: text }, { by: 'text', to });
    assert.equal(made.status, 201, made.text);
    assert.notEqual(made.body.id, old.body.id);
    const again = await put({ text, current: true, slug: 'x' }, { by: 'text', to });
    assert.deepEqual([again.status, again.body.id], [200, made.body.id], again.text);
    const taken = await put({ text: fresh(), current: true, slug: 'x' }, { by: 'text', to });
    assert.deepEqual([code(taken), places(taken)], ['409 duplicate-value', ['/slug', '/createdBy']]);
    assert.equal(code(await put({ text, current: false }, { by: 'text', to })), '422 key-not-unique');
  });

  it('does as the rules say of creating and of changing', async () => {
    const slug = fresh();
    assert.equal(code(await put({ slug }, { as: undefined })), '403 forbidden');
    assert.equal((await put({ slug })).status, 201);
    assert.equal(code(await put({ slug, title: 'mine' }, { as: eve })), '403 forbidden');
    assert.equal((await found({ slug }))[0]?.title, undefined);
    assert.equal(code(await put({ slug: fresh(), owner: eve.id })), '422 field-read-only');
    assert.equal(code(await put({ slug, owner: eve.id })), '422 field-read-only');
  });

  it('says of a record that one may not see what a create would say', async () => {
    const slug = fresh();
    assert.equal((await put({ slug, hidden: true }, { as: admin })).status, 201);
    const answer = await put({ slug });
    assert.equal(code(answer), '409 duplicate-value');
    const created = await replica.call('POST /v1/data/pages', { body: { slug }, token: ada.token });
    const own = { instance: '', requestId: '' };
    assert.deepEqual({ ...answer.body, ...own }, { ...created.body, ...own });
    assert.equal((await found({ slug }))[0]?.hidden, true);
  });

  it('creates only, or changes only, where it is told to', async () => {
    const slug = fresh();
    assert.equal(code(await put({ slug }, { headers: { 'if-match': '*' } })), '412 precondition-failed');
    assert.equal((await put({ slug }, { headers: { 'if-none-match': '*' } })).status, 201);
    assert.equal(
      code(await put({ slug, title: 'x' }, { headers: { 'if-none-match': '*' } })),
      '412 precondition-failed',
    );
    assert.equal(code(await put({ slug, title: 'x' }, { headers: { 'if-match': '"7"' } })), '412 precondition-failed');
    const changed = await put({ slug, title: 'x' }, { headers: { 'if-match': '"1"' } });
    assert.deepEqual([changed.status, changed.body.revision], [200, 2], changed.text);
    assert.equal(code(await put({ slug }, { headers: { 'if-none-match': '"1"' } })), '400 invalid-request');
  });

  it('takes a record that has the value among others for another', async () => {
    const [one, two] = [fresh(), fresh()];
    assert.equal(
      (await replica.call('POST /v1/data/pages', { body: { slug: [one, two] }, token: ada.token })).status,
      201,
    );
    assert.equal(code(await put({ slug: one })), '409 duplicate-value');
    assert.deepEqual((await found({ slug: one }))[0]?.slug, [one, two]);
  });

  it('refuses what tells no record from others, and changes nothing', async () => {
    const slug = fresh();
    for (const by of ['title', 'slug,title', 'nothing', '$where', '__proto__', '']) {
      const answer = await put({ slug, title: 'x' }, { by });
      assert.equal(code(answer), by === '' ? '400 invalid-request' : '422 key-not-unique', by);
      assert.equal(answer.text.includes('"keys"'), false, answer.text);
      assert.match(answer.text, /"parameter":"by"/);
    }
    const told = await put({ slug }, { by: 'title', as: admin });
    assert.deepEqual(told.body.keys, [['slug']], told.text);
    for (const value of [null, ['a'], undefined]) {
      const answer = await put({ slug: value, title: slug });
      assert.deepEqual([code(answer), places(answer)], ['400 invalid-request', ['/slug']]);
    }
    const unknown = await replica.call('PUT /v1/data/pages', { body: { slug }, token: ada.token });
    assert.deepEqual([code(unknown), places(unknown)], ['400 invalid-request', ['by']]);
    assert.equal(code(await put({ slug, extra: { $gt: 1 } })), '400 invalid-request');
    assert.equal(code(await put({ slug, title: 7 })), '400 invalid-request');
    assert.equal(code(await put({ slug }, { to: 'nowhere' })), '404 not-found');
    assert.deepEqual(await found({ slug }), []);
    assert.deepEqual(await found({ title: slug }), []);
  });
});
