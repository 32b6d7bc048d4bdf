import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const open = { read: 'public', create: 'public', update: 'public', delete: 'public' } as const;
const text = { type: ['string', 'null'] };
const texts = { type: 'array', items: { type: 'string' } };

/** A collection's name, and its fields that refer to others: by name and `onDelete`. */
type References = Readonly<Record<string, readonly [string, 'restrict' | 'cascade' | 'null', object?]>>;

describe('onDelete', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let ada: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    other = await data.replica();
    admin = await data.person({ roles: ['admin', 'member'] });
    ada = await data.person();
  });
  after(() => data.stop());

  const newName = (): string => `c${randomUUID().slice(0, 8)}`;
  const define = async (references: References = {}, { name = newName(), more = {} } = {}): Promise<string> => {
    const entries = Object.entries(references);
    const body = {
      schema: {
        properties: {
          n: { type: 'number' },
          ...Object.fromEntries(entries.map(([field, [, , schema = text]]) => [field, schema])),
        },
      },
      fields: Object.fromEntries(
        entries.map(([field, [collection, onDelete]]) => [field, { reference: { collection, onDelete } }]),
      ),
      rules: open,
      ...more,
    };
    const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.ok(answer.status < 300, answer.text);
    return name;
  };
  const made = async (collection: string, body: object = {}, by = ada): Promise<string> => {
    const answer = await replica.call(`POST /v1/data/${collection}`, { body, token: by.token });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const remove = (collection: string, id: string, to = replica): Promise<Answered> =>
    to.call(`DELETE /v1/data/${collection}/${id}`, { token: ada.token });
  const read = (collection: string, id: string): Promise<Answered> =>
    replica.call(`GET /v1/data/${collection}/${id}`, { token: admin.token });
  const isThere = async (collection: string, id: string): Promise<boolean> =>
    (await read(collection, id)).status === 200;
  const outcome = ({ status, body }: Answered): string => [status, body.code].join(' ').trim();
  const follow = async (...ids: string[]) => {
    const published = await data.published();
    const events = await published.waitFor(
      ({ subject, type }) => ids.some((id) => subject === `record/${id}`) && type !== 'data.record.created',
      ids.length,
    );
    const byId = new Map(events.map((event) => [event.subject.slice('record/'.length), event]));
    return ids.map((id) => byId.get(id) ?? assert.fail(id));
  };

  it('cascade deletes what refers to the record, and what refers to that, in one group of events', async () => {
    const top = await define();
    const middle = await define({ to: [top, 'cascade'] });
    const bottom = await define({ to: [middle, 'cascade'], all: [top, 'cascade', texts] });
    const root = await made(top);
    const child = await made(middle, { to: root });
    const leaf = await made(bottom, { to: child });
    const also = await made(bottom, { all: [root] });
    const stranger = await made(bottom, { to: await made(middle, { to: await made(top) }) });
    const answer = await remove(top, root);
    assert.equal(answer.status, 204, answer.text);
    for (const [collection, id] of [
      [top, root],
      [middle, child],
      [bottom, leaf],
      [bottom, also],
    ] as const) {
      assert.equal(await isThere(collection, id), false);
    }
    assert.ok(await isThere(bottom, stranger));
    const events = await follow(root, child, leaf, also);
    assert.deepEqual([...new Set(events.map(({ type }) => type))], ['data.record.deleted']);
    assert.equal(new Set(events.map(({ batchid }) => batchid)).size, 1);
    assert.deepEqual(events.map(({ batchindex }) => batchindex).sort(), ['0', '1', '2', '3']);
    const [first, ofChild, ofLeaf, ofAlso] = events.map(({ id, data: told }) => {
      const { reason, parentEvent } = told as { reason?: string; parentEvent?: string };
      return { id, reason, parentEvent };
    });
    assert.ok(first && ofChild && ofLeaf && ofAlso);
    assert.equal(first.id, answer.headers.get('causeway-event'));
    assert.deepEqual([first.reason, first.parentEvent], [undefined, undefined]);
    assert.deepEqual([ofChild.reason, ofChild.parentEvent], ['cascade', first.id]);
    assert.deepEqual([ofLeaf.reason, ofLeaf.parentEvent], ['cascade', ofChild.id]);
    assert.deepEqual([ofAlso.reason, ofAlso.parentEvent], ['cascade', first.id]);
  });

  it('null takes the reference out, whoever may change the record', async () => {
    const top = await define();
    const name = await define(
      { one: [top, 'null'], many: [top, 'null', texts] },
      { more: { rules: { ...open, update: undefined } } },
    );
    const [root, second] = [await made(top), await made(top)];
    const id = await made(name, { one: root, many: [second, root], n: 1 });
    assert.equal((await remove(top, root)).status, 204);
    const { body } = await read(name, id);
    assert.deepEqual([body.one, body.many, body.n, body.revision], [null, [second], 1, 2]);
    const [, event] = await follow(root, id);
    assert.equal(event?.type, 'data.record.updated');
    assert.equal((await remove(top, second)).status, 204);
    assert.deepEqual((await read(name, id)).body.many, []);
  });

  it('restrict keeps the record behind what would be deleted with it, and nothing is done', async () => {
    const top = await define();
    const middle = await define({ to: [top, 'cascade'] });
    const keeper = await define({ to: [middle, 'restrict'] });
    const root = await made(top);
    const child = await made(middle, { to: root });
    const keeping = await made(keeper, { to: child });
    const refused = await remove(top, root);
    assert.equal(outcome(refused), '409 still-referenced');
    assert.deepEqual(refused.body.examples, [{ collection: keeper, id: keeping }]);
    assert.ok((await isThere(top, root)) && (await isThere(middle, child)));
    assert.equal((await remove(keeper, keeping)).status, 204);
    assert.equal((await remove(top, root)).status, 204);
    assert.equal(await isThere(middle, child), false);
  });

  it('restrict keeps nothing for what goes itself', async () => {
    const top = await define();
    const both = await define({ one: [top, 'cascade'], two: [top, 'restrict'] });
    const root = await made(top);
    const id = await made(both, { one: root, two: root });
    assert.equal((await remove(top, root)).status, 204);
    assert.equal(await isThere(both, id), false);
  });

  it('cascade comes to an end where records refer to one another', async () => {
    const name = newName();
    await define({ to: [name, 'cascade'] }, { name });
    const first = await made(name);
    const second = await made(name, { to: first });
    const third = await made(name, { to: second });
    const close = { body: { to: third }, type: 'application/merge-patch+json', token: ada.token };
    assert.equal((await replica.call(`PATCH /v1/data/${name}/${first}`, close)).status, 200);
    const own = await made(name);
    const itself = { body: { to: own }, type: 'application/merge-patch+json', token: ada.token };
    assert.equal((await replica.call(`PATCH /v1/data/${name}/${own}`, itself)).status, 200);
    assert.equal((await remove(name, second)).status, 204);
    for (const id of [first, second, third]) assert.equal(await isThere(name, id), false);
    assert.equal((await remove(name, own)).status, 204);
  });

  it('of more than five levels, or a thousand records, is refused, and nothing is done', async () => {
    const name = newName();
    await define({ to: [name, 'cascade'] }, { name });
    const chain: string[] = [];
    for (let at = 0; at < 8; at += 1) chain.push(await made(name, chain.length === 0 ? {} : { to: chain.at(-1) }));
    assert.equal(outcome(await remove(name, chain[0] ?? '')), '409 too-many-dependents');
    assert.equal((await remove(name, chain[2] ?? '')).status, 204, 'five behind it');
    const root = await made(name);
    const lines = Array.from({ length: 1_001 }, (_, n) => JSON.stringify({ to: root, n })).join('\n');
    const imported = await replica.call(`POST /v1/data/${name}`, {
      ...{ body: lines, type: 'application/x-ndjson', token: ada.token },
    });
    assert.equal(imported.body.created, 1_001, imported.text);
    assert.equal(outcome(await remove(name, root)), '409 too-many-dependents');
    assert.ok(await isThere(name, root));
    const list = await replica.call(`GET /v1/data/${name}?limit=1&sort=-n`, { token: ada.token });
    const [last] = list.body.items as unknown as { id: string }[];
    assert.equal((await remove(name, last?.id ?? '')).status, 204);
    assert.equal((await remove(name, root)).status, 204, 'a thousand go');
    assert.equal((await replica.call(`GET /v1/data/${name}?count=true`, { token: ada.token })).body.count, 2);
  });

  it('null keeps the record where it cannot be without the reference', async () => {
    const top = await define();
    const conditional = {
      schema: {
        properties: { to: text, n: { type: 'number' } },
        if: { properties: { n: { const: 1 } }, required: ['n'] },
        then: { properties: { to: { type: 'string' } } },
      },
    };
    const strict = await define({ to: [top, 'null'] }, { more: conditional });
    const unique = await define({ to: [top, 'null'] }, { more: { indexes: [{ keys: { to: 1 }, unique: true }] } });
    const [root, second, third] = [await made(top), await made(top), await made(top)];
    await made(strict, { to: root, n: 1 });
    const refused = await remove(top, root);
    assert.equal(outcome(refused), '409 still-referenced', refused.text);
    await made(unique, { to: second });
    await made(unique, { to: third });
    assert.equal((await remove(top, second)).status, 204);
    assert.equal(outcome(await remove(top, third)), '409 still-referenced');
    assert.ok(await isThere(top, third));
  });

  it('null names the collection that needs the reference to those alone who see the record there', async () => {
    const top = await define();
    const rules = { ...open, read: [{ owner: { $auth: 'sub' } }] };
    const owner = { type: 'string' };
    const schema = { properties: { to: text, owner, n: { type: 'number' } } };
    const unique = { schema, rules, indexes: [{ keys: { to: 1 }, unique: true }] };
    const byIndex = await define({ to: [top, 'null'] }, { more: unique });
    const guarded = {
      schema: {
        properties: { to: text, owner, n: { type: 'number' } },
        if: { properties: { n: { const: 1 } }, required: ['n'] },
        then: { properties: { to: { type: 'string' } } },
      },
      fields: { to: { reference: { collection: top, onDelete: 'null' }, read: [{ owner: { $auth: 'sub' } }] } },
    };
    const bySchema = await define({}, { more: guarded });
    for (const name of [byIndex, bySchema]) {
      const [id, own] = [await made(top), await made(top)];
      if (name === byIndex) await made(name, { to: null, owner: 'nobody' }, admin);
      await made(name, { to: id, owner: 'nobody', n: 1 }, admin);
      await made(name, { to: own, owner: ada.id, n: 1 }, admin);
      const inBatch = (record: string): Promise<Answered> =>
        replica.call('POST /v1/batch', {
          body: { operations: [{ op: 'delete', collection: top, id: record }] },
          token: ada.token,
        });
      for (const [blind, seeing] of [
        [await remove(top, id), await remove(top, own)],
        [await inBatch(id), await inBatch(own)],
      ] as const) {
        assert.deepEqual([outcome(blind), outcome(seeing)], ['409 still-referenced', '409 still-referenced']);
        assert.ok(!blind.text.includes(name), blind.text);
        assert.ok(String(seeing.body.detail).includes(name), seeing.text);
      }
    }
  });

  it('is refused in a definition that has no place for what it leaves', async () => {
    const top = await define();
    for (const [field, schema, onDelete, pointer] of [
      ['to', { type: 'string' }, 'null', '/fields/to/reference/onDelete'],
      ['to', { ...texts, minItems: 1 }, 'null', '/fields/to/reference/onDelete'],
      ['to', text, 'nothing', '/fields/to/reference/onDelete'],
    ] as const) {
      const body = {
        schema: { properties: { [field]: schema } },
        fields: { [field]: { reference: { collection: top, onDelete } } },
      };
      const answer = await replica.call(`PUT /v1/collections/${newName()}`, { body, token: admin.token });
      const { errors = [] } = answer.body as { errors?: { pointer: string }[] };
      assert.deepEqual([answer.status, errors.map((each) => each.pointer)], [400, [pointer]], answer.text);
    }
    const name = await define({ to: [top, 'cascade'] });
    const shown = await replica.call(`GET /v1/collections/${name}`, { token: admin.token });
    assert.deepEqual(shown.body.fields, { to: { reference: { collection: top, onDelete: 'cascade' } } });
  });

  it('holds in a batch, by what the operations before have left', async () => {
    const top = await define();
    const cascading = await define({ to: [top, 'cascade'] });
    const loose = await define({ to: [top, 'null'] });
    const [root, second] = [await made(top), await made(top)];
    const [gone, moved] = [await made(cascading, { to: root }), await made(cascading, { to: root })];
    const loosened = await made(loose, { to: root });
    const operations = [
      { op: 'create', collection: cascading, fields: { to: root }, as: 'new' },
      { op: 'update', collection: cascading, id: moved, merge: { to: second } },
      { op: 'delete', collection: top, id: root },
    ];
    const after = (more: object) =>
      replica.call('POST /v1/batch', { body: { operations: [...operations, more] }, token: ada.token });
    const late = await after({ op: 'update', collection: cascading, id: gone, merge: { n: 1 } });
    assert.deepEqual([outcome(late), late.body.operation], ['404 not-found', 3]);
    assert.ok(await isThere(top, root));
    const answer = await after({ op: 'update', collection: loose, id: loosened, merge: { n: 1 } });
    assert.equal(answer.status, 200, answer.text);
    const results = answer.body.results as unknown as { id: string; revision: number }[];
    assert.deepEqual(
      [await isThere(cascading, gone), await isThere(cascading, results[0]?.id ?? ''), await isThere(cascading, moved)],
      [false, false, true],
    );
    const { body } = await read(loose, loosened);
    assert.deepEqual([body.to, body.n, body.revision, results[3]?.revision], [null, 1, 3, 3]);
    const published = await data.published();
    const events = await published.waitFor(({ batchid }) => batchid === answer.body.batchId, 7);
    assert.deepEqual([...new Set(events.map(({ batchsize }) => batchsize))], ['7']);
    const [ofRoot] = events.filter(({ subject, type }) => subject === `record/${root}` && type.endsWith('deleted'));
    const parents = events.flatMap(({ data: told }) => (told as { parentEvent?: string }).parentEvent ?? []);
    assert.deepEqual(parents, [ofRoot?.id, ofRoot?.id]);
  });

  it('leaves nothing dangling where both ends are deleted at once', async () => {
    const top = await define();
    const name = await define({ to: [top, 'cascade'], also: [top, 'null'] });
    for (let round = 0; round < 10; round += 1) {
      const [root, second] = [await made(top), await made(top)];
      const id = await made(name, { to: root, also: second });
      const answers = await Promise.all([
        remove(top, root),
        remove(top, second, other),
        remove(name, id, other),
        replica.call(`POST /v1/data/${name}`, { body: { to: root }, token: ada.token }),
      ]);
      const [one, two, three, four] = answers.map(({ status }) => status);
      assert.deepEqual([one, two], [204, 204], answers.map((each) => each.text).join());
      assert.ok(three === 204 || three === 404, answers[2].text);
      assert.ok(four === 201 || four === 422, answers[3].text);
    }
    assert.equal((await replica.call(`GET /v1/data/${name}?count=true`, { token: ada.token })).body.count, 0);
  });

  describe('when somebody is erased', () => {
    it('is done for the records that go with them; what others keep stays without their name', async () => {
      const eve = await data.person();
      const going = { more: { onErase: 'delete' } };
      const top = await define({}, going);
      const cascading = await define({ to: [top, 'cascade'] });
      const loose = await define({ to: [top, 'null'] });
      const own = await define({ to: [top, 'restrict'] }, going);
      const keeper = await define({ to: [top, 'restrict'] });
      const [one, two, kept] = [await made(top, {}, eve), await made(top, {}, eve), await made(top, {}, eve)];
      const others = {
        cascading: await made(cascading, { to: one }),
        loose: await made(loose, { to: one }),
        own: await made(own, { to: two }, eve),
        keeper: await made(keeper, { to: kept }),
      };
      await data.erase(eve.id, 'requested');
      await data.erase(eve.id, 'settled');
      const published = await data.published();
      await published.waitFor(({ type, subject }) => type === 'data.removal.completed' && subject.endsWith(eve.id), 1);
      for (const [collection, id] of [
        [top, one],
        [top, two],
        [cascading, others.cascading],
        [own, others.own],
      ] as const) {
        assert.equal(await isThere(collection, id), false);
      }
      assert.equal((await read(loose, others.loose)).body.to, null);
      const { status, body } = await read(top, kept);
      assert.deepEqual([status, body.createdBy], [200, undefined]);
      assert.equal((await read(keeper, others.keeper)).body.to, kept);
    });
  });
});
