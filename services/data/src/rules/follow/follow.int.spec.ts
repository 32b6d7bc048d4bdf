import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { operatorsType } from '../../operators/parse-operators.ts';
import { mergePatchType } from '../../records/merge-patch.ts';
import { openTestData } from '../../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../../testing/test-data.ts';
import { openFeed } from '../../testing/test-feed.ts';
import type { TestFeed } from '../../testing/test-feed.ts';

const member = { project: { $follow: { members: { $auth: 'sub' } } } };
const lead = { project: { $follow: { lead: { $auth: 'sub' } } } };

const projects = {
  schema: {
    properties: {
      name: { type: 'string' },
      lead: { type: 'string' },
      members: { type: 'array', items: { type: 'string' } },
      secret: { type: 'string' },
    },
  },
  fields: { members: { read: [] } },
  indexes: [{ keys: { members: 1 } }, { keys: { lead: 1 } }],
  rules: { read: 'public' },
};
const tasksIn = (target: string) => ({
  schema: {
    properties: {
      project: { type: ['string', 'null'] },
      others: { type: 'array', items: { type: 'string' } },
      n: { type: 'number' },
      slug: { type: 'string' },
    },
  },
  fields: { project: { reference: { collection: target } }, others: { reference: { collection: target } } },
  indexes: [{ keys: { slug: 1 }, unique: true, where: { slug: { $exists: true } } }],
  rules: { read: [member], create: [member], update: [member], delete: [lead] },
});

interface World {
  readonly project: string;
  readonly tasks: string;
}

const commentsOn = (tasks: string) => ({
  schema: { properties: { task: { type: 'string' } } },
  rules: { read: 'public', create: 'signed-in' },
  fields: { task: { reference: { collection: tasks } } },
});

