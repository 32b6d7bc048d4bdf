import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { faultsOf, pageOf } from '../testing/asked-data.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, TestData, TestReplica } from '../testing/test-data.ts';
import { expandLimits } from './expansion.ts';
import type { ExpandWorld, Json } from './testing/expand-world.ts';
import { besideOf, namesOf, openExpandWorld } from './testing/expand-world.ts';

describe('what may be expanded', () => {
  let data: TestData;
  let replica: TestReplica;
  let world: ExpandWorld;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    world = await openExpandWorld(data, replica);
  });
  after(() => data.stop());

  const query = (body: object, by = world.ada): Promise<Answered> => world.asking.query('tasks', body, by);
  const explainedSteps = async (body: object): Promise<unknown> => {
    const answer = await query({ ...body, explain: true }, world.admin);
    assert.equal(answer.status, 200, answer.text);
    return (answer.body.explain as unknown as Json).expand;
  };

  it('is read by one question for each level and collection, however many records there are', async () => {
    const { create } = world;
    const boss = await create('people', { name: 'boss' });
    const lines: object[] = [];
    for (let n = 0; n < 5; n += 1) {
      const person = await create('people', { name: `p${n}`, boss });
      const project = await create('projects', { name: `j${n}`, open: true, owner: person, members: [person, boss] });
      for (let times = 0; times < 6; times += 1) {
        lines.push({ title: 'many', n: lines.length, project, reviewers: [person], meta: { author: boss } });
      }
    }
    await world.asking.fill('tasks', lines);
    const expand = ['project.owner.boss', 'project.members', 'reviewers', 'meta.author'];
    const asked = { filter: { title: 'many' }, expand, limit: 200 };
    await data.db.command({ profile: 2 });
    const answer = await query(asked);
    await data.db.command({ profile: 0 });
    const { items } = pageOf(answer);
    assert.equal(items.length, 30);
    assert.equal(namesOf(besideOf(besideOf(besideOf(items[7]).project as Json).owner as Json).boss), 'boss');
    const definitions = await replica.call('GET /v1/collections', { token: world.admin.token });
    const names = new Map(
      (definitions.body.items as unknown as { id: string; name: string }[]).map(({ id, name }) => [id, name]),
    );
    // What is read to be shown: the relay and others read other parts.
    const shown = { op: 'query', ns: /\.records_/, 'command.projection.createdAt': 1 };
    const profile = data.db.collection('system.profile').find(shown);
    const questions = (await profile.toArray()).map((each) => names.get(String(each.ns).split('.records_')[1] ?? ''));
    // The page, its projects and people, and the people of these that were not among them: none.
    assert.deepEqual(questions.toSorted(), ['people', 'projects', 'tasks']);
    assert.deepEqual(await explainedSteps(asked), [
      { level: 1, collection: 'projects', paths: ['project'], asked: 5, found: 5 },
      { level: 1, collection: 'people', paths: ['reviewers', 'meta.author'], asked: 6, found: 6 },
      { level: 2, collection: 'people', paths: ['project.owner', 'project.members'], asked: 6, found: 6 },
      { level: 3, collection: 'people', paths: ['project.owner.boss'], asked: 1, found: 1 },
    ]);
    const asEve = await query({ ...asked, explain: true, as: { sub: world.eve.id } }, world.admin);
    assert.equal((asEve.body.explain as unknown as { expand: Json[] }).expand[0]?.found, 5);
    assert.equal((await query({ ...asked, explain: true })).status, 403);
    assert.equal(Object.hasOwn(pageOf(answer), 'explain'), false);
  });

  it('is bounded in how many records are looked for', async () => {
    const lines = Array.from({ length: expandLimits.records + 1 }, (_, n) => ({ name: `m${n}` }));
    await world.asking.fill('people', lines);
    const filter = { name: { $regex: '^m' } };
    const everybody = await world.asking.all('people', { filter, fields: ['id'], limit: 200 }, world.admin);
    const ids = everybody.map(({ id }) => id);
    const tasks = Array.from({ length: 11 }, (_, n) => ({
      title: 'wide',
      n,
      reviewers: ids.slice(n * 100, (n + 1) * 100),
    }));
    await world.asking.fill('tasks', tasks);
    const asked = { filter: { title: 'wide' }, sort: ['n'], expand: ['reviewers'], fields: ['n'] };
    const tooMany = await query(asked);
    const { status, body } = tooMany;
    assert.deepEqual([status, body.code, body.limit], [422, 'query-too-costly', expandLimits.records]);
    assert.match(String(body.detail), /expand/);
    const most = pageOf(await query({ ...asked, limit: 10 })).items;
    assert.deepEqual(
      most.map((task) => (besideOf(task).reviewers as unknown[]).length),
      most.map(() => 100),
    );
  });

  it('is bounded in how long it makes an answer, what is shown many times counted each time', async () => {
    const name = 'x'.repeat(100_000);
    const long = await world.create('people', { name });
    const task = { title: 'long', reviewers: Array.from({ length: 41 }, () => long) };
    const repeated = await world.create('tasks', task);
    const { body: whole } = await world.get(`tasks/${repeated}?expand=reviewers`, world.ada);
    assert.equal((besideOf(whole).reviewers as unknown[]).length, 41);
    await world.create('tasks', task);
    const twice = await query({ filter: { title: 'long' }, expand: ['reviewers'] });
    const { code, limit } = twice.body;
    assert.deepEqual([twice.status, code, limit], [422, 'query-too-costly', expandLimits.length]);
    assert.equal((await query({ filter: { title: 'long' }, expand: ['reviewers'], limit: 1 })).status, 200);
    const others = await Promise.all(Array.from({ length: 42 }, () => world.create('people', { name })));
    const distinct = await world.create('tasks', { reviewers: others });
    const single = await world.get(`tasks/${distinct}?expand=reviewers`, world.ada);
    assert.deepEqual([single.status, single.body.code], [422, 'query-too-costly'], single.text.slice(0, 200));
    // A hundred times a hundred times a hundred: refused before it is put together.
    const text = { type: 'array', items: { type: 'string' } };
    await world.asking.define('webs', {
      schema: { properties: { to: text } },
      fields: { to: { reference: { collection: 'webs' } } },
      rules: { read: 'public', update: 'public' },
    });
    const web = await world.create('webs', {});
    const to = Array.from({ length: 100 }, () => web);
    const put = await replica.call(`PUT /v1/data/webs/${web}`, { body: { to }, token: world.admin.token });
    assert.equal(put.status, 200, put.text);
    const woven = await world.get(`webs/${web}?expand=to.to.to`);
    assert.deepEqual([woven.status, woven.body.code], [422, 'query-too-costly'], woven.text.slice(0, 200));
  });

  it('is told where it is none, by its place', async () => {
    const id = await world.create('tasks', {});
    const wrong: readonly (readonly [readonly string[], readonly string[], RegExp])[] = [
      [['title'], ['not-a-reference'], /`title`.*`project`, `reviewers`, `meta\.author`, `guide`\./],
      [['meta'], ['not-a-reference'], /`meta`/],
      [['nothing'], ['not-a-reference'], /`nothing`/],
      [['project.name'], ['not-a-reference'], /`project\.name`.*`project\.owner`, `project\.members`\./],
      [['reviewers.boss.boss.boss'], ['too-deep'], /at most 3/],
      [['project', 'project'], ['duplicate-path'], /`project`/],
      [['project', 'title', 'x'], ['not-a-reference', 'not-a-reference'], /`title`/],
      [[''], ['invalid-path'], /empty/],
      [['project.'], ['invalid-path'], /empty/],
      [['$where', '__proto__'], ['invalid-path', 'invalid-path'], /\$/],
      [Array.from({ length: 11 }, (_, n) => `x${n}`), ['too-many-paths'], /at most 10/],
    ];
    for (const [expand, codes, message] of wrong) {
      const address = encodeURIComponent(expand.join(','));
      const answers: readonly (readonly [Answered, readonly [string, string]])[] = [
        [await query({ expand }), ['', '/expand']],
        [await world.get(`tasks?expand=${address}`, world.ada), ['expand', '']],
        [await world.get(`tasks/${id}?expand=${address}`, world.ada), ['expand', '']],
      ];
      for (const [answer, place] of answers) {
        const errors = codes.map((code) => [...place, code]);
        assert.deepEqual(faultsOf(answer), [400, 'invalid-request', errors], answer.text);
        const [first] = answer.body.errors as unknown as readonly { readonly message: string }[];
        assert.match(first?.message ?? '', message);
      }
    }
    for (const expand of [[], 'project', [1], {}]) assert.equal((await query({ expand })).status, 400);
    assert.equal((await world.get('tasks?expand=', world.ada)).status, 400);
    assert.equal((await world.get('tasks?expand=project&expand=guide', world.ada)).status, 400);
    const long = await world.get(`tasks?expand=${'a'.repeat(5_000)}`, world.ada);
    assert.deepEqual(faultsOf(long)[2][0]?.[0], 'expand');
    // Nothing is told of a record that is not there, or of a collection that one may not know of.
    assert.equal((await world.get('tasks/rec_none?expand=title', world.ada)).status, 404);
    await world.asking.define('closed', { schema: {}, rules: {} });
    assert.equal((await world.get('closed?expand=x', world.ada)).status, 404);
  });

  it('is of pages and single records alone: other calls say that they do not take it', async () => {
    for (const accept of ['application/x-ndjson', 'text/csv']) {
      const exported = await world.get('tasks?expand=project', world.ada, { accept });
      assert.deepEqual(faultsOf(exported), [400, 'invalid-request', [['expand', '', 'not-in-exports']]]);
    }
    const { token } = world.admin;
    const type = 'application/merge-patch+json';
    const id = await world.create('tasks', {});
    const calls: readonly (readonly [string, object?])[] = [
      ['GET /v1/data/tasks/changes?expand=project'],
      [`PATCH /v1/data/tasks/${id}?expand=project`, { body: {}, type }],
      [`PUT /v1/data/tasks/${id}?expand=project`, { body: {} }],
      ['PATCH /v1/data/tasks?filter={}&expand=project', { body: {}, type }],
      ['DELETE /v1/data/tasks?filter={}&expand=project'],
      ['POST /v1/data/tasks?expand=project', { body: {} }],
    ];
    for (const [call, options] of calls) {
      const refused = await replica.call(call, { ...options, token });
      assert.deepEqual([refused.status, faultsOf(refused)[2][0]?.[0]], [400, 'expand'], `${call}: ${refused.text}`);
    }
    const stages = { stages: [{ limit: 1 }], expand: ['project'] };
    const aggregate = await replica.call('POST /v1/data/tasks/aggregate', { body: stages, token });
    assert.equal(aggregate.status, 400, aggregate.text);
    // What was read with it is not taken for a record's own.
    const put = await replica.call(`PUT /v1/data/tasks/${id}`, { body: { _expand: { project: null } }, token });
    assert.deepEqual(faultsOf(put)[2][0]?.[1], '/_expand', put.text);
  });
});
