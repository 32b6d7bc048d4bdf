import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import type { Timestamp } from 'mongodb';

import { operatorsType } from '../operators/parse-operators.ts';
import { mergePatchType } from '../records/merge-patch.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';

const tasks = {
  schema: {
    type: 'object',
    properties: {
      n: { type: 'number' },
      group: { type: 'string' },
      state: { enum: ['open', 'done', 'hidden'] },
      owner: { type: 'string' },
      code: { type: 'string' },
      secret: { type: 'string' },
      kept: { type: 'string' },
      tags: { type: 'array', items: { type: 'string' } },
      about: { type: 'object', properties: { age: { type: 'number' }, note: { type: 'string' } } },
    },
  },
  fields: { secret: { read: [{ owner: { $auth: 'sub' } }] }, kept: { writeOnce: true }, 'about.note': { read: [] } },
  indexes: [{ keys: { code: 1 }, unique: true, where: { code: { $exists: true } } }],
  rules: {
    read: [{ state: { $ne: 'hidden' } }, { owner: { $auth: 'sub' } }],
    create: 'public',
    update: [{ owner: { $auth: 'sub' } }],
    delete: [{ owner: { $auth: 'sub' } }],
  },
} as const;

interface Task {
  readonly id: string;
  readonly revision: number;
  readonly n?: number;
  readonly state?: string;
}

/** What a call answers. */
interface Many {
  readonly matched: number;
  readonly changed?: number;
  readonly unchanged?: number;
  readonly deleted?: number;
  readonly refused: readonly {
    readonly id: string;
    readonly problem: { readonly status: number; readonly code: string };
  }[];
  readonly dryRun: boolean;
  readonly nextCursor: string | null;
}

interface Ask {
  readonly by?: Person | undefined;
  readonly at?: TestReplica;
  readonly type?: string;
  readonly more?: Readonly<Record<string, string>>;
  readonly headers?: Record<string, string>;
  readonly to?: string;
}

