import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../../testing/test-data.ts';
import type { ExplainedAccess } from './explain-access.ts';

const definition = {
  schema: {
    properties: {
      status: { enum: ['draft', 'review', 'published'] },
      owner: { type: 'string' },
      text: { type: 'string' },
    },
  },
  fields: { owner: { default: { $auth: 'sub' } } },
  rules: {
    read: [
      { status: 'published' },
      { owner: { $auth: 'sub' } },
      { status: 'review', owner: { $in: { $auth: 'roles' } } },
    ],
    create: [{ owner: { $auth: 'sub' }, createdBy: { $auth: 'sub' } }],
    update: {
      before: [{ owner: { $auth: 'sub' }, status: { $ne: 'published' } }],
      after: [{ owner: { $before: 'owner' } }],
    },
    delete: [{ owner: { $auth: 'sub' }, createdAt: { $gt: { $now: '-1h' } } }],
  },
};

describe('POST /v1/rules/explain', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;
  let name: string;
  /** How far the replica's clock is ahead. */
  let aheadMs = 0;

  before(async () => {
    data = await openTestData({ now: () => new Date(Date.now() + aheadMs) });
    replica = await data.replica();
    [admin, ada, eve] = await Promise.all([data.person({ roles: ['admin'] }), data.person(), data.person()]);
    name = await define(definition);
  });

  after(() => data.stop());

  const define = async (body: object): Promise<string> => {
    const own = `c${randomUUID().slice(0, 8)}`;
    const answer = await replica.call(`PUT /v1/collections/${own}`, { body, token: admin.token });
    assert.equal(answer.status, 201, answer.text);
    return own;
  };
  const ask = (body: unknown, person: Person | undefined = admin): Promise<Answered> =>
    replica.call('POST /v1/rules/explain', { body, token: person.token });
  const explain = async (body: object): Promise<ExplainedAccess> => {
    const answer = await ask({ collection: name, ...body });
    assert.equal(answer.status, 200, answer.text);
    return answer.body as unknown as ExplainedAccess;
  };
  const create = async (fields: object, person: Person = admin): Promise<string> => {
    const answer = await replica.call(`POST /v1/data/${name}`, { body: fields, token: person.token });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const who = ({ id, sid }: Person) => ({ sub: id, sid });

  it('says of each call what it comes to, and why', async () => {
    const path = `/v1/data/${name}`;
    const records = await Promise.all([
      create({ status: 'draft', owner: ada.id }),
      create({ status: 'published', owner: ada.id }),
      create({ status: 'review', owner: eve.id }),
    ]);
    const type = 'application/merge-patch+json';
    const compared: string[] = [];
    for (const aheadMinutes of [0, 90]) {
      aheadMs = aheadMinutes * 60_000;
      for (const person of [undefined, ada, eve, admin]) {
        const asks = person === undefined ? 'anonymous' : { ...who(person), roles: person === admin ? ['admin'] : [] };
        const token = person?.token;
        for (const id of [...records, 'rec_none']) {
          const changes: readonly object[] = [{ text: randomUUID() }, { owner: eve.id, text: randomUUID() }];
          const read = await explain({ who: asks, action: 'read', id });
          assert.equal(read.status, (await replica.call(`GET ${path}/${id}`, { token })).status, JSON.stringify(read));
          for (const change of changes) {
            const explained = await explain({ who: asks, action: 'update', id, change });
            // Whoever may change it would change what is asked about next.
            if (explained.allowed) continue;
            const answer = await replica.call(`PATCH ${path}/${id}`, { body: change, type, token });
            assert.equal(answer.status, explained.status, `${JSON.stringify(explained)} ${answer.text}`);
            compared.push(`update ${explained.status}`);
          }
          const deleted = await explain({ who: asks, action: 'delete', id });
          if (deleted.allowed) continue;
          const gone = await replica.call(`DELETE ${path}/${id}`, { token });
          assert.equal(gone.status, deleted.status, JSON.stringify(deleted));
          compared.push(`delete ${deleted.status}`);
        }
      }
    }
    assert.deepEqual([...new Set(compared)].sort(), ['delete 403', 'delete 404', 'update 403', 'update 404']);
    aheadMs = 0;
  });

  it('explains what is allowed, as the call shows afterwards', async () => {
    const id = await create({ status: 'draft', owner: ada.id });
    const change = { status: 'review' };
    const update = await explain({ who: who(ada), action: 'update', id, change });
    assert.equal(update.because, 'Allowed: /rules/update/after/0: `owner` is what it was.');
    const patched = await replica.call(`PATCH /v1/data/${name}/${id}`, {
      body: change,
      type: 'application/merge-patch+json',
      token: ada.token,
    });
    assert.equal(patched.status, 200, patched.text);
    const removal = await explain({ who: who(ada), action: 'delete', id });
    assert.equal(removal.decidedBy?.words, '`owner` is the caller and `createdAt` is later than 1 hour ago');
    assert.equal((await replica.call(`DELETE /v1/data/${name}/${id}`, { token: ada.token })).status, 204);
    const gone = await explain({ who: who(ada), action: 'read', id });
    assert.deepEqual([gone.status, gone.because], [404, 'Not found: no record has this id.']);
  });

  it('explains a creation with the defaults that it would have', async () => {
    const asked = { action: 'create', record: { status: 'draft' } };
    const own = await explain({ ...asked, who: who(ada) });
    assert.deepEqual([own.allowed, own.decidedBy?.pointer], [true, '/rules/create/0']);
    const others = await explain({ ...asked, who: who(ada), record: { owner: eve.id } });
    assert.equal(others.status, 403);
    assert.match(
      others.because,
      new RegExp(`^Forbidden: /rules/create/0 fails at: \`owner\` is the caller; found: "${eve.id}"`),
    );
    const anonymous = await explain({ ...asked, who: 'anonymous' });
    assert.deepEqual([anonymous.status, anonymous.clauses[0]?.fails?.words], [403, 'the caller (`sub`) is not known']);
    const hidden = await define({ schema: {}, rules: { create: [{ owner: { $auth: 'sub' } }] } });
    assert.equal((await explain({ ...asked, collection: hidden, who: 'anonymous' })).status, 404);
  });

  it('takes a record that is nowhere, as one is answered', async () => {
    const record = {
      status: 'review',
      owner: 'editors',
      createdBy: ada.id,
      createdAt: '2026-01-01T00:00:00Z',
      revision: 3,
    };
    const read = await explain({ who: { sub: eve.id, roles: ['editors'] }, action: 'read', record });
    assert.equal(read.decidedBy?.pointer, '/rules/read/2');
    assert.equal((await explain({ who: { sub: eve.id, roles: ['readers'] }, action: 'read', record })).status, 404);
    const mine = { ...record, owner: ada.id };
    const old = await explain({ who: who(ada), action: 'delete', record: mine });
    assert.match(old.because, /`createdAt` is later than 1 hour ago; found: 2026-01-01T00:00:00\.000Z/);
    const fresh = { ...mine, createdAt: new Date().toISOString() };
    assert.equal((await explain({ who: who(ada), action: 'delete', record: fresh })).allowed, true);
    const open = await explain({ who: who(ada), action: 'update', record: mine });
    assert.match(open.because, /once there is one\.$/);
  });

  it('is for administrators, and writes nothing', async () => {
    const id = await create({ status: 'published', owner: ada.id });
    const body = { collection: name, who: who(ada), action: 'update', id, change: { status: 'draft' } };
    assert.equal((await ask(body, ada)).status, 403);
    const anonymous = await replica.call('POST /v1/rules/explain', { body });
    assert.equal(anonymous.status, 401);
    assert.equal((await ask(body)).status, 200);
    const read = await replica.call(`GET /v1/data/${name}/${id}`);
    assert.deepEqual([read.body.status, read.body.revision], ['published', 1]);
  });

  it('refuses what cannot be explained, and says where', async () => {
    const asked = { collection: name, who: 'anonymous', action: 'read', id: 'rec_1' };
    for (const [body, expected] of [
      [{ ...asked, collection: 'none' }, '404 /collection'],
      [{ ...asked, collection: '__proto__' }, '404 /collection'],
      [{ ...asked, record: {} }, '400 /record'],
      [{ ...asked, id: undefined }, '400 /record'],
      [{ ...asked, action: 'create' }, '400 /id'],
      [{ ...asked, action: 'create', id: undefined, record: { id: 'rec_1' } }, '400 /record/id'],
      [{ ...asked, change: {} }, '400 /change'],
      [{ ...asked, action: 'publish' }, '400 /action'],
      [{ ...asked, who: 'everyone' }, '400 /who'],
      [{ ...asked, who: undefined }, '400 /who'],
      [{ ...asked, who: { name: 'Ada' } }, '400 /who/name'],
      [{ ...asked, rules: {} }, '400 /rules'],
      [{ ...asked, id: undefined, record: { revision: 0 } }, '400 /record/revision'],
      [{ ...asked, id: undefined, record: { createdAt: 'yesterday' } }, '400 /record/createdAt'],
      [{ ...asked, id: undefined, record: { a: { $gt: 1 } } }, '400 /record/a/$gt'],
      [{ ...asked, id: undefined, record: { _id: 1 } }, '400 /record/_id'],
      [{ ...asked, id: undefined, action: 'update', record: {}, change: { outbox: [] } }, '400 /change/outbox'],
    ] as const) {
      const answer = await ask(body);
      const [error] = (answer.body as unknown as { errors?: { pointer?: string }[] }).errors ?? [];
      assert.equal(`${answer.status} ${error?.pointer ?? ''}`, expected, answer.text);
    }
    const slow = await define({
      schema: { additionalProperties: true },
      rules: { read: [{ text: { $regex: 'a[ab]{900}[cd]' } }] },
    });
    const text = Array.from({ length: 300_000 }, () => (Math.random() < 0.5 ? 'a' : 'b')).join('');
    const costly = await ask({ collection: slow, who: who(ada), action: 'read', record: { text } });
    assert.deepEqual([costly.status, costly.body.code], [422, 'rule-too-costly'], costly.text);
  });

  it('says which fields somebody sees, and which they may write', async () => {
    const rules = { read: 'public', create: 'public', update: 'public' };
    const owned = [{ owner: { $auth: 'sub' } }];
    const own = await define({
      ...definition,
      rules,
      fields: { text: { read: owned }, status: { read: [], write: 'signed-in', writeOnce: true } },
    });
    const record = { owner: ada.id, text: 'x', status: 'draft' };
    const fieldsOf = async (body: object): Promise<unknown> => {
      const { status, because, fields } = (await explain({ collection: own, record, ...body })) as ExplainedAccess & {
        readonly fields?: readonly {
          readonly path: string;
          readonly holds: boolean;
          readonly decidedBy: { pointer: string };
        }[];
      };
      const told = (fields ?? []).map(({ path, holds, decidedBy }) => `${path} ${String(holds)} ${decidedBy.pointer}`);
      return [status, ...told, ...(status === 200 ? [] : [because])];
    };
    assert.deepEqual(await fieldsOf({ who: who(ada), action: 'read' }), [
      200,
      'text true /fields/text/read/0',
      'status false /fields/status/read',
    ]);
    assert.deepEqual(await fieldsOf({ who: 'anonymous', action: 'read' }), [
      200,
      'text false /fields/text/read/0',
      'status false /fields/status/read',
    ]);
    const change = (by: object | string, what: object) => fieldsOf({ who: by, action: 'update', change: what });
    assert.deepEqual(await change(who(eve), { owner: 'x' }), [200]);
    assert.deepEqual(await change(who(ada), { text: 'y' }), [200, 'text true /fields/text/read/0']);
    assert.deepEqual(await change(who(eve), { text: null }), [200]);
    const [status, text, why] = (await change(who(eve), { text: 'x' })) as string[];
    assert.deepEqual([status, text], [403, 'text false /fields/text/read/0']);
    assert.match(String(why), /^Forbidden: \/fields\/text\/read\/0 fails at: `owner` is the caller/);
    assert.deepEqual(await change(who(ada), { status: 'review' }), [
      403,
      'status false /fields/status/write',
      'Forbidden: /fields/status/write: it is not seen, and kept as it is.',
    ]);
    assert.deepEqual(await fieldsOf({ who: 'anonymous', action: 'create', record: { status: 'draft' } }), [
      403,
      'status false /fields/status/write',
      'Forbidden: /fields/status/write: everybody who is signed in.',
    ]);
  });
});
