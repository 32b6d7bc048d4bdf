import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { CollectionInfo } from 'mongodb';

import { articles, openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

describe('collections', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let ada: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    other = await data.replica();
    admin = await data.person({ roles: ['admin'] });
    ada = await data.person();
  });

  after(() => data.stop());

  const newName = (): string => `c${randomUUID().slice(0, 8)}`;
  const put = (
    name: string,
    body: unknown,
    { at = replica, ...more }: { at?: TestReplica; headers?: Record<string, string> } = {},
  ): Promise<Answered> => at.call(`PUT /v1/collections/${name}`, { body, token: admin.token, ...more });
  const create = (name: string, body: unknown, at = replica): Promise<Answered> =>
    at.call(`POST /v1/data/${name}`, { body, token: admin.token });
  const code = (answer: Answered): string => `${answer.status} ${String(answer.body.code)}`;
  const errorsOf = (answer: Answered) =>
    (answer.body as unknown as { errors: { pointer?: string; parameter?: string; code: string }[] }).errors;
  const defined = async (definition: object): Promise<string> => {
    const name = newName();
    const answer = await put(name, definition);
    assert.equal(answer.status, 201, answer.text);
    return name;
  };
  const open = { additionalProperties: true };
  const strict = { schema: { properties: { a: { type: 'number' } } } };
  const idOf = async (name: string): Promise<string> =>
    String((await replica.call(`GET /v1/collections/${name}`, { token: admin.token })).body.id);
  const textsOf = (id: string): Promise<number> =>
    data.db.collection(`records_${id}`).countDocuments({ 'fields.a': { $type: 'string' } });
  /** Waits until MongoDB demands a number of the records that are written. */
  const demanded = async (id: string, def: number): Promise<void> => {
    const bound = performance.now() + 10_000;
    while (performance.now() < bound) {
      const [{ options } = {}] = await data.db.listCollections<CollectionInfo>({ name: `records_${id}` }).toArray();
      const { def: now } = (options?.validator ?? {}) as { readonly def?: { readonly $gte: number } };
      if (now !== undefined && now.$gte >= def) return;
      await delay(1);
    }
    assert.fail(`records are never demanded to say ${def}`);
  };

  it('are defined, read, listed and changed', async () => {
    const name = newName();
    const made = await put(name, articles);
    assert.equal(made.status, 201, made.text);
    assert.equal(made.headers.get('etag'), '"1"');
    assert.equal(made.headers.get('location'), `/v1/collections/${name}`);
    const { warnings, ...defined } = made.body as Record<string, unknown>;
    const { id, createdAt, updatedAt, ...rest } = defined;
    assert.deepEqual(
      (warnings as { pointer: string }[]).map(({ pointer }) => pointer),
      ['/rules/read/1'],
    );
    assert.match(String(id), /^col_/);
    assert.equal(createdAt, updatedAt);
    assert.deepEqual(rest, { name, revision: 1, ...articles, onErase: 'keep', scans: 'refuse' });
    const read = await replica.call(`GET /v1/collections/${name}`, { token: admin.token });
    assert.deepEqual(read.body, defined);
    const list = await replica.call('GET /v1/collections', { token: admin.token });
    assert.ok((list.body as unknown as { items: { name: string }[] }).items.some((each) => each.name === name));
    const changed = await put(name, { ...articles, rules: { read: 'public' } }, { headers: { 'if-match': '"1"' } });
    assert.equal(changed.status, 200, changed.text);
    assert.equal(changed.headers.get('etag'), '"2"');
    assert.equal(code(await put(name, articles, { headers: { 'if-match': '"1"' } })), '412 precondition-failed');
    const published = await data.published();
    const events = await published.waitFor(({ subject }) => subject === `collection/${String(id)}`, 2);
    assert.deepEqual(
      events.map(({ type }) => type),
      ['data.collection.created', 'data.collection.updated'],
    );
  });

  it('record nothing where nothing changes', async () => {
    const name = await defined(articles);
    const again = await put(name, articles);
    assert.equal(again.status, 200);
    assert.equal(again.headers.get('etag'), '"1"');
    assert.equal(again.headers.get('causeway-event'), null);
  });

  it('say what becomes of somebody’s records when they are erased', async () => {
    const name = await defined({ ...articles, onErase: 'delete' });
    const read = () => replica.call(`GET /v1/collections/${name}`, { token: admin.token });
    assert.equal((await read()).body.onErase, 'delete');
    const kept = await put(name, articles);
    assert.deepEqual([kept.status, kept.body.onErase, kept.body.revision], [200, 'keep', 2]);
    const again = await put(name, { ...articles, onErase: 'keep' });
    assert.equal(again.headers.get('causeway-event'), null, 'what is said is what is meant where nothing is');
    for (const wrong of ['forget', true, null]) {
      const refused = await put(name, { ...articles, onErase: wrong });
      assert.equal(code(refused), '400 invalid-request');
      assert.deepEqual(
        errorsOf(refused).map(({ pointer }) => pointer),
        ['/onErase'],
      );
    }
  });

  it('are an administrator’s business', async () => {
    const name = await defined(articles);
    for (const call of ['PUT', 'GET', 'DELETE'].map((method) => `${method} /v1/collections/${name}`)) {
      const body = call.startsWith('PUT') ? { body: articles } : {};
      assert.equal((await replica.call(call, { ...body, token: ada.token })).status, 403);
      assert.equal((await replica.call(call, body)).status, 401);
    }
  });

  it('are refused with every fault', async () => {
    const answer = await put(newName(), {
      schema: { properties: { id: {}, a: { type: 'text' } } },
      indexes: [{ keys: { 'a.0': 1 } }, { keys: { b: 2 } }, { keys: {} }],
      rules: { read: 'everyone', write: [] },
    });
    assert.equal(code(answer), '400 invalid-request');
    const pointers = errorsOf(answer).map(({ pointer }) => pointer);
    assert.deepEqual(pointers, [
      '/schema/properties/id',
      '/indexes/0/keys/a.0',
      '/indexes/1/keys/b',
      '/indexes/2/keys',
      '/rules/write',
      '/rules/read',
    ]);
    assert.equal(code(await put('Not-A-Name', articles)), '400 invalid-request');
    assert.equal(code(await put(newName(), { ...articles, extra: 1 })), '400 invalid-request');
  });

  it('are not changed so that the records there would break the schema', async () => {
    const name = await defined({ schema: open });
    await create(name, { a: 1 });
    const { body } = await create(name, { a: 'text' });
    const answer = await put(name, { schema: { properties: { a: { type: 'number' } } } });
    assert.equal(code(answer), '409 definition-conflict');
    const { examples } = answer.body as unknown as { examples: { id: string; errors: { pointer: string }[] }[] };
    assert.equal(examples[0]?.id, (body as { id?: string }).id);
    assert.equal(examples[0]?.errors[0]?.pointer, '/a');
    // The old definition still holds, and records are written under it.
    assert.equal((await create(name, { a: 'more text' })).status, 201);
    const read = await replica.call(`GET /v1/collections/${name}`, { token: admin.token });
    assert.equal(read.body.revision, 1);
  });

  it('are not changed so that the records there would break a unique index', async () => {
    const name = await defined({ schema: open });
    const ids = [await create(name, { a: 1 }), await create(name, { a: 1 })].map((each) => String(each.body.id));
    const answer = await put(name, { schema: open, indexes: [{ keys: { a: 1 }, unique: true }] });
    assert.equal(code(answer), '409 definition-conflict');
    const { examples } = answer.body as unknown as { examples: { ids: string[] }[] };
    assert.deepEqual([...(examples[0]?.ids ?? [])].sort(), ids.sort());
    assert.equal((await create(name, { a: 1 })).status, 201);
  });

  it('name records that would break a unique index by an element of an array', async () => {
    const cases: [string[], object[], object][] = [
      [['a'], [{ a: [1, 2] }, { a: [2, 3] }], { a: [4, 4] }],
      [['a.b'], [{ a: [{ b: [1, 2] }] }, { a: [{ b: 5 }, { b: [2] }] }], { a: { b: [7] } }],
      [['a', 'a.b'], [{ a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 2 }] }], { a: { b: 3 } }],
    ];
    for (const [paths, same, other] of cases) {
      const name = await defined({ schema: open });
      const ids: string[] = [];
      for (const fields of same) ids.push(String((await create(name, fields)).body.id));
      await create(name, other);
      const keys = Object.fromEntries(paths.map((path) => [path, 1]));
      const answer = await put(name, { schema: open, indexes: [{ keys, unique: true }] });
      assert.equal(code(answer), '409 definition-conflict');
      const { examples } = answer.body as unknown as { examples: { ids: string[] }[] };
      assert.deepEqual(
        examples.map((each) => each.ids.sort()),
        [ids.sort()],
      );
    }
  });

  it('name records that have arrays in two fields of an index', async () => {
    const cases: [string[], object, object][] = [
      [['a', 'b'], { a: [1], b: [1] }, { a: [1], b: 1 }],
      [['a.b', 'a.c'], { a: [{ b: [1], c: [1] }] }, { a: [{ b: [1], c: 1 }] }],
    ];
    for (const [paths, parallel, other] of cases) {
      const name = await defined({ schema: open });
      const { id } = (await create(name, parallel)).body;
      await create(name, other);
      const keys = Object.fromEntries(paths.map((path) => [path, 1]));
      const answer = await put(name, { schema: open, indexes: [{ keys }] });
      assert.equal(code(answer), '409 definition-conflict');
      assert.deepEqual((answer.body as unknown as { examples: unknown }).examples, [{ id }]);
    }
  });

  it('have the indexes that they define, and no others', async () => {
    const name = await defined({ schema: open, indexes: [{ keys: { a: 1 } }] });
    const { id } = (await replica.call(`GET /v1/collections/${name}`, { token: admin.token })).body as { id?: string };
    const keys = async (): Promise<unknown[]> =>
      (await data.db.collection(`records_${String(id)}`).indexes()).map(({ key }) => key);
    assert.deepEqual(await keys(), [{ _id: 1 }, { 'fields.a': 1, _id: 1 }, { 'outbox.id': 1 }]);
    await put(name, { schema: open, indexes: [{ keys: { b: -1, a: 1 } }, { keys: { c: 1 }, unique: true }] });
    assert.deepEqual(await keys(), [
      { _id: 1 },
      { 'outbox.id': 1 },
      { 'fields.b': -1, 'fields.a': 1, _id: 1 },
      { 'fields.c': 1 },
    ]);
  });

  it('are changed by another order of the same names', async () => {
    const [a, b] = [{ type: 'string' }, { type: 'number' }];
    const name = await defined({ schema: { properties: { a, b } }, indexes: [{ keys: { a: 1, b: 1 } }] });
    const columns = async (): Promise<string | undefined> => {
      const { service } = replica;
      const headers = { accept: 'text/csv', authorization: `Bearer ${admin.token}` };
      return (await (await service.fetch(`/v1/data/${name}`, { headers })).text()).split('\r\n')[0];
    };
    const before = await columns();
    const turned = { schema: { properties: { b, a } }, indexes: [{ keys: { b: 1, a: 1 } }] };
    const answer = await put(name, turned);
    assert.equal(answer.headers.get('etag'), '"2"', answer.text);
    const keys = (await data.db.collection(`records_${String(answer.body.id)}`).indexes()).map(({ key }) =>
      Object.keys(key as object).join(),
    );
    assert.deepEqual(keys, ['_id', 'outbox.id', 'fields.b,fields.a,_id']);
    assert.equal(before?.replace('a,b', 'b,a'), await columns());
    assert.notEqual(before, await columns());
  });

  it('refuse a replica that has not heard of the new definition, which reads it and goes on', async () => {
    const name = await defined({ schema: open });
    assert.equal((await create(name, { a: 'text' }, other)).status, 201);
    const strict = { schema: { properties: { a: { type: 'string' } } }, rules: { create: [{ a: 'text' }] } };
    assert.equal((await put(name, strict)).status, 200);
    // Whether or not the commit stream has reached the other replica by now.
    assert.equal(code(await create(name, { a: 1 }, other)), '400 invalid-request');
    assert.equal((await create(name, { a: 'text' }, other)).status, 201);
  });

  it('never let a record in that breaks a new schema, whoever writes while it is looked at', async () => {
    const name = await defined({ schema: open });
    const body = Array.from({ length: 5_000 }, (_, a) => JSON.stringify({ a })).join('\n');
    await replica.call(`POST /v1/data/${name}`, { body, type: 'application/x-ndjson', token: admin.token });
    const id = await idOf(name);
    let running = true;
    const changing = put(name, strict).finally(() => {
      running = false;
    });
    // Text that came before would end the change; from here on MongoDB lets nobody write who has not read of it.
    await demanded(id, 2);
    const write = async (at: TestReplica): Promise<string[]> => {
      const codes: string[] = [];
      do codes.push(code(await create(name, { a: 'text' }, at)));
      while (running);
      return codes;
    };
    const codes = (await Promise.all([replica, other, other].map(write))).flat();
    assert.equal((await changing).status, 200);
    assert.deepEqual([...new Set(codes)], ['400 invalid-request']);
    assert.equal(await textsOf(id), 0);
  });

  it('are changed or not as no record that breaks the new schema came first, or one did', async () => {
    for (let round = 0; round < 10; round += 1) {
      const name = await defined({ schema: open });
      const [changed, ...made] = await Promise.all([
        put(name, strict),
        ...[replica, other].map((at) => create(name, { a: 'text' }, at)),
      ]);
      const texts = await textsOf(await idOf(name));
      assert.equal(made.filter(({ status }) => status === 201).length, texts);
      assert.equal(code(changed), texts === 0 ? '200 undefined' : '409 definition-conflict');
    }
  });

  it('let one change run at a time', async () => {
    const name = await defined({ schema: open });
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((field, index) =>
        put(
          name,
          { schema: { ...open, required: [], properties: { [field]: { type: 'string' } } } },
          { at: index === 1 ? other : replica },
        ),
      ),
    );
    const statuses = answers.map(code);
    assert.ok(statuses.some((each) => each.startsWith('200')));
    assert.ok(
      statuses.every((each) => each.startsWith('200') || each === '409 definition-busy' || each === '409 conflict'),
      statuses.join(),
    );
    assert.equal((await create(name, {})).status, 201);
  });

  it('give one name to one of those who define it at once', async () => {
    const name = newName();
    const answers = await Promise.all([put(name, { schema: open }), put(name, { schema: open }, { at: other })]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 201]);
    assert.equal(answers[0].body.id, answers[1].body.id);
  });

  describe('being removed', () => {
    it('have to be empty', async () => {
      const name = await defined({ schema: open });
      await create(name, {});
      const remove = (query = ''): Promise<Answered> =>
        replica.call(`DELETE /v1/collections/${name}${query}`, { token: admin.token });
      assert.equal(code(await remove()), '409 collection-not-empty');
      assert.equal((await create(name, {})).status, 201);
      assert.equal(code(await remove('?records=keep')), '400 invalid-request');
    });

    it('take their records with them, each with its event, and free the name', async () => {
      const name = await defined({ schema: open });
      const record = await create(name, { a: 1 });
      const remove = `DELETE /v1/collections/${name}?records=delete`;
      const answer = await other.call(remove, { token: admin.token });
      assert.equal(answer.status, 204, answer.text);
      const published = await data.published();
      const subject = `record/${String(record.body.id)}`;
      const events = await published.waitFor((event) => event.subject === subject, 2);
      assert.equal(events[1]?.type, 'data.record.deleted');
      const collection = await published.waitFor(
        ({ type, data: gone }) => type === 'data.collection.deleted' && (gone as { name: string }).name === name,
      );
      const named = [events[1], collection[0]].map((event) => event?.id).join(', ');
      assert.equal(answer.headers.get('causeway-event'), named);
      assert.equal(code(await other.call(remove, { token: admin.token })), '404 not-found');
      assert.equal((await put(name, { schema: open })).status, 201);
      const list = await replica.call(`GET /v1/data/${name}`, { token: admin.token });
      assert.deepEqual(list.body.items, []);
    });

    it('name their events as long as these are few', async () => {
      const eventsOf = async (count: number): Promise<number | undefined> => {
        const name = await defined({ schema: open });
        const body = '{}\n'.repeat(count);
        await replica.call(`POST /v1/data/${name}`, { body, type: 'application/x-ndjson', token: admin.token });
        const answer = await replica.call(`DELETE /v1/collections/${name}?records=delete`, { token: admin.token });
        return answer.headers.get('causeway-event')?.split(', ').length;
      };
      assert.equal(await eventsOf(9), 10);
      assert.equal(await eventsOf(10), undefined);
    });
  });
});
