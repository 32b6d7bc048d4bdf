import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { pageOf } from '../testing/asked-data.ts';
import { openTestData } from '../testing/test-data.ts';
import type { TestData, TestReplica } from '../testing/test-data.ts';
import type { ExpandWorld, Json } from './testing/expand-world.ts';
import { besideOf, namesOf, openExpandWorld } from './testing/expand-world.ts';

describe('what records refer to, shown beside them', () => {
  let data: TestData;
  let replica: TestReplica;
  let world: ExpandWorld;
  const made = { boss: '', ann: '', bob: '', ghost: '', open: '', closed: '' };

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    world = await openExpandWorld(data, replica);
    const { create, ada } = world;
    made.boss = await create('people', { name: 'boss', salary: 9 });
    made.ann = await create('people', { name: 'ann', who: ada.id, salary: 5, boss: made.boss });
    made.bob = await create('people', { name: 'bob', salary: 6, boss: made.boss });
    made.ghost = await create('people', { name: 'ghost', hidden: true, boss: made.boss });
    const sponsor = made.boss;
    made.open = await create('projects', { name: 'open', open: true, owner: made.ann, members: [made.bob], sponsor });
    made.closed = await create('projects', { name: 'closed', owner: made.ann });
  });
  after(() => data.stop());

  /** Creates a task, and gives it as somebody is shown it: by its id, in a list, and by a query in a body. */
  const shown = async (body: object, expand: readonly string[], by = world.ada): Promise<Json> => {
    const title = `t${Math.random()}`;
    const id = await world.create('tasks', { title, ...body });
    const single = await world.get(`tasks/${id}?expand=${expand.join(',')}`, by);
    assert.equal(single.status, 200, single.text);
    const filter = { title };
    const parameters = { filter: JSON.stringify(filter), expand: expand.join(',') };
    const listed = pageOf(await world.asking.list('tasks', parameters, by)).items;
    const queried = pageOf(await world.asking.query('tasks', { filter, expand }, by)).items;
    assert.deepEqual(listed, [single.body]);
    assert.deepEqual(queried, [single.body]);
    return single.body;
  };

  it('are whole, beside the ids, under the names of the fields, and several levels of them', async () => {
    const { ann, bob, boss, open } = made;
    const task = await shown({ project: open, reviewers: [bob, ann], meta: { author: ann }, n: 3 }, [
      'project.owner.boss',
      'project.members',
      'reviewers',
      'meta.author',
    ]);
    assert.deepEqual([task.project, task.reviewers, task.meta, task.n], [open, [bob, ann], { author: ann }, 3]);
    const { project, reviewers, 'meta.author': author, ...others } = besideOf(task);
    assert.deepEqual(others, {});
    const asRead = async (path: string): Promise<Json> => (await world.get(path, world.ada)).body;
    assert.deepEqual(reviewers, [await asRead(`people/${bob}`), await asRead(`people/${ann}`)]);
    assert.deepEqual(author, await asRead(`people/${ann}`));
    const { _expand: within, ...own } = project as Json;
    assert.deepEqual(own, await asRead(`projects/${open}`));
    const { owner, members } = within as Json;
    assert.deepEqual(members, [await asRead(`people/${bob}`)]);
    const { _expand: above, ...owning } = owner as Json;
    assert.deepEqual([owning, above], [await asRead(`people/${ann}`), { boss: await asRead(`people/${boss}`) }]);
  });

  it('are null where nothing is named, and a list where a list is', async () => {
    const expand = ['project.owner', 'reviewers', 'meta.author'];
    const none = { project: null, reviewers: null, 'meta.author': null };
    assert.deepEqual(besideOf(await shown({}, expand)), none);
    assert.deepEqual(besideOf(await shown({ project: null, reviewers: [], meta: {} }, expand)), {
      ...none,
      reviewers: [],
    });
  });

  it('are by the read rule of their own collection: what one may not see is as what is not there', async () => {
    const { ghost, ann, closed } = made;
    const expand = ['project.owner', 'reviewers', 'meta.author'];
    const body = { project: closed, reviewers: [ghost, ann], meta: { author: ghost } };
    const hidden = await shown(body, expand);
    assert.deepEqual([hidden.project, hidden.reviewers], [closed, [ghost, ann]]);
    assert.deepEqual([besideOf(hidden).project, besideOf(hidden)['meta.author']], [null, null]);
    assert.deepEqual(namesOf(besideOf(hidden).reviewers), ['ann']);
    const whole = besideOf(await shown(body, expand, world.admin));
    assert.deepEqual(namesOf(whole.reviewers), ['ghost', 'ann']);
    assert.equal(namesOf(besideOf(whole.project as Json).owner), 'ann');
    // Taken out of MongoDB by hand, so that the ids lead nowhere.
    const { admin } = world;
    const lost = await world.create('people', { name: 'lost' });
    const { body: definition } = await replica.call('GET /v1/collections/people', { token: admin.token });
    const id = await world.create('tasks', { reviewers: [lost, ann], meta: { author: lost } });
    await data.db.collection<{ _id: string }>(`records_${String(definition.id)}`).deleteOne({ _id: lost });
    const dangling = (await world.get(`tasks/${id}?expand=${expand.join(',')}`, world.ada)).body;
    assert.deepEqual(besideOf(dangling), { ...besideOf(hidden), reviewers: besideOf(dangling).reviewers });
    assert.deepEqual(namesOf(besideOf(dangling).reviewers), ['ann']);
  });

  it('are without the fields that are hidden in them, for each caller', async () => {
    const { ann, bob } = made;
    const salariesOf = async (by = world.ada): Promise<unknown> => {
      const beside = besideOf(await shown({ reviewers: [ann, bob] }, ['reviewers'], by));
      return (beside.reviewers as Json[]).map(({ salary }) => salary);
    };
    assert.deepEqual(await salariesOf(), [5, undefined]);
    assert.deepEqual(await salariesOf(world.eve), [undefined, undefined]);
    assert.deepEqual(await salariesOf(world.admin), [5, 6]);
  });

  it('are not followed from a reference that is hidden, in this record or in all of them', async () => {
    const { bob, open } = made;
    const body = { guide: bob, spy: bob, shown: world.ada.id, project: open };
    const expand = ['guide.boss', 'spy.boss', 'project.sponsor'];
    const besideFor = async (by: ExpandWorld['ada']): Promise<unknown[]> => {
      const { guide, spy, project } = besideOf(await shown(body, expand, by));
      return [guide, spy, besideOf(project as Json).sponsor].map(namesOf);
    };
    assert.deepEqual(await besideFor(world.ada), ['bob', null, null]);
    assert.deepEqual(await besideFor(world.eve), [null, null, null]);
    assert.deepEqual(await besideFor(world.admin), ['bob', 'bob', 'boss']);
    // To them the field is none, whatever it would lead to.
    const vain = await world.get('tasks?expand=spy.nothing', world.ada);
    assert.equal(vain.status, 200, vain.text);
    assert.equal((await world.get('tasks?expand=spy.nothing', world.admin)).status, 400);
  });

  it('are by rules that follow references in turn', async () => {
    const { define } = world.asking;
    const text = { type: 'string' };
    await define('clubs', {
      schema: { properties: { members: { type: 'array', items: text } } },
      rules: { read: [] },
    });
    await define('notes', {
      schema: { properties: { name: text, club: text } },
      fields: { club: { reference: { collection: 'clubs' } } },
      rules: { read: [{ club: { $follow: { members: { $auth: 'sub' } } } }] },
    });
    await define('pins', {
      schema: { properties: { notes: { type: 'array', items: text } } },
      fields: { notes: { reference: { collection: 'notes' } } },
      rules: { read: 'public' },
    });
    const club = await world.create('clubs', { members: [world.ada.id] });
    const other = await world.create('clubs', { members: [world.eve.id] });
    const notes = [
      await world.create('notes', { name: 'ours', club }),
      await world.create('notes', { name: 'theirs', club: other }),
    ];
    const pin = await world.create('pins', { notes });
    for (const path of [`pins/${pin}`, 'pins']) {
      const notesFor = async (by?: ExpandWorld['ada']): Promise<unknown> => {
        const { body } = await world.get(`${path}?expand=notes`, by);
        const [record = body] = (body.items as readonly Json[] | undefined) ?? [];
        return namesOf(besideOf(record).notes);
      };
      assert.deepEqual(await notesFor(world.ada), ['ours']);
      assert.deepEqual(await notesFor(world.eve), ['theirs']);
      assert.deepEqual(await notesFor(), []);
      assert.deepEqual(await notesFor(world.admin), ['ours', 'theirs']);
    }
  });

  it('are null, whatever is asked for behind them, where one sees no record of their collection', async () => {
    const { define } = world.asking;
    const properties = { name: { type: 'string' }, at: { type: 'string' } };
    await define('vaults', { schema: { properties }, rules: { read: 'signed-in' } });
    const fields = { at: { reference: { collection: 'vaults' } } };
    await define('doors', { schema: { properties }, fields, rules: { read: 'public' } });
    await world.create('doors', { at: await world.create('vaults', { name: 'gold' }) });
    for (const path of ['doors?expand=at', 'doors?expand=at.owner']) {
      const [door] = await world.items(path);
      assert.deepEqual(besideOf(door), { at: null }, path);
    }
    assert.equal(namesOf(besideOf((await world.items('doors?expand=at', world.eve))[0]).at), 'gold');
    assert.equal((await world.get('doors?expand=at.owner', world.eve)).status, 400);
  });

  it('are there whether or not their fields are named, page by page', async () => {
    const { ann, open } = made;
    for (const n of [101, 102, 103]) await world.create('tasks', { n, title: 'paged', project: open, shown: ann });
    const query = { filter: { title: 'paged' }, sort: ['n'], fields: ['n'], expand: ['project.owner'], limit: 2 };
    const all = await world.asking.all('tasks', query, world.ada);
    assert.deepEqual(
      all.map((task) => Object.keys(task)),
      all.map(() => ['id', 'n', '_expand']),
    );
    const owners = all.map((task) => namesOf(besideOf(besideOf(task).project as Json).owner));
    assert.deepEqual(owners, ['ann', 'ann', 'ann']);
    const page = pageOf(await world.asking.query('tasks', query, world.ada));
    const { expand: _expand, ...plain } = query;
    for (const other of [plain, { ...query, expand: ['project'] }]) {
      const answer = await world.asking.query('tasks', { ...other, cursor: page.nextCursor }, world.ada);
      assert.equal(answer.status, 400, 'a cursor is good for one query');
    }
  });
});