describe('a rule that follows a reference', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;
  const feeds: TestFeed[] = [];

  before(async () => {
    data = await openTestData();
    [replica, other] = [await data.replica(), await data.replica()];
    [admin, ada, eve] = [await data.person({ roles: ['admin'] }), await data.person(), await data.person()];
  });
  after(async () => {
    for (const feed of feeds) feed.close();
    await data.stop();
  });

  const define = async (body: object, name = `c${randomUUID().slice(0, 8)}`): Promise<string> => {
    const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.ok(answer.status < 300, answer.text);
    return name;
  };
  const world = async (): Promise<World> => {
    const project = await define(projects);
    return { project, tasks: await define(tasksIn(project)) };
  };
  const post = (to: string, body: object, by: Person = admin, at = replica): Promise<Answered> =>
    at.call(`POST /v1/data/${to}`, { body, token: by.token });
  const made = async (to: string, body: object, by: Person = admin): Promise<string> => {
    const answer = await post(to, body, by);
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const patch = (path: string, body: unknown, by: Person = admin, type = mergePatchType): Promise<Answered> =>
    replica.call(`PATCH /v1/data/${path}`, { body, type, token: by.token });
  const seen = async (tasks: string, by: Person | undefined, at = replica): Promise<unknown[]> => {
    const answer = await at.call(`GET /v1/data/${tasks}?count=true&sort=n`, { token: by?.token });
    assert.equal(answer.status, 200, answer.text);
    const { items, count } = answer.body as unknown as { items: { n: number }[]; count: number };
    assert.equal(count, items.length);
    return items.map(({ n }) => n);
  };
  /** By whoever has seen as much: pages that are kept may be what is answered. */
  const listed = async (tasks: string, by: Person, after: Answered): Promise<unknown[]> => {
    const headers = { 'causeway-after': after.headers.get('causeway-position') ?? assert.fail() };
    const answer = await replica.call(`GET /v1/data/${tasks}?sort=n`, { token: by.token, headers });
    assert.equal(answer.status, 200, answer.text);
    return (answer.body.items as unknown as { n: number }[]).map(({ n }) => n);
  };
  const code = ({ status, body }: Answered): string => `${status} ${String(body.code)}`;

  it('lets be seen what names a record that meets it: by id, in lists, counts and exports', async () => {
    const { project, tasks } = await world();
    const [own, foreign] = [
      await made(project, { members: [ada.id, eve.id], lead: ada.id }),
      await made(project, { members: [eve.id] }),
    ];
    const ids = [await made(tasks, { n: 1, project: own }), await made(tasks, { n: 2, project: foreign })];
    await made(tasks, { n: 3, project: null });
    const read = async (id: string | undefined, by: Person): Promise<number> =>
      (await replica.call(`GET /v1/data/${tasks}/${String(id)}`, { token: by.token })).status;
    assert.deepEqual([await read(ids[0], ada), await read(ids[1], ada), await read(ids[1], eve)], [200, 404, 200]);
    assert.deepEqual(await seen(tasks, ada), [1]);
    assert.deepEqual(await seen(tasks, eve), [1, 2]);
    assert.deepEqual(await seen(tasks, admin), [1, 2, 3]);
    const anonymous = await replica.call(`GET /v1/data/${tasks}`);
    assert.equal(anonymous.status, 404);
    const headers = { accept: 'application/x-ndjson' };
    const exported = await replica.call(`GET /v1/data/${tasks}`, { token: ada.token, headers });
    assert.equal(exported.text.trim().split('\n').length, 1);
    const aggregated = await replica.call(`POST /v1/data/${tasks}/aggregate`, {
      body: { stages: [{ group: { fields: { sum: { sum: 'n' } } } }] },
      token: ada.token,
    });
    assert.deepEqual(aggregated.body.items, [{ sum: 1 }], aggregated.text);
    // What ada may not see of the project decides all the same.
    const shown = await replica.call(`GET /v1/data/${project}/${own}`, { token: ada.token });
    assert.equal(shown.body.members, undefined);
    for (let times = 0; times < 3; times += 1) assert.deepEqual(await listed(tasks, ada, shown), [1]);
    const changed = await patch(`${project}/${foreign}`, { members: [ada.id] });
    assert.equal(changed.status, 200);
    assert.deepEqual(await listed(tasks, ada, changed), [1, 2]);
    assert.deepEqual([await seen(tasks, ada), await seen(tasks, eve)], [[1, 2], [1]]);
  });

  it('decides every kind of write', async () => {
    const { project, tasks } = await world();
    const [own, foreign] = [
      await made(project, { members: [ada.id], lead: ada.id }),
      await made(project, { members: [eve.id], lead: eve.id }),
    ];
    assert.equal((await post(tasks, { n: 1, project: foreign }, ada)).status, 403);
    assert.equal((await post(tasks, { n: 1 }, ada)).status, 403);
    const task = await made(tasks, { n: 1, project: own }, ada);
    const lines = [own, foreign].map((each) => JSON.stringify({ n: 2, project: each })).join('\n');
    const imported = await replica.call(`POST /v1/data/${tasks}`, {
      body: lines,
      type: 'application/x-ndjson',
      token: ada.token,
    });
    assert.deepEqual([imported.body.created, imported.body.failed], [1, 1], imported.text);
    assert.equal((await patch(`${tasks}/${task}`, { n: 2 }, ada)).status, 200);
    assert.equal((await patch(`${tasks}/${task}`, { n: 2 }, eve)).status, 404);
    // Both before and after.
    assert.equal((await patch(`${tasks}/${task}`, { project: foreign }, ada)).status, 403);
    assert.equal((await patch(`${project}/${foreign}`, { members: [eve.id, ada.id] })).status, 200);
    assert.equal((await patch(`${tasks}/${task}`, { project: foreign }, ada)).status, 200);
    // The lead of the project that it is in by now.
    const remove = async (by: Person): Promise<number> =>
      (await replica.call(`DELETE /v1/data/${tasks}/${task}`, { token: by.token })).status;
    assert.deepEqual([await remove(ada), await remove(eve)], [403, 204]);
    const upsert = async (by: Person, to: string): Promise<number> => {
      const body = { slug: 'a', project: to };
      return (await replica.call(`PUT /v1/data/${tasks}?by=slug`, { body, token: by.token })).status;
    };
    assert.deepEqual([await upsert(ada, own), await upsert(ada, own), await upsert(eve, foreign)], [201, 200, 409]);
  });

  it('decides writes by filter, in a dry run too', async () => {
    const { project, tasks } = await world();
    const [own, foreign] = [
      await made(project, { members: [ada.id], lead: ada.id }),
      await made(project, { members: [ada.id], lead: eve.id }),
    ];
    const hidden = await made(project, { members: [eve.id] });
    for (const [n, to] of [own, own, foreign, hidden].entries()) await made(tasks, { n, project: to });
    const filter = `filter=${encodeURIComponent('{}')}`;
    for (const dryRun of ['true', 'false']) {
      const changed = await replica.call(`PATCH /v1/data/${tasks}?${filter}&dryRun=${dryRun}`, {
        ...{ body: { $inc: { n: 10 } }, type: operatorsType, token: ada.token },
      });
      assert.deepEqual([changed.body.matched, changed.body.changed], [3, 3], changed.text);
      const moved = await replica.call(`PATCH /v1/data/${tasks}?${filter}&dryRun=${dryRun}`, {
        ...{ body: { project: null }, type: mergePatchType, token: ada.token },
      });
      assert.deepEqual([moved.body.matched, moved.body.changed], [3, 0], moved.text);
    }
    for (const dryRun of ['true', 'false']) {
      const gone = await replica.call(`DELETE /v1/data/${tasks}?${filter}&dryRun=${dryRun}`, { token: ada.token });
      assert.deepEqual([gone.body.matched, gone.body.deleted], [3, 2], gone.text);
    }
    assert.deepEqual(await seen(tasks, admin), [3, 12]);
  });

  it('looks at what the operations of a batch have left so far', async () => {
    const { project, tasks } = await world();
    const open = await define({
      ...projects,
      rules: { read: 'public', create: 'signed-in', update: 'signed-in' },
      fields: {},
    });
    const own = await define(tasksIn(open));
    const there = await made(open, { members: [] });
    const batch = (operations: object[], by = ada): Promise<Answered> =>
      replica.call('POST /v1/batch', { body: { operations }, token: by.token });
    const create = (to: unknown) => ({ op: 'create', collection: own, fields: { n: 1, project: to } });
    assert.equal(code(await batch([create(there)])), '403 forbidden');
    const joins = { op: 'update', collection: open, id: there, operators: { $push: { members: ada.id } } };
    const leaves = { op: 'update', collection: open, id: there, operators: { $pull: { members: ada.id } } };
    assert.equal((await batch([joins, create(there)])).status, 200);
    assert.equal(code(await batch([create(there), leaves, create(there)])), '403 forbidden');
    assert.deepEqual(await seen(own, ada), [1]);
    const opened = [{ op: 'create', collection: open, fields: { members: [ada.id] }, as: 'p' }, create({ $id: 'p' })];
    assert.equal((await batch(opened)).status, 200);
    assert.deepEqual(await seen(own, ada), [1, 1]);
    // What is named is judged by what the operations before have left, and so it stays.
    const comments = await define(commentsOn(own));
    const task = await made(own, { n: 1, project: there });
    const names = { op: 'create', collection: comments, fields: { task } };
    assert.equal(code(await batch([leaves, names])), '422 reference-not-found');
    assert.equal((await batch([names, leaves])).status, 200);
    assert.equal(code(await batch([names, joins])), '422 reference-not-found');
    assert.equal((await batch([joins, names])).status, 200);
    assert.equal((await post(tasks, { project: await made(project, {}) }, ada)).status, 403);
  });

  it('is explained', async () => {
    const { project, tasks } = await world();
    const own = await made(project, { members: [ada.id] });
    const id = await made(tasks, { project: own });
    const explain = async (sub: string): Promise<Answered> =>
      replica.call('POST /v1/rules/explain', {
        body: { who: { sub }, action: 'read', collection: tasks, id },
        token: admin.token,
      });
    const [yes, no] = [await explain(ada.id), await explain(eve.id)];
    assert.deepEqual([yes.body.allowed, no.body.allowed], [true, false], `${yes.text} ${no.text}`);
    assert.match(String(no.body.because), /`project` names a record in which `members` is the caller/);
  });

  it('trims and widens feeds with the records that it follows, on every replica', async () => {
    const { project, tasks } = await world();
    const [own, elsewhere] = [await made(project, { members: [ada.id] }), await made(project, { members: [eve.id] })];
    const [first, second] = await Promise.all([replica, other].map((at) => openFeed(at, tasks, { token: ada.token })));
    const withRows = await openFeed(other, tasks, { token: ada.token, snapshot: true });
    assert.ok(first && second);
    feeds.push(first, second, withRows);
    await made(tasks, { n: 1, project: own });
    await made(tasks, { n: 2, project: elsewhere });
    for (const feed of [first, second]) await feed.count(1);
    const gaps = (feed: TestFeed): number => feed.blocks.filter(({ event }) => event === 'gap').length;
    const lastGap = (feed: TestFeed) =>
      JSON.parse(feed.blocks.filter(({ event }) => event === 'gap').at(-1)?.data ?? '{}') as { reason?: string };

    // What is none of its business is not told either.
    assert.equal((await patch(`${project}/${own}`, { name: 'x' })).status, 200);
    assert.equal((await patch(`${project}/${own}`, { members: [] })).status, 200);
    await made(tasks, { n: 3, project: own });
    for (const feed of [first, second, withRows]) {
      await feed.until('a right that is lost', () => gaps(feed) === 1);
      assert.equal(lastGap(feed).reason, 'rights');
    }
    assert.equal((await patch(`${project}/${elsewhere}`, { members: [ada.id] })).status, 200);
    await made(tasks, { n: 4, project: elsewhere });
    for (const feed of [first, second]) {
      await feed.until('a right that is gained', () => gaps(feed) === 2);
      const told = await feed.count(2);
      assert.deepEqual(
        told.map(({ record }) => record?.n),
        [1, 4],
      );
    }
    await withRows.until('the result anew', () => {
      const current = withRows.blocks.filter(({ event }) => event === 'current' || event === 'created');
      return current.some(({ data: text }) => text?.includes('"n":4') === true);
    });
    const rows = withRows.blocks.filter(({ event }) => event === 'current').map(({ data: text }) => text ?? '');
    assert.ok(rows.some((text) => text.includes('"n":2')));
    assert.ok(rows.every((text) => !text.includes('"n":3')));
  });

  it('lets a feed go on where it was only with the rights of then', async () => {
    const { project, tasks } = await world();
    const own = await made(project, { members: [ada.id] });
    const feed = await openFeed(replica, tasks, { token: ada.token });
    feeds.push(feed);
    await made(tasks, { n: 1, project: own });
    await feed.count(1);
    const after = feed.lastId();
    feed.close();
    await made(tasks, { n: 2, project: own });
    const again = await openFeed(other, tasks, { token: ada.token, after });
    feeds.push(again);
    assert.deepEqual(
      (await again.count(1)).map(({ record }) => record?.n),
      [2],
    );
    assert.ok(again.blocks.every(({ event }) => event !== 'gap'));
    again.close();
    assert.equal((await patch(`${project}/${own}`, { members: [eve.id] })).status, 200);
    await made(tasks, { n: 3, project: own });
    const without = await openFeed(replica, tasks, { token: ada.token, after });
    feeds.push(without);
    await without.until('a right that is lost', () => without.blocks.some(({ event }) => event === 'gap'));
    assert.deepEqual(without.told(), []);
  });

  it('takes a right in the commit in which the record changes that it follows', async () => {
    const { project, tasks } = await world();
    const own = await made(project, { members: [ada.id] });
    const task = await made(tasks, { n: 1, project: own });
    const feed = await openFeed(other, tasks, { token: ada.token });
    feeds.push(feed);
    const operations = [
      { op: 'update', collection: tasks, id: task, merge: { n: 2 } },
      { op: 'update', collection: project, id: own, merge: { members: [] } },
    ];
    const answer = await replica.call('POST /v1/batch', { body: { operations }, token: admin.token });
    assert.equal(answer.status, 200, answer.text);
    await feed.until('a right that is lost', () => feed.blocks.some(({ event }) => event === 'gap'));
    await made(tasks, { n: 3, project: await made(project, { members: [ada.id] }) });
    await feed.until('what follows', () => feed.told().length > 0);
    assert.ok(feed.told().every(({ record }) => record?.n === 3));
  });

  it('may be met by one of many that an array names, and asked for its opposite', async () => {
    const project = await define(projects);
    const base = tasksIn(project);
    const follows = { $follow: { members: { $auth: 'sub' } } };
    const any = await define({ ...base, rules: { read: [{ others: follows }] } });
    const none = await define({ ...base, rules: { read: [{ others: { $not: follows } }] } });
    const [own, foreign] = [await made(project, { members: [ada.id] }), await made(project, { members: [] })];
    for (const to of [any, none]) {
      await made(to, { n: 1, others: [foreign, own] });
      await made(to, { n: 2, others: [foreign] });
      await made(to, { n: 3 });
    }
    assert.deepEqual([await seen(any, ada), await seen(none, ada)], [[1], [2, 3]]);
  });

  it('may lead to records of its own collection, and is kept to by whatever refers to it', async () => {
    const name = `c${randomUUID().slice(0, 8)}`;
    const body = {
      schema: { properties: { n: { type: 'number' }, owner: { type: 'string' }, parent: { type: 'string' } } },
      fields: { parent: { reference: { collection: name } } },
      rules: { read: [{ owner: { $auth: 'sub' } }, { parent: { $follow: { owner: { $auth: 'sub' } } } }] },
    };
    await define(body, name);
    const top = await made(name, { n: 1, owner: ada.id });
    const below = await made(name, { n: 2, parent: top });
    await made(name, { n: 3, parent: below });
    assert.deepEqual(await seen(name, ada), [1, 2]);
    // A reference may name what its author sees by such a rule, and nothing else.
    const naming = await define({
      schema: { properties: { to: { type: 'string' } } },
      fields: { to: { reference: { collection: name } } },
      rules: { create: 'signed-in' },
    });
    assert.equal((await post(naming, { to: below }, ada)).status, 201);
    assert.equal(code(await post(naming, { to: below }, eve)), '422 reference-not-found');
  });

  it('is refused where it follows no reference, or more than one step', async () => {
    const project = await define(projects);
    const base = tasksIn(project);
    const refused = async (rules: unknown, fields: object = base.fields): Promise<unknown[]> => {
      const answer = await replica.call(`PUT /v1/collections/c${randomUUID().slice(0, 8)}`, {
        body: { ...base, fields, rules },
        token: admin.token,
      });
      assert.equal(answer.status, 400, answer.text);
      return (answer.body.errors as unknown as { pointer: string; code: string }[]).map(
        ({ pointer, code: is }) => `${pointer} ${is}`,
      );
    };
    const follow = (condition: unknown) => ({ $follow: condition });
    const at = '/rules/read/0';
    assert.deepEqual(await refused({ read: [{ n: follow({ lead: 'x' }) }] }), [`${at}/n/$follow not-a-reference`]);
    assert.deepEqual(await refused({ read: [{ id: follow({ lead: 'x' }) }] }), [`${at}/id/$follow not-a-reference`]);
    assert.deepEqual(await refused({ read: [{ project: follow({ project: follow({}) }) }] }), [
      `${at}/project/$follow/project/$follow invalid-follow`,
    ]);
    assert.deepEqual(await refused({ read: [{ others: { $elemMatch: { a: follow({}) } } }] }), [
      `${at}/others/$elemMatch/a/$follow invalid-follow`,
    ]);
    assert.deepEqual(await refused({ read: [{ project: follow(7) }] }), [`${at}/project/$follow invalid-condition`]);
    assert.deepEqual(await refused({ read: [{ project: follow({ createdAt: { $gt: { $now: '-1d' } } }) }] }), [
      `${at}/project/$follow/createdAt/$gt unknown-operator`,
    ]);
    assert.deepEqual(await refused({ read: [{ project: follow({ $where: 1 }) }] }), [
      `${at}/project/$follow/$where unknown-operator`,
    ]);
    const guarded = { ...base.fields, n: { read: [{ project: follow({}) }] } };
    assert.deepEqual(await refused({}, guarded), ['/fields/n/read/0/project/$follow invalid-follow']);
    const many = Array.from({ length: 11 }, (_, n) => ({ project: follow({ name: String(n) }) }));
    assert.deepEqual(await refused({ read: many }), ['/rules too-many-follows']);
    const filter = encodeURIComponent(JSON.stringify({ project: follow({}) }));
    const { tasks } = await world();
    assert.equal((await replica.call(`GET /v1/data/${tasks}?filter=${filter}`, { token: ada.token })).status, 400);
  });

  it('warns where no index leads to what is followed, and keeps the collection that it follows', async () => {
    const project = await define({ ...projects, indexes: [{ keys: { lead: 1 } }] });
    const name = `c${randomUUID().slice(0, 8)}`;
    const body = { ...tasksIn(project), rules: { read: [member, lead] } };
    const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.equal(answer.status, 201, answer.text);
    const warnings = answer.body.warnings as unknown as { pointer: string; code: string; index: unknown }[];
    assert.deepEqual(
      warnings.map(({ pointer, code: is, index }) => [pointer, is, index]),
      [['/rules/read/0/project/$follow', 'follow-needs-index', { keys: { members: 1 } }]],
    );
    const removed = await replica.call(`DELETE /v1/collections/${project}?records=delete`, { token: admin.token });
    assert.equal(code(removed), '409 collection-referenced');
  });

  it('is too costly where it leads to more than 10,000 records, for all but single ones', async () => {
    const { project, tasks } = await world();
    const own = await made(project, { members: [ada.id] });
    const task = await made(tasks, { n: 1, project: own });
    const lines = Array.from({ length: 10_000 }, () => JSON.stringify({ members: [ada.id] })).join('\n');
    const imported = await replica.call(`POST /v1/data/${project}`, {
      body: lines,
      type: 'application/x-ndjson',
      token: admin.token,
    });
    assert.equal(imported.body.created, 10_000, imported.text);
    const list = await replica.call(`GET /v1/data/${tasks}`, { token: ada.token });
    assert.equal(code(list), '422 rule-too-costly');
    const feed = await replica.call(`GET /v1/data/${tasks}/changes`, { token: ada.token });
    assert.equal(code(feed), '422 rule-too-costly');
    assert.equal((await replica.call(`GET /v1/data/${tasks}/${task}`, { token: ada.token })).status, 200);
    assert.equal((await patch(`${tasks}/${task}`, { n: 2 }, ada)).status, 200);
    assert.deepEqual(await seen(tasks, eve), []);
    const comments = await define(commentsOn(tasks));
    assert.equal((await post(comments, { task }, ada)).status, 201);
    assert.equal(code(await post(comments, { task }, eve)), '422 reference-not-found');
  });
});