describe('writes by filter', () => {
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
    const defined = await replica.call('PUT /v1/collections/tasks', { body: tasks, token: admin.token });
    assert.equal(defined.status, 201, defined.text);
  });
  after(() => data.stop());

  const fresh = (): string => `g-${randomUUID().slice(0, 8)}`;
  const make = async (count: number, fields: (index: number) => object, to = 'tasks'): Promise<void> => {
    const body = Array.from({ length: count }, (_, index) => JSON.stringify(fields(index))).join('\n');
    const type = 'application/x-ndjson';
    const answer = await replica.call(`POST /v1/data/${to}`, { body, type, token: admin.token });
    assert.equal(answer.body.created, count, answer.text);
  };
  const list = async (filter: object, to = 'tasks'): Promise<Task[]> => {
    const text = encodeURIComponent(JSON.stringify(filter));
    const headers = { accept: 'application/x-ndjson' };
    const answer = await replica.call(`GET /v1/data/${to}?filter=${text}`, { token: admin.token, headers });
    assert.equal(answer.status, 200, answer.text);
    return answer.text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Task]));
  };
  const address = (filter: unknown, { to = 'tasks', more = {} }: Ask): string =>
    `/v1/data/${to}?${new URLSearchParams({ filter: JSON.stringify(filter), ...more }).toString()}`;
  const patch = (filter: unknown, body: unknown, ask: Ask = {}): Promise<Answered> => {
    const { by = 'by' in ask ? undefined : ada, at = replica, type = mergePatchType, headers = {} } = ask;
    return at.call(`PATCH ${address(filter, ask)}`, { body, type, token: by?.token, headers });
  };
  const remove = (filter: unknown, ask: Ask = {}): Promise<Answered> => {
    const { by = 'by' in ask ? undefined : ada, at = replica, headers = {} } = ask;
    return at.call(`DELETE ${address(filter, ask)}`, { token: by?.token, headers });
  };
  const done = (answer: Answered): Many => {
    assert.equal(answer.status, 200, answer.text);
    return answer.body as unknown as Many;
  };
  const code = ({ status, body }: Answered): string => `${status} ${String(body.code)}`;
  const codesOf = ({ refused }: Many): string[] => [
    ...new Set(refused.map(({ problem }) => `${problem.status} ${problem.code}`)),
  ];
  const revisions = (all: readonly Task[]): unknown => all.map(({ id, revision }) => [id, revision]);

  it('change what matches, and tell of each', async () => {
    const group = fresh();
    await make(30, (n) => ({ group, n, owner: ada.id, state: n < 20 ? 'open' : 'done' }));
    const feed = await openFeed(replica, 'tasks', { token: ada.token, filter: { group, state: 'open' } });
    const closed = done(await patch({ group, state: 'open' }, { state: 'done' }));
    assert.deepEqual(closed, { matched: 20, changed: 20, unchanged: 0, refused: [], dryRun: false, nextCursor: null });
    const told = await feed.count(20);
    assert.deepEqual([...new Set(told.map(({ event }) => event))], ['left']);
    feed.close();
    assert.equal(done(await patch({ group, state: 'open' }, { state: 'done' })).matched, 0);
    const again = done(await patch({ group }, { state: 'done' }));
    assert.deepEqual([again.matched, again.changed, again.unchanged], [30, 0, 30]);
    const raised = done(await patch({ group }, { $inc: { n: 100 } }, { type: operatorsType }));
    assert.equal(raised.changed, 30);
    const all = await list({ group });
    assert.deepEqual(all.map(({ n }) => n).sort(), Array.from({ length: 30 }, (_, n) => n + 100).sort());

    const few = await patch({ group, n: { $lt: 103 } }, { tags: ['few'] });
    const ids = few.headers.get('causeway-event')?.split(', ') ?? [];
    assert.equal(ids.length, 3);
    const published = await data.published();
    const events = await published.waitFor(({ id }) => ids.includes(id), 3);
    assert.deepEqual(
      [...new Set(events.map(({ type, authid }) => `${type} ${authid}`))],
      [`data.record.updated ${ada.id}`],
    );
    assert.ok(events.every(({ batchid }) => batchid === undefined));
  });

  it('look for nothing older than what their caller has seen', async () => {
    const group = fresh();
    await make(3, () => ({ group, owner: ada.id }));
    const seen = await replica.call('GET /v1/data/tasks?limit=1', { token: ada.token });
    const after = seen.headers.get('causeway-position') ?? assert.fail('no position');
    await data.db.command({ profile: 2 });
    try {
      const answer = await remove({ group }, { headers: { 'causeway-after': after } });
      assert.equal(done(answer).matched, 3, answer.text);
    } finally {
      await data.db.command({ profile: 0 });
    }
    // As MongoDB was asked: the first look is for ids alone.
    const looks = data.db
      .collection('system.profile')
      .find({ 'command.projection': { _id: 1 }, 'command.limit': 1_001 });
    const [look] = await looks.toArray();
    const { readConcern } = (look?.command ?? {}) as { readConcern?: { afterClusterTime?: Timestamp } };
    const [t, i] = after.split('.').map(Number);
    assert.deepEqual([readConcern?.afterClusterTime?.t, readConcern?.afterClusterTime?.i], [t, i]);
  });

  it('do in a dry run nothing, and say what the run then does', async () => {
    const group = fresh();
    await make(40, (n) => ({
      ...{
        group,
        n,
        owner: n % 4 === 0 ? eve.id : ada.id,
        state: n % 3 === 0 ? 'open' : n % 5 === 0 ? 'hidden' : 'done',
      },
      ...(n % 2 === 0 ? { secret: 'a' } : { tags: ['x'] }),
      ...(n % 7 === 0 ? { kept: 'k' } : {}),
    }));
    const jsonPatchType = 'application/json-patch+json';
    const cases: readonly (readonly [object, unknown, string?])[] = [
      [{ state: 'open' }, { n: 7 }],
      [{}, { n: 'seven' }],
      [{ n: { $gt: 5 } }, { state: 'done' }],
      [{ secret: 'a' }, { tags: ['secret'] }],
      [{ secret: { $exists: false } }, { tags: ['none'] }],
      [{}, { kept: 'other' }],
      [{}, { secret: 'mine' }],
      [{ n: { $in: [1, 2, 3, 7] } }, { $inc: { n: 1 }, $push: { tags: 'y' } }, operatorsType],
      [
        {},
        [
          { op: 'test', path: '/state', value: 'done' },
          { op: 'add', path: '/tags', value: ['tested'] },
        ],
        jsonPatchType,
      ],
    ];
    const seen = { changed: 0, unchanged: 0, refused: 0 };
    for (const [index, [filter, body, type = mergePatchType]] of cases.entries()) {
      const asked = { $and: [{ group }, filter] };
      const by = index % 2 === 0 ? ada : eve;
      const was = revisions(await list({ group }));
      const rehearsed = done(await patch(asked, body, { by, type, more: { dryRun: 'true' } }));
      assert.deepEqual(revisions(await list({ group })), was);
      const { dryRun, ...run } = done(await patch(asked, body, { by, type, more: { dryRun: 'false' } }));
      assert.deepEqual([rehearsed.dryRun, dryRun], [true, false]);
      assert.deepEqual({ ...rehearsed, dryRun }, { ...run, dryRun }, JSON.stringify([filter, body]));
      assert.equal(run.matched, (run.changed ?? 0) + (run.unchanged ?? 0) + run.refused.length);
      seen.changed += run.changed ?? 0;
      seen.unchanged += run.unchanged ?? 0;
      seen.refused += run.refused.length;
    }
    assert.ok(
      Object.values(seen).every((count) => count > 0),
      JSON.stringify(seen),
    );
    for (const by of [eve, ada]) {
      const was = (await list({ group })).length;
      const filter = { group, n: { $gt: 10 } };
      const rehearsed = done(await remove(filter, { by, more: { dryRun: 'true' } }));
      assert.equal((await list({ group })).length, was);
      const run = done(await remove(filter, { by }));
      assert.deepEqual({ ...rehearsed, dryRun: false }, run);
      assert.ok((run.deleted ?? 0) > 0);
      assert.equal((await list({ group })).length, was - (run.deleted ?? 0));
    }
  });

  it('reach nothing that their caller does not see, and say which they may not write', async () => {
    const group = fresh();
    await make(130, (n) => ({ group, n, owner: ada.id, state: n < 10 ? 'hidden' : 'done', secret: 'deep' }));
    const refused = done(await patch({ group }, { n: 0 }, { by: eve }));
    assert.deepEqual([refused.matched, refused.changed, refused.refused.length], [120, 0, 100]);
    assert.deepEqual(codesOf(refused), ['403 forbidden']);
    assert.equal(done(await patch({ group, secret: 'deep' }, { n: 0 }, { by: eve })).matched, 0);
    assert.equal(done(await remove({ group, state: 'hidden' }, { by: eve })).matched, 0);
    assert.ok((await list({ group })).every(({ revision }) => revision === 1));
    assert.equal(done(await patch({ group, secret: 'deep' }, { n: -1 })).changed, 130);
  });

  it('are refused at once to those who can write nothing, or see nothing', async () => {
    const { schema } = tasks;
    const [closed, secret] = [`c${randomUUID().slice(0, 8)}`, `c${randomUUID().slice(0, 8)}`];
    for (const [name, rules] of [
      [closed, { read: 'public', create: 'public' }],
      [secret, { create: 'public' }],
    ] as const) {
      const body = { schema, rules };
      const defined = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
      assert.equal(defined.status, 201, defined.text);
      await make(1, () => ({ n: 1 }), name);
    }
    for (const write of [
      (to: string, by?: Person) => patch({}, { n: 2 }, { to, by }),
      (to: string, by?: Person) => remove({}, { to, by }),
    ]) {
      assert.equal(code(await write(closed, ada)), '403 forbidden');
      assert.equal(code(await write(closed)), '403 forbidden');
      assert.equal(code(await write(secret, ada)), '404 not-found');
      assert.equal(code(await write('nowhere', admin)), '404 not-found');
    }
    assert.deepEqual(revisions(await list({}, closed)), revisions(await list({ n: 1 }, closed)));
  });

  it('do nothing where more match than they may write, or some at a time where that is asked for', async () => {
    const group = fresh();
    await make(25, (n) => ({ group, n, owner: ada.id }));
    const increment = (more: Record<string, string>, by = ada) =>
      patch({ group }, { $inc: { n: 100 } }, { type: operatorsType, more, by });
    for (const more of [{ limit: '24' }, { limit: '24', dryRun: 'true' }]) {
      const answer = await increment(more);
      assert.equal(code(answer), '409 too-many-matches');
      assert.deepEqual([answer.body.limit, answer.body.matched], [24, 25]);
      assert.equal(code(await remove({ group }, { more })), '409 too-many-matches');
    }
    assert.ok((await list({ group })).every(({ revision }) => revision === 1));
    let cursor: string | null = '';
    let calls = 0;
    while (cursor !== null) {
      const from: Record<string, string> = cursor === '' ? {} : { cursor };
      const some = done(await increment({ limit: '10', partial: 'true', ...from }));
      calls += 1;
      cursor = some.nextCursor;
      if (calls === 1) {
        assert.ok(cursor !== null);
        assert.equal((await increment({ cursor }, eve)).status, 404);
        assert.equal((await patch({ group, n: 1 }, { n: 1 }, { more: { cursor } })).status, 400);
      }
    }
    assert.equal(calls, 3);
    const all = await list({ group });
    // Each once: though it matches still.
    assert.deepEqual(
      all.map(({ n, revision }) => [n, revision]).sort(),
      Array.from({ length: 25 }, (_, n) => [n + 100, 2]).sort(),
    );
    assert.equal(done(await increment({ limit: '25' })).nextCursor, null);
  });

  /** Has eight writers move records in and out of a filter, at both replicas, until they are told to end. */
  const flip = async (group: string): Promise<() => Promise<void>> => {
    const ids = (await list({ group })).map(({ id }) => id);
    let isOver = false;
    const write = async (writer: number): Promise<void> => {
      for (let turn = writer; !isOver; turn += 7) {
        const body = { state: turn % 2 === 0 ? 'done' : 'open' };
        const at = turn % 3 === 0 ? replica : other;
        const path = `PATCH /v1/data/tasks/${String(ids[turn % ids.length])}`;
        const answer = await at.call(path, { body, type: mergePatchType, token: ada.token });
        assert.ok([200, 404, 409].includes(answer.status), answer.text);
      }
    };
    const writers = Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
    writers.catch(() => undefined);
    return async () => {
      isOver = true;
      await writers;
    };
  };

  it('change no record that did not match at the revision that they changed, whatever others write', async () => {
    const group = fresh();
    const bulk = await data.person({ roles: ['admin'] });
    await make(60, (n) => ({ group, n: 0, owner: ada.id, state: n % 2 === 0 ? 'open' : 'done' }));
    const end = await flip(group);
    let changed = 0;
    const conflicts = new Set<string>();
    const run = async (at: TestReplica): Promise<void> => {
      for (let round = 0; round < 15; round += 1) {
        const ask = { by: bulk, at, type: operatorsType };
        const some = done(await patch({ group, state: 'open' }, { $inc: { n: 1 } }, ask));
        changed += some.changed ?? 0;
        for (const each of codesOf(some)) conflicts.add(each);
      }
    };
    await Promise.all([run(replica), run(other)]);
    await end();
    assert.ok(changed > 0);
    assert.ok(
      [...conflicts].every((each) => each === '409 conflict'),
      [...conflicts].join(', '),
    );
    const published = await data.published();
    const events = await published.waitFor(
      ({ authid, type }) => authid === bulk.id && type === 'data.record.updated',
      changed,
    );
    assert.equal(events.length, changed);
    for (const { data: told } of events) {
      const { before: was, fields } = told as { before: Task; fields: Task };
      assert.equal(was.state, 'open');
      assert.equal(fields.n, (was.n ?? 0) + 1);
    }
    const sum = (await list({ group })).reduce((all, { n = 0 }) => all + n, 0);
    assert.equal(sum, changed);
  });

  it('delete no record that did not match at the revision that they deleted, whatever others write', async () => {
    const group = fresh();
    const bulk = await data.person({ roles: ['admin'] });
    await make(60, (n) => ({ group, n, owner: ada.id, state: n % 2 === 0 ? 'open' : 'done' }));
    const end = await flip(group);
    let deleted = 0;
    const run = async (at: TestReplica): Promise<void> => {
      for (let round = 0; round < 5; round += 1) {
        const more = { limit: '5', partial: 'true' };
        const some = done(await remove({ group, state: 'open' }, { by: bulk, at, more }));
        deleted += some.deleted ?? 0;
        assert.deepEqual(codesOf(some), []);
      }
    };
    await Promise.all([run(replica), run(other)]);
    await end();
    assert.ok(deleted > 0);
    const published = await data.published();
    const events = await published.waitFor(
      ({ authid, type }) => authid === bulk.id && type === 'data.record.deleted',
      deleted,
    );
    assert.equal(events.length, deleted);
    assert.equal(new Set(events.map(({ subject }) => subject)).size, deleted);
    for (const { data: told } of events) assert.equal((told as { before: Task }).before.state, 'open');
    assert.equal((await list({ group })).length, 60 - deleted);
  });

  it('leave those alone that an index refuses, and write the others', async () => {
    const group = fresh();
    await make(5, (n) => ({ group, n, owner: ada.id }));
    const given = done(await patch({ group }, { code: group }));
    assert.deepEqual([given.matched, given.changed, given.refused.length], [5, 1, 4]);
    assert.deepEqual(codesOf(given), ['409 duplicate-value']);
  });

  it('need an index in a large collection as lists do, unless an administrator lets them scan', async () => {
    const small = await data.replica({ QUERY_SCAN_LIMIT: '10' });
    const group = fresh();
    await make(30, (n) => ({ group, n, owner: ada.id }));
    assert.equal(code(await patch({ group }, { n: 0 }, { at: small })), '422 query-needs-index');
    assert.equal(code(await patch({ group }, { n: 0 }, { at: small, more: { scan: 'allow' } })), '403 forbidden');
    const scanned = done(await patch({ group }, { n: 0 }, { at: small, by: admin, more: { scan: 'allow' } }));
    assert.equal(scanned.matched, 30);
    await small.stop();
  });

  it('refuse what they cannot take, and change nothing', async () => {
    const group = fresh();
    await make(3, (n) => ({ group, n, owner: ada.id }));
    const at = (query: string): string => `/v1/data/tasks?${query}`;
    const good = `filter=${encodeURIComponent(JSON.stringify({ group }))}`;
    const bad: readonly string[] = [
      '',
      'filter=',
      'filter=null',
      'filter=%5B%5D',
      'filter=%7B%22%24where%22%3A1%7D',
      'filter=%7B',
      `filter=${encodeURIComponent('{"$text": {"$search": "a"}}')}`,
      `filter=${encodeURIComponent('{"at": {"$near": {"$geometry": {"type": "Point", "coordinates": [0, 0]}}}}')}`,
      ...['limit=0', 'limit=10001', 'limit=many', 'dryRun=yes', 'partial=1', 'scan=no', 'sort=n', 'cursor=abc'].map(
        (each) => `${good}&${each}`,
      ),
    ];
    for (const query of bad) {
      const options = { token: ada.token, body: { n: 9 }, type: mergePatchType };
      assert.equal((await replica.call(`PATCH ${at(query)}`, options)).status, 400, query);
      assert.equal((await replica.call(`DELETE ${at(query)}`, { token: ada.token })).status, 400, query);
    }
    const refused = [
      await patch({ group }, { n: 9 }, { headers: { 'if-match': '"1"' } }),
      await remove({ group }, { headers: { 'if-match': '*' } }),
      await patch({ group }, { $dec: { n: 1 } }, { type: operatorsType }),
      await patch({ group }, [{ op: 'eat' }], { type: 'application/json-patch+json' }),
      await replica.call(`DELETE ${at(good)}`, { token: ada.token, body: { n: 9 } }),
      // Not all of it is seen.
      await patch({ about: { age: 1 } }, { n: 9 }),
      await remove({ about: { age: 1 } }),
    ];
    assert.deepEqual(
      refused.map(({ status }) => status),
      [400, 400, 400, 400, 400, 400, 400],
    );
    assert.equal((await patch({ group }, { n: 9 }, { type: 'application/json' })).status, 415);
    assert.ok((await list({ group })).every(({ revision }) => revision === 1));
  });
});
