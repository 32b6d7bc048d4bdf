import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { parseAfter } from '@causeway/events';

import { createHeldStream } from '../testing/held-stream.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';
import type { ExpandWorld, Json } from './testing/expand-world.ts';
import { besideOf, namesOf, openExpandWorld, people } from './testing/expand-world.ts';

const positionOf = ({ headers }: Answered): string => headers.get('causeway-position') ?? assert.fail('no position');
const tagOf = ({ headers }: Answered): string => headers.get('etag') ?? assert.fail('no tag');
/** Of a record, or of the only one of a page. */
const recordOf = ({ body }: Answered): Json => ((body.items as unknown as Json[] | undefined) ?? [body])[0] ?? {};

describe('answers with what records refer to, and caches', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let world: ExpandWorld;

  before(async () => {
    data = await openTestData();
    [replica, other] = [await data.replica(), await data.replica()];
    world = await openExpandWorld(data, replica);
  });
  after(() => data.stop());

  /** A task of a project of somebody, and the ways to read it. */
  const make = async (): Promise<{ owner: string; project: string; task: string; paths: readonly string[] }> => {
    const { create } = world;
    const owner = await create('people', { name: 'old', salary: 5, who: world.ada.id });
    const project = await create('projects', { name: 'p', open: true, owner });
    const title = `t${Math.random()}`;
    const task = await create('tasks', { title, project });
    const list = new URLSearchParams({ filter: JSON.stringify({ title }), expand: 'project.owner' }).toString();
    return { owner, project, task, paths: [`tasks/${task}?expand=project.owner`, `tasks?${list}`] };
  };
  const ownerIn = (answer: Answered): Json => {
    assert.equal(answer.status, 200, answer.text);
    return besideOf(besideOf(recordOf(answer)).project as Json).owner as Json;
  };
  const at = (path: string, position: string, by?: Person, from = replica): Promise<Answered> =>
    world.get(path, by, { 'causeway-after': position }, from);

  it('show what any of the collections has been changed to, at whichever replica', async () => {
    const { owner, project, paths } = await make();
    const second = await world.create('people', { name: 'second' });
    for (let times = 0; times < 12; times += 1) {
      const wanted = times % 3 === 2 ? 'second' : `n${times}`;
      const written =
        times % 3 === 2
          ? await world.patch('projects', project, { owner: second })
          : await world.patch('people', owner, { name: wanted });
      for (const path of paths) {
        for (const from of [replica, other, replica]) {
          const answer = await at(path, positionOf(written), world.ada, from);
          assert.equal(namesOf(ownerIn(answer)), wanted, path);
        }
      }
      if (times % 3 === 2) await world.patch('projects', project, { owner });
    }
  });

  /** Asks until the answer is one that was kept: MongoDB has another one since, behind the service's back. @returns the position */
  const untilKept = async (page: string, owner: string): Promise<string> => {
    const { token } = world.admin;
    const { body: definition } = await replica.call('GET /v1/collections/people', { token });
    const native = data.db.collection<{ _id: string }>(`records_${String(definition.id)}`);
    const position = positionOf(await world.get(page, world.ada));
    const deadline = performance.now() + 60_000;
    for (let n = 0; performance.now() < deadline; n += 1) {
      await at(page, position, world.ada);
      const change = { $set: { 'fields.name': `hidden${n}` } };
      await native.updateOne({ _id: owner }, change, { bypassDocumentValidation: true });
      if (namesOf(ownerIn(await at(page, position, world.ada))) !== `hidden${n}`) return position;
    }
    assert.fail('nothing was kept in 60 s');
  };

  it('are kept for as long as none of them changes', async () => {
    const { owner, paths } = await make();
    const [, page = ''] = paths;
    await untilKept(page, owner);
    // Who says nothing of what it has seen is answered from MongoDB.
    assert.match(String(namesOf(ownerIn(await world.get(page, world.ada)))), /^hidden/);
  });

  it('are not what another has been shown', async () => {
    const { owner, paths } = await make();
    const [, page = ''] = paths;
    const position = await untilKept(page, owner);
    const salaries: unknown[] = [];
    for (const by of [world.ada, world.eve, undefined]) {
      salaries.push(ownerIn(await at(page, position, by)).salary);
    }
    assert.deepEqual(salaries, [5, undefined, undefined]);
  });

  it('are found anew where rules follow references in turn', async () => {
    const { define } = world.asking;
    const text = { type: 'string' };
    await define('clubs', { schema: { properties: { chair: text } }, rules: { read: [] } });
    await define('notes', {
      schema: { properties: { club: text } },
      fields: { club: { reference: { collection: 'clubs' } } },
      rules: { read: [{ club: { $follow: { chair: { $auth: 'sub' } } } }] },
    });
    await define('pins', {
      schema: { properties: { note: text } },
      fields: { note: { reference: { collection: 'notes' } } },
      rules: { read: 'public' },
    });
    const club = await world.create('clubs', { chair: world.ada.id });
    await world.create('pins', { note: await world.create('notes', { club }) });
    for (let times = 0; times < 24; times += 1) {
      const chair = times % 2 === 0 ? world.ada : world.eve;
      const position = positionOf(await world.patch('clubs', club, { chair: chair.id }));
      for (const from of [replica, other, replica]) {
        const { note } = besideOf(recordOf(await at('pins?expand=note', position, world.ada, from)));
        assert.equal(note !== null, times % 2 === 0);
      }
    }
  });

  it('are apart for who sees something else of them, and by the rules of then', async () => {
    const { owner, task, paths } = await make();
    let position = positionOf(await world.patch('people', owner, { name: 'new' }));
    const salaries = async (from = replica): Promise<unknown[]> => {
      const told: unknown[] = [];
      for (const path of paths) {
        for (const by of [world.ada, world.eve, world.admin, undefined]) {
          told.push(ownerIn(await at(path, position, by, from)).salary ?? null);
        }
      }
      return told;
    };
    for (let times = 0; times < 10; times += 1) {
      assert.deepEqual(await salaries(), [5, null, 5, null, 5, null, 5, null]);
    }
    const token = world.admin.token;
    const { fields } = people;
    const define = async (body: object): Promise<void> => {
      const changed = await replica.call('PUT /v1/collections/people', { body: { ...people, ...body }, token });
      assert.equal(changed.status, 200, changed.text);
      position = positionOf(changed);
    };
    await define({ fields: { ...fields, salary: { read: [] } } });
    for (const from of [replica, other]) {
      assert.deepEqual(await salaries(from), [null, null, 5, null, null, null, 5, null]);
    }
    await define({ rules: { ...people.rules, read: [{ name: 'nobody' }] } });
    for (const from of [replica, other]) {
      for (const path of paths) assert.equal(ownerIn(await at(path, position, world.ada, from)), null);
    }
    await define({});
    assert.equal(recordOf(await at(`tasks/${task}`, position))._expand, undefined);
  });

  it('have a tag of all that is shown: none is said to be unchanged where what it refers to is not', async () => {
    const { owner, task, paths } = await make();
    const strong = tagOf(await world.get(`tasks/${task}`, world.ada));
    for (const path of paths) {
      const first = await world.get(path, world.ada);
      assert.match(tagOf(first), /^W\//);
      const again = (tag: string, by = world.ada): Promise<Answered> => world.get(path, by, { 'if-none-match': tag });
      const unchanged = await again(tagOf(first));
      assert.deepEqual([unchanged.status, tagOf(unchanged)], [304, tagOf(first)]);
      assert.ok(positionOf(unchanged));
      assert.equal((await again('W/"1"')).status, 200);
      assert.equal((await again(tagOf(first), world.eve)).status, 200, 'they see something else');
      await world.patch('people', owner, { name: `other${path.length}` });
      const changed = await again(`${strong}, ${tagOf(first)}`);
      assert.equal(changed.status, 200);
      assert.equal(namesOf(ownerIn(changed)), `other${path.length}`);
    }
  });

  it('are public where all of them are, and nobody is named', async () => {
    const { task, paths } = await make();
    const kept = async (path: string, by?: Person): Promise<unknown> =>
      (await world.get(path, by)).headers.get('cache-control');
    for (const path of [`tasks/${task}`, 'tasks', ...paths]) assert.equal(await kept(path), 'private, no-cache');
    const { define } = world.asking;
    const properties = { to: { type: 'string' } };
    await define('ends', { schema: { properties }, rules: { read: 'public' } });
    const fieldsTo = (collection: string) => ({ to: { reference: { collection } } });
    await define('members', { schema: { properties }, rules: { read: 'signed-in' } });
    await define('mids', { schema: { properties }, fields: fieldsTo('ends'), rules: { read: 'public' } });
    await define('starts', { schema: { properties }, fields: fieldsTo('mids'), rules: { read: 'public' } });
    await define('others', { schema: { properties }, fields: fieldsTo('members'), rules: { read: 'public' } });
    for (const [collection, wanted] of [
      ['starts', 'public, no-cache'],
      ['others', 'private, no-cache'],
    ] as const) {
      const id = await world.create(collection, {});
      for (const path of [collection, `${collection}/${id}`]) {
        assert.equal(await kept(path), 'public, no-cache');
        const expand = collection === 'starts' ? 'to.to' : 'to';
        assert.equal(await kept(`${path}?expand=${expand}`), wanted);
        assert.equal(await kept(`${path}?expand=${expand}`, world.eve), 'private, no-cache');
      }
    }
  });

  it('reach as far as the newest that they show', async () => {
    const { owner, paths } = await make();
    const held = createHeldStream();
    const late = await data.replica({}, held);
    let position = positionOf(await world.patch('people', owner, { name: 'before' }));
    for (const path of paths) await at(path, position, world.ada, late);
    held.hold();
    for (const [index, path] of paths.entries()) {
      const written = await world.patch('people', owner, { name: `after${index}` });
      const answer = await at(path, position, world.ada, late);
      const isNew = namesOf(ownerIn(answer)) === `after${index}`;
      // A page may be one that was kept; what a single record refers to is always read.
      assert.ok(isNew || index > 0);
      if (!isNew) continue;
      const wrote = parseAfter(positionOf(written)) ?? assert.fail();
      assert.ok(parseAfter(positionOf(answer))?.greaterThanOrEqual(wrote), path);
      position = positionOf(written);
    }
    held.release();
    await late.stop();
  });
});
