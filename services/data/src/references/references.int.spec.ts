import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { operatorsType } from '../operators/parse-operators.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const open = { read: 'public', create: 'public', update: 'public', delete: 'public' } as const;

describe('references', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;

  const articles = {
    schema: { properties: { title: { type: 'string' }, owner: { type: 'string' }, hidden: { type: 'boolean' } } },
    rules: { ...open, read: [{ hidden: { $exists: false } }, { owner: { $auth: 'sub' } }] },
  };
  const comments = {
    schema: {
      properties: {
        text: { type: 'string' },
        article: { type: ['string', 'null'] },
        also: { type: 'array', items: { type: 'string' } },
        about: { type: 'object', properties: { reply: { type: 'string' } } },
        slug: { type: 'string' },
        n: { type: 'number' },
      },
    },
    indexes: [{ keys: { slug: 1 }, unique: true, where: { slug: { $exists: true } } }],
    rules: open,
    fields: {
      article: { reference: { collection: 'articles' } },
      also: { reference: { collection: 'articles', onDelete: 'restrict' } },
      'about.reply': { reference: { collection: 'comments' } },
    },
  };

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    other = await data.replica();
    admin = await data.person({ roles: ['admin', 'member'] });
    ada = await data.person();
    eve = await data.person();
    for (const [name, body] of Object.entries({ articles, comments })) {
      const defined = await define(name, body);
      assert.equal(defined.status, 201, defined.text);
    }
  });
  after(() => data.stop());

  const newName = (): string => `c${randomUUID().slice(0, 8)}`;
  const define = (name: string, body: object): Promise<Answered> =>
    replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
  const create = (collection: string, body: unknown, { by = ada, to = replica } = {}): Promise<Answered> =>
    to.call(`POST /v1/data/${collection}`, { body, token: by.token });
  const made = async (collection: string, body: object): Promise<string> => {
    const answer = await create(collection, body);
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const article = (fields: object = {}): Promise<string> => made('articles', { title: 'x', ...fields });
  const remove = (collection: string, id: string, { by = ada, to = replica } = {}): Promise<Answered> =>
    to.call(`DELETE /v1/data/${collection}/${id}`, { token: by.token });
  const read = (collection: string, id: string): Promise<Answered> =>
    replica.call(`GET /v1/data/${collection}/${id}`, { token: admin.token });
  const outcome = ({ status, body }: Answered): string => {
    const { errors = [] } = body as { errors?: { pointer: string }[] };
    return [status, body.code, ...errors.map(({ pointer }) => pointer)].join(' ');
  };
  const count = async (collection: string, filter: object): Promise<unknown> => {
    const text = encodeURIComponent(JSON.stringify(filter));
    return (await replica.call(`GET /v1/data/${collection}?count=true&filter=${text}`, { token: admin.token })).body
      .count;
  };
  const examplesOf = ({ body }: Answered) => (body as { examples?: { id: string }[] }).examples ?? [];

  it('holds for what is stored by a unique key, new or anew', async () => {
    const slug = `s-${randomUUID()}`;
    const put = (fields: object): Promise<Answered> =>
      replica.call('PUT /v1/data/comments?by=slug', { body: { slug, ...fields }, token: ada.token });
    const hidden = await create('articles', { hidden: true, owner: eve.id }, { by: eve });
    for (const article of ['rec_00000000000000000000000000', String(hidden.body.id)]) {
      assert.equal(outcome(await put({ article })), '422 reference-not-found /article');
    }
    assert.equal(await count('comments', { slug }), 0);
    const [one, two] = [await article(), await article()];
    assert.equal((await put({ article: one })).status, 201);
    assert.equal(outcome(await put({ article: String(hidden.body.id) })), '422 reference-not-found /article');
    const changed = await put({ article: two });
    assert.deepEqual([changed.status, changed.body.article], [200, two], changed.text);
    assert.equal(outcome(await remove('articles', two)), '409 still-referenced');
    assert.equal((await remove('articles', one)).status, 204);
  });

  it('are shown by the names of their collections', async () => {
    const answer = await replica.call('GET /v1/collections/comments', { token: admin.token });
    const fields = { ...comments.fields, also: { reference: { collection: 'articles' } } };
    assert.deepEqual(answer.body.fields, fields);
    const all = await replica.call('GET /v1/collections', { token: admin.token });
    const items = all.body.items as unknown as { name: string; fields?: object }[];
    assert.deepEqual(items.find(({ name }) => name === 'comments')?.fields, fields);
    const again = await define('comments', comments);
    assert.deepEqual([again.status, again.body.fields, again.body.revision], [200, fields, 1]);
  });

  /** What comments name and is not there. */
  const dangling = async (): Promise<unknown[]> => {
    const idOf = async (name: string): Promise<string> =>
      String((await replica.call(`GET /v1/collections/${name}`, { token: admin.token })).body.id);
    const rows = data.db.collection(`records_${await idOf('comments')}`).aggregate([
      { $match: { 'fields.article': { $type: 'string' } } },
      {
        $lookup: {
          from: `records_${await idOf('articles')}`,
          localField: 'fields.article',
          foreignField: '_id',
          as: 'to',
        },
      },
      { $match: { to: { $size: 0 } } },
    ]);
    return await rows.toArray();
  };

  it('name what is there, whichever way a record is written', async () => {
    const id = await article();
    const nothing = 'rec_0000000000000000000000000';
    const comment = await made('comments', { article: id, also: [id], about: {} });
    const at = `/v1/data/comments/${comment}`;
    const refused: [string, () => Promise<Answered>, string][] = [
      ['a create', () => create('comments', { article: nothing }), '/article'],
      ['one of many', () => create('comments', { also: [id, nothing] }), '/also/1'],
      ['one within', () => create('comments', { about: { reply: nothing } }), '/about/reply'],
      ['one of another collection', () => create('comments', { about: { reply: id } }), '/about/reply'],
      ['no id', () => create('comments', { article: '' }), '/article'],
      ['a replacement', () => replica.call(`PUT ${at}`, { body: { article: nothing } }), '/article'],
      [
        'a merge patch',
        () =>
          replica.call(`PATCH ${at}`, { body: { about: { reply: nothing } }, type: 'application/merge-patch+json' }),
        '/about/reply',
      ],
      [
        'a patch',
        () =>
          replica.call(`PATCH ${at}`, {
            body: [{ op: 'add', path: '/also/-', value: nothing }],
            type: 'application/json-patch+json',
          }),
        '/also/1',
      ],
      [
        'an operator',
        () => replica.call(`PATCH ${at}`, { body: { $push: { also: nothing } }, type: operatorsType }),
        '/also/1',
      ],
    ];
    for (const [what, call, pointer] of refused) {
      assert.equal(outcome(await call()), `422 reference-not-found ${pointer}`, what);
    }
    const unchanged = await read('comments', comment);
    assert.equal(unchanged.body.revision, 1);
    const second = await article();
    const changed = await replica.call(`PATCH ${at}`, { body: { $push: { also: second } }, type: operatorsType });
    assert.deepEqual([changed.status, changed.body.also], [200, [id, second]], changed.text);
    const cleared = await replica.call(`PUT ${at}`, { body: { article: null, about: { reply: comment } } });
    assert.deepEqual([cleared.status, cleared.body.revision], [200, 3], cleared.text);
    assert.equal((await remove('comments', comment)).status, 204, 'it refers to itself');
  });

  it('do not tell what is hidden from what is not there', async () => {
    const hidden = await article({ hidden: true, owner: ada.id });
    const refused = await create('comments', { article: hidden }, { by: eve });
    const missing = await create('comments', { article: 'rec_nobody' }, { by: eve });
    const told = ({ status, body: { type, title, detail, code, errors } }: Answered) => ({
      ...{ status, type, title, detail, code, errors },
    });
    assert.deepEqual(told(refused), told(missing));
    assert.equal(outcome(refused), '422 reference-not-found /article');
    assert.equal((await create('comments', { article: hidden })).status, 201, 'its owner sees it');
  });

  it('are looked at where they change: one that was named before may be out of sight', async () => {
    const id = await article();
    const comment = await made('comments', { article: id, n: 1 });
    const body = { hidden: true, title: 'x' };
    assert.equal((await replica.call(`PUT /v1/data/articles/${id}`, { body, token: admin.token })).status, 200);
    const kept = await replica.call(`PUT /v1/data/comments/${comment}`, { body: { article: id, n: 2 } });
    assert.equal(kept.status, 200, kept.text);
  });

  it('keep what they name from being deleted, and say by which records', async () => {
    const id = await article();
    const referring = [await made('comments', { article: id }), await made('comments', { also: [id] })];
    const refused = await remove('articles', id);
    assert.equal(outcome(refused), '409 still-referenced');
    assert.deepEqual(
      examplesOf(refused)
        .map((each) => each.id)
        .sort(),
      referring.sort(),
    );
    // A change of the record that is named loses nothing of it.
    const changed = await replica.call(`PUT /v1/data/articles/${id}`, { body: { title: 'y' }, token: ada.token });
    assert.deepEqual([changed.status, changed.body.revision, changed.body.refs], [200, 2, undefined]);
    assert.equal(outcome(await remove('articles', id)), '409 still-referenced');
    for (const each of referring) assert.equal((await remove('comments', each)).status, 204);
    assert.equal((await remove('articles', id)).status, 204);
  });

  it('name at most five of those that refer, and none that the caller may not read', async () => {
    const secrets = {
      schema: { properties: { to: { type: 'string' }, owner: { type: 'string' } } },
      rules: { ...open, read: [{ owner: { $auth: 'sub' } }] },
      fields: { to: { reference: { collection: 'articles' } } },
    };
    assert.equal((await define('secrets', secrets)).status, 201);
    const id = await article();
    for (let at = 0; at < 7; at += 1) await made('secrets', { to: id, owner: ada.id });
    assert.equal(examplesOf(await remove('articles', id)).length, 5);
    const blind = await remove('articles', id, { by: eve });
    assert.deepEqual([outcome(blind), examplesOf(blind)], ['409 still-referenced', []]);
  });

  it('never dangle: of a create and a delete at once, by two replicas, one is refused', async () => {
    const race = async (round: number): Promise<void> => {
      const id = await article();
      const [naming, deleting] = await Promise.all([
        create('comments', { article: id }, { to: round % 2 === 0 ? replica : other }),
        remove('articles', id, { to: round % 2 === 0 ? other : replica }),
      ]);
      const both = [naming.status, deleting.status].join();
      assert.ok(['201,409', '422,204'].includes(both), `${both} ${naming.text} ${deleting.text}`);
      assert.equal((await read('articles', id)).status, naming.status === 201 ? 200 : 404);
    };
    for (let round = 0; round < 200; round += 8) {
      await Promise.all(Array.from({ length: 8 }, (_, lane) => race(round + lane)));
    }
    assert.deepEqual(await dangling(), []);
  });

  it('never dangle where a change names what is being deleted', async () => {
    const comment = await made('comments', {});
    for (let round = 0; round < 15; round += 1) {
      const id = await article();
      const patch = { body: { $set: { article: id } }, type: operatorsType, token: ada.token };
      const [naming, deleting] = await Promise.all([
        replica.call(`PATCH /v1/data/comments/${comment}`, patch),
        remove('articles', id, { to: other }),
      ]);
      const both = [naming.status, deleting.status].join();
      assert.ok(['200,409', '422,204'].includes(both), `${both} ${naming.text} ${deleting.text}`);
    }
  });

  it('are all taken where many name one record at once', async () => {
    const id = await article();
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, at) =>
        create('comments', { article: id, n: at }, { to: at % 2 === 0 ? replica : other }),
      ),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
    assert.equal(await count('comments', { article: id }), 64);
    assert.equal((await read('articles', id)).body.revision, 1, 'to be named is no change');
  });

  it('fail a line of an import alone', async () => {
    const id = await article();
    const slug = randomUUID();
    const lines = [
      { article: id, n: 1 },
      { article: 'rec_nobody', n: 2 },
      { n: 3 },
      { also: [id, 'rec_nobody'], n: 4 },
      { article: id, slug, n: 5 },
      { article: id, slug, n: 6 },
      { also: Array.from({ length: 101 }, () => id), n: 7 },
      ...Array.from({ length: 150 }, (_, at) => ({ article: id, n: 8 + at })),
    ];
    const answer = await replica.call('POST /v1/data/comments', {
      body: lines.map((each) => JSON.stringify(each)).join('\n'),
      ...{ type: 'application/x-ndjson', token: ada.token },
    });
    assert.equal(answer.status, 200, answer.text);
    const { created, failed, errors } = answer.body as unknown as {
      created: number;
      failed: number;
      errors: { line: number; problem: { code: string; errors: { pointer: string }[] } }[];
    };
    assert.deepEqual([created, failed], [153, 4], answer.text);
    assert.deepEqual(
      errors.map(({ line, problem }) => [line, problem.code, problem.errors[0]?.pointer]),
      [
        [2, 'reference-not-found', '/article'],
        [4, 'reference-not-found', '/also/1'],
        [6, 'duplicate-value', '/slug'],
        [7, 'invalid-request', '/also'],
      ],
    );
    assert.equal(await count('comments', { $or: [{ article: id }, { also: id }] }), 152);
  });

  it('are repeated by a repeated import without a second record', async () => {
    const id = await article();
    const marker = randomUUID();
    const body = Array.from({ length: 120 }, (_, n) => JSON.stringify({ article: id, text: marker, n })).join('\n');
    const headers = { 'idempotency-key': randomUUID() };
    const call = { body, type: 'application/x-ndjson', token: ada.token, headers };
    const first = await replica.call('POST /v1/data/comments', call);
    // As where its process was killed before it could say that it was done.
    await data.db.collection('idempotency').deleteMany({});
    await data.db.collection('imports').updateMany({}, { $set: { done: false } });
    const second = await replica.call('POST /v1/data/comments', call);
    assert.deepEqual([first.body.created, second.status], [120, 200], second.text);
    assert.equal(await count('comments', { text: marker }), 120);
  });

  it('keep no line of a repeated import from being found that was written while what it names was there', async () => {
    const [hidden, gone] = [await article(), await article()];
    const slug = randomUUID();
    const lines = [{ article: hidden }, { article: gone }, { article: hidden, slug }];
    const call = (more: readonly object[]): Promise<Answered> =>
      replica.call('POST /v1/data/comments', {
        body: [...lines, ...more].map((each) => JSON.stringify({ text: slug, ...each })).join('\n'),
        type: 'application/x-ndjson',
        token: ada.token,
        headers: { 'idempotency-key': slug },
      });
    const patch = (path: string, body: object): Promise<Answered> =>
      replica.call(`PATCH /v1/data/${path}`, { body, type: 'application/merge-patch+json', token: admin.token });
    assert.equal((await call([])).body.created, 3);
    const list = await replica.call(
      `GET /v1/data/comments?filter=${encodeURIComponent(JSON.stringify({ article: gone }))}`,
      { token: admin.token },
    );
    const [named] = list.body.items as unknown as readonly { id: string }[];
    assert.equal((await patch(`comments/${named?.id}`, { article: null })).status, 200);
    assert.equal((await remove('articles', gone)).status, 204);
    assert.equal((await patch(`articles/${hidden}`, { hidden: true, owner: eve.id })).status, 200);
    const repeat = async (more: readonly object[]): Promise<Answered> => {
      await data.db.collection('idempotency').deleteMany({});
      await data.db.collection('imports').updateMany({}, { $set: { done: false } });
      return await call(more);
    };
    const together = await repeat([]);
    assert.deepEqual([together.body.created, together.body.failed], [3, 0], together.text);
    // One that MongoDB refuses, so that each line has a transaction of its own.
    const other = await article();
    const again = await repeat([{ article: other, slug }, { article: other }]);
    assert.deepEqual([again.body.created, again.body.failed], [4, 1], again.text);
    const [error] = again.body.errors as unknown as readonly { line: number; problem: { code: string } }[];
    assert.deepEqual([error?.line, error?.problem.code], [4, 'duplicate-value']);
    assert.equal(await count('comments', { text: slug }), 4);
  });

  describe('in a batch', () => {
    const send = (operations: object[], by = ada): Promise<Answered> =>
      replica.call('POST /v1/batch', { body: { operations }, token: by.token });
    const on = (op: string, collection: string, rest: object) => ({ op, collection, ...rest });

    it('may name what an operation before has created', async () => {
      const answer = await send([
        on('create', 'articles', { fields: { title: 'new' }, as: 'a' }),
        on('create', 'comments', { fields: { article: { $id: 'a' } }, as: 'c' }),
        on('create', 'comments', { fields: { about: { reply: { $id: 'c' } } } }),
      ]);
      assert.equal(answer.status, 200, answer.text);
      const [{ id } = { id: '' }] = answer.body.results as unknown as { id: string }[];
      assert.equal(outcome(await remove('articles', id)), '409 still-referenced');
    });

    it('fail the operation that names what is not there, or is gone by then', async () => {
      const id = await article();
      const hidden = await article({ hidden: true, owner: eve.id });
      const fields = (to: string) => ({ fields: { article: to } });
      const missing = await send([
        on('create', 'comments', fields(id)),
        on('create', 'comments', fields('rec_nobody')),
        on('create', 'comments', fields('rec_nothing')),
      ]);
      assert.equal(outcome(missing), '422 reference-not-found /operations/1/fields/article');
      assert.equal(missing.body.operation, 1);
      const gone = await send([on('delete', 'articles', { id }), on('create', 'comments', fields(id))]);
      assert.equal(outcome(gone), '422 reference-not-found /operations/1/fields/article');
      const unseen = await send([on('create', 'comments', fields(hidden))]);
      assert.equal(outcome(unseen), '422 reference-not-found /operations/0/fields/article');
      const made = await send([
        on('create', 'articles', { fields: { hidden: true, title: 'x' }, as: 'a' }),
        on('create', 'comments', { fields: { article: { $id: 'a' } } }),
      ]);
      assert.equal(outcome(made), '422 reference-not-found /operations/1/fields/article', 'nor what it has hidden');
      assert.equal((await read('articles', id)).status, 200);
    });

    it('keep what they name, by what the operations before have left', async () => {
      const [id, second] = [await article(), await article()];
      const comment = await made('comments', { article: id });
      const early = await send([on('delete', 'articles', { id }), on('delete', 'comments', { id: comment })]);
      assert.deepEqual([outcome(early), early.body.operation], ['409 still-referenced', 0]);
      const anew = await send([
        on('create', 'comments', { fields: { article: second } }),
        on('delete', 'articles', { id: second }),
      ]);
      assert.deepEqual([outcome(anew), anew.body.operation], ['409 still-referenced', 1]);
      const moved = await send([
        on('update', 'comments', { id: comment, merge: { article: second } }),
        on('delete', 'articles', { id }),
      ]);
      assert.equal(moved.status, 200, moved.text);
      const both = await send([on('delete', 'comments', { id: comment }), on('delete', 'articles', { id: second })]);
      assert.equal(both.status, 200, both.text);
    });

    it('name so many records beside its own, and no more', async () => {
      const naming = (operations: number, idOf: (index: number) => string) =>
        Array.from({ length: operations }, (_, at) =>
          on('create', 'comments', { fields: { also: Array.from({ length: 100 }, (__, n) => idOf(at * 100 + n)) } }),
        );
      const codeOf = async (operations: object[]): Promise<unknown> => (await send(operations)).body.code;
      assert.equal(await codeOf(naming(51, (index) => `rec_${index}`)), 'batch-too-large');
      assert.equal(await codeOf(naming(50, (index) => `rec_${index}`)), 'reference-not-found');
      assert.equal(await codeOf(naming(51, (index) => `rec_${index % 100}`)), 'reference-not-found', 'the same ones');
    });

    it('never dangle beside a delete', async () => {
      for (let round = 0; round < 15; round += 1) {
        const id = await article();
        const [naming, deleting] = await Promise.all([
          send([on('create', 'comments', { fields: { article: id } })]),
          remove('articles', id, { to: other }),
        ]);
        const both = [naming.status, deleting.status].join();
        assert.ok(['200,409', '422,204'].includes(both), `${both} ${naming.text} ${deleting.text}`);
      }
    });
  });

  it('are refused in a definition that they cannot stand in', async () => {
    const { schema } = comments;
    const bad: [string, object, string][] = [
      ['no collection', { article: { reference: { collection: 'nowhere' } } }, '/fields/article/reference/collection'],
      ['an id', { article: { reference: { collection: 'col_x' } } }, '/fields/article/reference/collection'],
      ['MongoDB’s', { article: { reference: { collection: 'system.users' } } }, '/fields/article/reference/collection'],
      ['no object', { article: { reference: 'articles' } }, '/fields/article/reference'],
      ['no name', { article: { reference: {} } }, '/fields/article/reference/collection'],
      [
        'an unknown way',
        { article: { reference: { collection: 'articles', onDelete: 'explode' } } },
        '/fields/article/reference/onDelete',
      ],
      [
        'an unknown option',
        { article: { reference: { collection: 'articles', on: 1 } } },
        '/fields/article/reference/on',
      ],
      ['a number', { n: { reference: { collection: 'articles' } } }, '/fields/n/reference'],
      ['an object', { about: { reference: { collection: 'articles' } } }, '/fields/about/reference'],
      ['what is not declared', { nothing: { reference: { collection: 'articles' } } }, '/fields/nothing'],
    ];
    for (const [what, fields, pointer] of bad) {
      const answer = await define('refused', { schema, fields });
      assert.equal(outcome(answer), `400 invalid-request ${pointer}`, what);
    }
    assert.equal((await replica.call('GET /v1/collections/refused', { token: admin.token })).status, 404);
    const many = await create('comments', { also: Array.from({ length: 101 }, () => 'rec_nobody') });
    assert.equal(outcome(many), '400 invalid-request /also');
  });

  it('are held against the records there', async () => {
    const name = newName();
    const { schema } = comments;
    assert.equal((await define(name, { schema, rules: open })).status, 201);
    const id = await article();
    const [good, bad] = [await made(name, { article: id }), await made(name, { article: 'rec_nobody' })];
    const fields = { article: { reference: { collection: 'articles' } } };
    const refused = await define(name, { schema, rules: open, fields });
    assert.equal(outcome(refused), '409 definition-conflict');
    assert.deepEqual(
      examplesOf(refused).map((each) => each.id),
      [bad],
    );
    assert.equal((await remove('articles', id)).status, 204, 'nothing refers to it yet');
    for (const each of [good, bad]) assert.equal((await remove(name, each)).status, 204);
    const kept = await made(name, { article: await article() });
    assert.equal((await define(name, { schema, rules: open, fields })).status, 200);
    assert.equal(
      outcome(await remove('articles', String((await read(name, kept)).body.article))),
      '409 still-referenced',
    );
  });

  it('are held against a delete that began before, and is committed after they were looked at', async () => {
    const name = newName();
    const { schema } = comments;
    assert.equal((await define(name, { schema, rules: open })).status, 201);
    const id = await article();
    const comment = await made(name, { article: id });
    const { id: articlesId } = (await replica.call('GET /v1/collections/articles', { token: admin.token })).body;
    const articlesThere = data.db.collection<{ _id: string }>(`records_${String(articlesId)}`);
    // The relay takes its event out of it, at any time until then, and one of the two writes would be refused.
    const deadline = performance.now() + 60_000;
    while ((await articlesThere.countDocuments({ _id: id, 'outbox.0': { $exists: true } })) > 0) {
      assert.ok(performance.now() < deadline, 'its event was not published in 60 s');
      await delay(20);
    }
    const session = data.db.client.startSession();
    session.startTransaction();
    await articlesThere.deleteOne({ _id: id }, { session });
    const change = define(name, {
      schema,
      rules: open,
      fields: { article: { reference: { collection: 'articles' } } },
    });
    // Unless it waits for the delete, it is over by then.
    await Promise.race([change, delay(1_000)]);
    await session.commitTransaction();
    await session.endSession();
    const answer = await change;
    assert.equal(outcome(answer), '409 definition-conflict', answer.text);
    assert.deepEqual(
      examplesOf(answer).map((each) => each.id),
      [comment],
    );
  });

  it('never dangle where they are defined while records are deleted', async () => {
    const { schema } = comments;
    const fields = { article: { reference: { collection: 'articles' } } };
    const kept = '200,409';
    const refused = '409,204';
    const race = async (order: 'defined first' | 'deleted first' | 'at once', expected: readonly string[]) => {
      const name = newName();
      assert.equal((await define(name, { schema, rules: open })).status, 201);
      const ids = await Promise.all(Array.from({ length: 4 }, () => article()));
      for (const each of ids) await made(name, { article: each });
      const [deleted = ''] = ids;
      const begun = order === 'deleted first' ? await remove('articles', deleted, { to: other }) : undefined;
      const defining = define(name, { schema, rules: open, fields });
      if (order === 'defined first') await defining;
      const [change, removal] = await Promise.all([defining, begun ?? remove('articles', deleted, { to: other })]);
      const both = [change.status, removal.status].join();
      assert.ok(expected.includes(both), `${order}: ${both} ${change.text} ${removal.text}`);
      for (const each of ids) {
        const status = each === deleted && both === refused ? 404 : 200;
        assert.equal((await read('articles', each)).status, status, both);
      }
    };
    await race('defined first', [kept]);
    await race('deleted first', [refused]);
    for (let round = 0; round < 10; round += 1) await race('at once', [kept, refused]);
  });

  it('keep the collection that they lead to', async () => {
    const refused = await replica.call('DELETE /v1/collections/articles?records=delete', { token: admin.token });
    assert.equal(outcome(refused), '409 collection-referenced');
    assert.ok((refused.body.collections as unknown as string[]).includes('comments'), refused.text);
    assert.equal((await create('articles', { title: 'still taken' })).status, 201);
  });

  it('of a collection to itself have it removed once it is without them', async () => {
    const name = `tree-${randomUUID().slice(0, 8)}`;
    const schema = { properties: { parent: { type: 'string' } } };
    const fields = { parent: { reference: { collection: name } } };
    assert.equal((await define(name, { schema, fields, rules: open })).status, 201);
    const root = await made(name, {});
    await made(name, { parent: root });
    const at = `DELETE /v1/collections/${name}?records=delete`;
    assert.equal(outcome(await replica.call(at, { token: admin.token })), '409 collection-referenced');
    assert.equal((await define(name, { schema, rules: open })).status, 200);
    assert.equal((await replica.call(at, { token: admin.token })).status, 204);
  });

  it('are found by an index of their own', async () => {
    const { id } = (await replica.call('GET /v1/collections/comments', { token: admin.token })).body;
    const indexes = await data.db.collection(`records_${String(id)}`).indexes();
    const first = indexes.map(({ key }) => Object.keys(key)[0]);
    for (const path of ['article', 'also', 'about.reply']) assert.ok(first.includes(`fields.${path}`), path);
  });
});
