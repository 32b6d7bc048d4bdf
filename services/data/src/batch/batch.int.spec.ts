import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { createHeldStream } from '../testing/held-stream.ts';
import { articles, openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

interface Result {
  readonly status: number;
  readonly id: string;
  readonly revision: number;
  readonly record?: Readonly<Record<string, unknown>>;
}

describe('a batch', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  const held = createHeldStream();
  let admin: Person;
  let ada: Person;
  let eve: Person;

  const accounts = {
    schema: {
      required: ['balance'],
      properties: {
        balance: { type: 'number', minimum: 0 },
        owner: { type: 'string' },
        article: { type: 'string' },
        slug: { type: 'string' },
      },
    },
    rules: { read: 'signed-in', create: 'signed-in', update: 'signed-in', delete: 'signed-in' },
  };
  const slugs = { ...accounts, indexes: [{ keys: { slug: 1 }, unique: true }] };

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    other = await data.replica({}, held);
    admin = await data.person({ roles: ['admin', 'member'] });
    ada = await data.person();
    eve = await data.person();
    for (const [name, body] of Object.entries({ articles, accounts, slugs })) {
      const defined = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
      assert.equal(defined.status, 201, defined.text);
    }
  });
  after(() => data.stop());

  const send = (
    operations: unknown,
    { by = ada, to = replica, query = '', headers = {} }: Partial<SendOptions> = {},
  ): Promise<Answered> => to.call(`POST /v1/batch${query}`, { body: { operations }, token: by.token, headers });
  interface SendOptions {
    readonly by: Person;
    readonly to: TestReplica;
    readonly query: string;
    readonly headers: Readonly<Record<string, string>>;
  }
  const results = (answer: Answered): readonly Result[] => {
    assert.equal(answer.status, 200, answer.text);
    return answer.body.results as unknown as readonly Result[];
  };
  const made = async (collection: string, fields: object): Promise<string> => {
    const answer = await replica.call(`POST /v1/data/${collection}`, { body: fields, token: ada.token });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const account = (balance = 0, fields: object = {}): Promise<string> => made('accounts', { balance, ...fields });
  const read = (collection: string, id: string): Promise<Answered> =>
    replica.call(`GET /v1/data/${collection}/${id}`, { token: ada.token });
  const count = async (collection: string, filter: object): Promise<unknown> => {
    const asked = encodeURIComponent(JSON.stringify(filter));
    const answer = await replica.call(`GET /v1/data/${collection}?count=true&filter=${asked}`, { token: admin.token });
    return answer.body.count;
  };
  const code = (answer: Answered): unknown => `${answer.status} ${String(answer.body.code)}`;
  const eventsOf = async (batchId: unknown, size: number) => {
    const published = await data.published();
    const found = await published.waitFor(({ batchid }) => batchid === batchId, size);
    return found.toSorted((a, b) => Number(a.batchindex) - Number(b.batchindex));
  };

  it('writes several collections at once, and says what each operation has come to', async () => {
    const gone = await account();
    const title = randomUUID();
    const answer = await send([
      { op: 'create', collection: 'articles', as: 'it', fields: { title, author: ada.id, status: 'published' } },
      { op: 'create', collection: 'accounts', fields: { balance: 1, article: { $id: 'it' } } },
      { op: 'update', collection: 'articles', id: { $id: 'it' }, ifMatch: 1, merge: { score: 5 } },
      { op: 'update', collection: 'articles', id: { $id: 'it' }, merge: { score: 5 } },
      { op: 'delete', collection: 'accounts', id: gone },
    ]);
    const [created, second, updated, same, deleted] = results(answer);
    assert.deepEqual(
      results(answer).map(({ status, revision }) => [status, revision]),
      [
        [201, 1],
        [201, 1],
        [200, 2],
        [200, 2],
        [204, 2],
      ],
    );
    assert.equal(second?.record?.article, created?.id);
    assert.equal(created?.record?.score, undefined);
    assert.deepEqual([updated?.record?.score, same?.record?.score, deleted?.record], [5, 5, undefined]);
    const stored = await read('articles', created?.id ?? '');
    assert.deepEqual(stored.body, updated?.record);
    assert.equal((await read('accounts', gone)).status, 404);

    const events = await eventsOf(answer.body.batchId, 4);
    assert.deepEqual(
      events.map(({ type, subject, batchindex, batchsize }) => [type, subject, batchindex, batchsize]),
      [
        ['data.record.created', `record/${created?.id}`, '0', '4'],
        ['data.record.created', `record/${second?.id}`, '1', '4'],
        ['data.record.updated', `record/${created?.id}`, '2', '4'],
        ['data.record.deleted', `record/${gone}`, '3', '4'],
      ],
    );
    assert.equal(answer.headers.get('causeway-event'), events.map(({ id }) => id).join(', '));
  });

  it('takes operators, also with what it creates, and says which does not fit', async () => {
    const id = await account(1);
    const inc = (change: object) => ({ op: 'update', collection: 'accounts', id, operators: change });
    const answer = await send([
      { op: 'create', collection: 'accounts', as: 'new', fields: { balance: 0 } },
      inc({ $inc: { balance: 2 } }),
      inc({ $inc: { balance: 3 }, $set: { article: { $id: 'new' } } }),
    ]);
    const [created, , changed] = results(answer);
    assert.deepEqual([changed?.record?.balance, changed?.record?.article], [6, created?.id]);
    const failed = await send([inc({ $inc: { balance: 1 } }), inc({ $push: { balance: 1 } })]);
    assert.equal(code(failed), '409 operator-failed', failed.text);
    assert.equal(failed.body.operation, 1);
    const [error] = failed.body.errors as unknown as { pointer: string }[];
    assert.match(error?.pointer ?? '', /^\/operations\/1\/operators\/\$push/);
    assert.equal((await read('accounts', id)).body.balance, 6);
  });

  it('answers without records where that is asked for', async () => {
    const answer = await send([{ op: 'create', collection: 'accounts', fields: { balance: 1 } }], {
      query: '?return=minimal',
    });
    assert.deepEqual(Object.keys(results(answer)[0] ?? {}), ['status', 'id', 'revision']);
    assert.equal((await send([], { query: '?return=all' })).status, 400);
  });

  it('takes a value that an earlier operation has given up, and not one that it has taken', async () => {
    const slug = randomUUID();
    const one = await made('slugs', { balance: 0, slug });
    const two = await made('slugs', { balance: 0, slug: randomUUID() });
    const swap = [
      { op: 'update', collection: 'slugs', id: one, merge: { slug: null } },
      { op: 'update', collection: 'slugs', id: two, merge: { slug } },
    ];
    assert.equal((await send(swap)).status, 200);
    const twice = await send([
      { op: 'create', collection: 'slugs', fields: { balance: 0, slug: 'twice' } },
      { op: 'create', collection: 'slugs', fields: { balance: 0, slug: 'twice' } },
    ]);
    assert.equal(code(twice), '409 duplicate-value');
    assert.equal(twice.body.operation, 1);
    const [error] = twice.body.errors as unknown as { pointer: string }[];
    assert.equal(error?.pointer, '/operations/1/fields/slug');
    assert.equal(await count('slugs', { slug: 'twice' }), 0);
  });

  it('does nothing where one of its operations fails, and says which and why', async () => {
    const mine = await account(10);
    const taken = randomUUID();
    await made('slugs', { balance: 0, slug: taken });
    const hidden = results(
      await send([
        { op: 'create', collection: 'articles', fields: { title: randomUUID(), author: ada.id, status: 'draft' } },
      ]),
    )[0]?.id;
    const seen = results(
      await send([
        { op: 'create', collection: 'articles', fields: { title: randomUUID(), author: ada.id, status: 'published' } },
      ]),
    )[0]?.id;
    const failing: [string, object, string, string[]][] = [
      ['a schema', { op: 'update', id: mine, merge: { balance: -1 } }, '400 invalid-request', ['/merge/balance']],
      [
        'a reserved name',
        { op: 'create', fields: { balance: 1, outbox: [] } },
        '400 invalid-request',
        ['/fields/outbox'],
      ],
      [
        'an operator',
        { op: 'create', fields: { balance: { $gt: 0 } } },
        '400 invalid-request',
        ['/fields/balance/$gt'],
      ],
      ['a revision', { op: 'update', id: mine, ifMatch: 7, merge: { balance: 1 } }, '412 precondition-failed', []],
      ['a checked revision', { op: 'check', id: mine, ifMatch: 7 }, '412 precondition-failed', []],
      ['a missing record', { op: 'delete', id: 'rec_nobody' }, '404 not-found', []],
      ['a missing collection', { op: 'create', collection: 'nothing', fields: {} }, '404 not-found', []],
      ['a collection of MongoDB', { op: 'create', collection: 'system.users', fields: {} }, '404 not-found', []],
      [
        'a value that is taken',
        { op: 'create', collection: 'slugs', fields: { balance: 1, slug: taken } },
        '409 duplicate-value',
        ['/fields/slug'],
      ],
      ['a patch', { op: 'update', id: mine, patch: [{ op: 'remove', path: '/x' }] }, '409 patch-failed', ['/patch/0']],
      ['a rule', { op: 'update', collection: 'articles', id: seen, merge: { score: 1 } }, '403 forbidden', []],
      ['a record that one may not see', { op: 'delete', collection: 'articles', id: hidden }, '404 not-found', []],
      [
        'a check of what one may not see',
        { op: 'check', collection: 'articles', id: hidden, ifMatch: 1 },
        '404 not-found',
        [],
      ],
    ];
    for (const [what, operation, expected, pointers] of failing) {
      const marker = randomUUID();
      const answer = await send(
        [
          { op: 'create', collection: 'accounts', fields: { balance: 1, owner: marker } },
          { op: 'update', collection: 'accounts', id: mine, merge: { balance: 99 } },
          { collection: 'accounts', ...operation },
          { op: 'create', collection: 'accounts', fields: { balance: 1, owner: marker } },
        ],
        { by: eve },
      );
      assert.equal(code(answer), expected, `${what}: ${answer.text}`);
      assert.equal(answer.body.operation, 2, what);
      const errors = (answer.body as { errors?: { pointer: string }[] }).errors ?? [];
      const at = errors.map(({ pointer }) => pointer.replace('/operations/2', ''));
      for (const pointer of pointers) assert.ok(at.includes(pointer), `${what}: ${at.join()}`);
      assert.equal(await count('accounts', { owner: marker }), 0, what);
      assert.equal((await read('accounts', mine)).body.balance, 10, what);
    }
  });

  it('is refused as a whole where it is no batch, or too large for one', async () => {
    const create = (fields: object = { balance: 1 }) => ({ op: 'create', collection: 'accounts', fields });
    const before = await count('accounts', {});
    const many = (length: number) => Array.from({ length }, () => create());
    for (const [operations, expected] of [
      [many(1_001), '413 batch-too-large'],
      [Array.from({ length: 100_001 }, () => ({ op: 'create' })), '413 batch-too-large'],
      [[create({ balance: 1, owner: 'x'.repeat(9 * 1_048_576) })], '413 payload-too-large'],
      [[create({ balance: 1, owner: 'x'.repeat(600_000) })], '413 payload-too-large'],
      [[...many(3), { op: 'jump' }], '400 invalid-request'],
      [{}, '400 invalid-request'],
      [[], '400 invalid-request'],
    ] as const) {
      const answer = await send(operations);
      assert.equal(code(answer), expected, answer.text.slice(0, 500));
    }
    const big = await account(0, { owner: 'x'.repeat(400_000) });
    const grows = (balance: number) => ({ op: 'update', collection: 'accounts', id: big, merge: { balance } });
    const growing = await send([1, 2, 3, 4, 5].map(grows));
    assert.equal(code(growing), '413 batch-too-large');
    assert.equal((await read('accounts', big)).body.revision, 1);
    assert.equal(await count('accounts', {}), Number(before) + 1);
  });

  it('tells who may not see a collection that there is none', async () => {
    const vault = { schema: {}, rules: { read: [{ owner: { $auth: 'sub' } }] } };
    assert.equal((await replica.call('PUT /v1/collections/vault', { body: vault, token: admin.token })).status, 201);
    const operations = [{ op: 'create', collection: 'vault', fields: { pin: 1 } }];
    const anonymous = await replica.call('POST /v1/batch', { body: { operations } });
    assert.equal(code(anonymous), '404 not-found');
    assert.equal(code(await send(operations)), '403 forbidden');
  });

  it('has no second effect with the same Idempotency-Key', async () => {
    const marker = randomUUID();
    const operations = [{ op: 'create', collection: 'accounts', fields: { balance: 1, owner: marker } }];
    const headers = { 'idempotency-key': randomUUID() };
    const [first, second] = await Promise.all([
      send(operations, { headers }),
      send(operations, { headers, to: other }),
    ]);
    const answered = [first, second].filter(({ status }) => status === 200);
    assert.ok(answered.length >= 1, first.text + second.text);
    const again = await send(operations, { headers });
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assert.deepEqual(again.body, answered[0]?.body);
    assert.equal(await count('accounts', { owner: marker }), 1);
    const reused = await send([...operations, ...operations], { headers });
    assert.equal(code(reused), '422 idempotency-key-reused');
  });

  it('keeps a sum under parallel transfers by two replicas', async () => {
    const ids = [await account(100), await account(100), await account(100)];
    let moved = 0;
    const transfer = async (turn: number): Promise<void> => {
      const from = ids[turn % 3] ?? '';
      const to = ids[(turn + 1) % 3] ?? '';
      const [a, b] = [(await read('accounts', from)).body, (await read('accounts', to)).body];
      const step = (id: string, was: typeof a, change: number) => ({
        ...{ op: 'update', collection: 'accounts', id },
        ifMatch: Number(was.revision),
        merge: { balance: Number(was.balance) + change },
      });
      const answer = await send([step(from, a, -1), step(to, b, 1)], { to: turn % 2 === 0 ? replica : other });
      if (answer.status === 200) moved += 1;
      else assert.ok([412, 503].includes(answer.status), answer.text);
    };
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(Array.from({ length: 16 }, (_, turn) => transfer(turn)));
    }
    const rows = await Promise.all(ids.map(async (id) => (await read('accounts', id)).body));
    assert.equal(
      rows.reduce((sum, row) => sum + Number(row.balance), 0),
      300,
    );
    assert.ok(moved > 0);
    assert.equal(
      rows.reduce((sum, row) => sum + Number(row.revision) - 1, 0),
      2 * moved,
    );
  });

  it('loses none of the increments of many batches at once', async () => {
    const ids = [await account(), await account()];
    const once = async (turn: number): Promise<number> => {
      const operations = ids.map((id) => ({
        ...{ op: 'update', collection: 'accounts', id },
        operators: { $inc: { balance: 1 } },
      }));
      const answer = await send(operations, { to: turn % 2 === 0 ? replica : other });
      assert.ok([200, 503].includes(answer.status), answer.text);
      return answer.status === 200 ? 1 : 0;
    };
    const done = await Promise.all(Array.from({ length: 16 }, (_, turn) => once(turn)));
    const total = done.reduce((sum, each) => sum + each, 0);
    assert.ok(total > 0);
    for (const id of ids) {
      const { balance, revision } = (await read('accounts', id)).body;
      assert.deepEqual([balance, revision], [total, total + 1]);
    }
  });

  it('holds what it checks until it is done: of two that each check what the other changes, one is refused', async () => {
    for (let round = 0; round < 8; round += 1) {
      const [one, two] = [await account(), await account()];
      const guard = (checked: string, changed: string) => [
        { op: 'check', collection: 'accounts', id: checked, ifMatch: 1 },
        { op: 'update', collection: 'accounts', id: changed, merge: { balance: 1 } },
      ];
      const answers = await Promise.all([send(guard(one, two)), send(guard(two, one), { to: other })]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412], answers.map(({ text }) => text).join());
    }
  });

  it('is decided under the definition that is current, by a replica that has not heard of it', async () => {
    const name = `late-${randomUUID().slice(0, 8)}`;
    const open = { schema: { properties: { n: { type: 'number' } } }, rules: accounts.rules };
    await replica.call(`PUT /v1/collections/${name}`, { body: open, token: admin.token });
    const made = await send([{ op: 'create', collection: name, fields: { n: 1 } }], { to: other });
    const id = results(made)[0]?.id ?? '';
    held.hold();
    try {
      const closed = { ...open, rules: { ...open.rules, delete: undefined, update: undefined } };
      await replica.call(`PUT /v1/collections/${name}`, { body: closed, token: admin.token });
      for (const operation of [
        { op: 'delete', id },
        { op: 'update', id, merge: { n: 2 } },
      ]) {
        const answer = await send([{ collection: name, ...operation }], { to: other });
        assert.equal(code(answer), '403 forbidden', answer.text);
      }
    } finally {
      held.release();
    }
  });

  it('writes a thousand records, and tells of each', async () => {
    const marker = randomUUID();
    const operations = Array.from({ length: 1_000 }, (_, balance) => ({
      ...{ op: 'create', collection: 'accounts' },
      fields: { balance, owner: marker },
    }));
    const answer = await send(operations);
    assert.equal(results(answer).length, 1_000);
    assert.equal(answer.headers.get('causeway-event'), null);
    const events = await eventsOf(answer.body.batchId, 1_000);
    assert.deepEqual(
      events.map((event) => (event.data as { fields: { balance: number } }).fields.balance),
      operations.map(({ fields }) => fields.balance),
    );
    assert.equal(await count('accounts', { owner: marker }), 1_000);
  });
});
