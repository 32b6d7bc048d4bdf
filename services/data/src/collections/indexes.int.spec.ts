import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import type { Document } from 'mongodb';

import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const schema = { additionalProperties: true };
const berlin = { type: 'Point', coordinates: [13.4, 52.5] };
const mergeType = 'application/merge-patch+json';
/** Its edges cross, which only MongoDB finds. */
const crossing = {
  type: 'Polygon',
  coordinates: [
    [
      [0, 0],
      [2, 2],
      [2, 0],
      [0, 2],
      [0, 0],
    ],
  ],
};

describe('indexes', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;

  before(async () => {
    data = await openTestData();
    [replica, other] = [await data.replica(), await data.replica()];
    admin = await data.person({ roles: ['admin'] });
  });

  after(() => data.stop());

  const newName = (): string => `c${randomUUID().slice(0, 8)}`;
  const put = (name: string, indexes: unknown): Promise<Answered> =>
    replica.call(`PUT /v1/collections/${name}`, { body: { schema, indexes }, token: admin.token });
  const create = (name: string, body: unknown, at = replica): Promise<Answered> =>
    at.call(`POST /v1/data/${name}`, { body, token: admin.token });
  const outcome = ({ status, body }: Answered): string => {
    const { errors = [] } = body as { errors?: { pointer: string }[] };
    return [status, ...(status < 400 ? [] : [body.code, ...errors.map(({ pointer }) => pointer)])].join(' ');
  };
  const defined = async (...indexes: object[]): Promise<string> => {
    const name = newName();
    const answer = await put(name, indexes);
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(answer.body.indexes, indexes);
    return name;
  };
  const recordsOf = async (name: string) => {
    const { body } = await replica.call(`GET /v1/collections/${name}`, { token: admin.token });
    return data.db.collection(`records_${String(body.id)}`);
  };
  /** What definitions have asked for, as MongoDB lists it. */
  const listed = async (name: string): Promise<Document[]> =>
    (await (await recordsOf(name)).indexes()).filter((each) => String((each as Document).name).startsWith('by_'));

  describe('that are partial', () => {
    const slugs = { keys: { slug: 1 }, unique: true, where: { status: 'published' } };

    it('are unique among what they hold, and let others be', async () => {
      const name = await defined(slugs);
      assert.equal(outcome(await create(name, { slug: 'a', status: 'published' })), '201');
      assert.equal(outcome(await create(name, { slug: 'a', status: 'published' }, other)), '409 duplicate-value /slug');
      const draft = await create(name, { slug: 'a', status: 'draft' });
      assert.equal(outcome(draft), '201');
      assert.equal(outcome(await create(name, { slug: 'a', status: 'draft' })), '201');
      assert.equal(outcome(await create(name, { slug: 'a' })), '201');
      const path = `PATCH /v1/data/${name}/${String(draft.body.id)}`;
      const published = { body: { status: 'published' }, type: mergeType, token: admin.token };
      assert.equal(outcome(await replica.call(path, published)), '409 duplicate-value /slug');
      const [index] = await listed(name);
      assert.deepEqual(index?.partialFilterExpression, { 'fields.status': { $eq: 'published' } });
    });

    it('name the records that break them, and no others', async () => {
      const name = await defined();
      const ids: string[] = [];
      for (const status of ['published', 'draft', 'published', 'draft']) {
        const made = await create(name, { slug: 'a', status, tags: [1], labels: [1] });
        if (status === 'published') ids.push(String(made.body.id));
      }
      const refused = await put(name, [slugs]);
      assert.equal(outcome(refused), '409 definition-conflict');
      const { examples } = refused.body as unknown as { examples: { ids: string[] }[] };
      assert.deepEqual(
        examples.map((each) => each.ids.toSorted()),
        [ids.toSorted()],
      );
      const parallel = await put(name, [{ keys: { tags: 1, labels: 1 }, where: { status: 'published' } }]);
      assert.equal(outcome(parallel), '409 definition-conflict');
      const found = (parallel.body as unknown as { examples: { id: string }[] }).examples.map(({ id }) => id);
      assert.deepEqual(found.toSorted(), ids.toSorted());
      assert.equal(outcome(await put(name, [{ ...slugs, where: { status: 'archived' } }])), '200');
      assert.equal((await listed(name)).length, 1);
    });

    it('have every form that a definition may give them, beside each other', async () => {
      const wheres = [
        { a: 1 },
        { a: { $gt: 1, $lte: 5 } },
        { a: { $in: ['x', 2, true] } },
        { b: { $exists: true } },
        { $or: [{ a: 1 }, { $and: [{ b: 1 }, { $or: [{ c: 1 }, { d: 1 }] }] }] },
        { a: 1, $or: [{ b: 1, c: 1 }, { d: { $gte: 'x' } }] },
        { createdAt: { $gt: '2026-01-01T00:00:00Z' }, createdBy: { $exists: true } },
      ];
      const name = await defined(...wheres.map((where) => ({ keys: { a: 1 }, where })), { keys: { a: 1 } });
      assert.equal((await listed(name)).length, 8);
      for (const fields of [{}, { a: 1 }, { a: [1, 2], b: null }, { a: 'x', d: 'y' }]) {
        assert.equal(outcome(await create(name, fields)), '201');
      }
    });
  });

  describe('of words', () => {
    const words = { keys: { title: 'text', body: 'text' }, weights: { title: 10 } };
    const found = async (name: string, $search: string): Promise<string[]> => {
      const records = await recordsOf(name);
      const matching = records.find({ $text: { $search } }, { projection: { fields: 1 } });
      return (await matching.sort({ score: { $meta: 'textScore' } }).toArray()).map(({ fields }) =>
        String((fields as { title: unknown }).title),
      );
    };

    it('take any record, whatever it says of its language', async () => {
      const name = await defined(words);
      const records: object[] = [
        { title: 'the first', language: 'klingon' },
        { title: 'the second', language: 5 },
        { title: 'the third', about: { language: 'german', _language: 'klingon', deeper: [{ language: ['x'] }] } },
        { title: ['the fourth', 'again'], body: null },
        { title: 4 },
        {},
      ];
      for (const fields of records) assert.equal(outcome(await create(name, fields)), '201', JSON.stringify(fields));
      // By the rules of no language `the` is a word as others are.
      assert.equal((await found(name, 'the')).length, 4);
      assert.deepEqual(await found(name, 'second'), ['the second']);
    });

    it('count a word in one field more than in another', async () => {
      const name = await defined(words);
      await create(name, { title: 'in the body', body: 'causeway' });
      await create(name, { title: 'causeway', body: '' });
      assert.deepEqual(await found(name, 'causeway'), ['causeway', 'in the body']);
    });

    it('take the place of each other', async () => {
      const name = await defined(words);
      await create(name, { title: 'houses', slug: 1 });
      await create(name, { title: 'house', slug: 1 });
      assert.equal((await found(name, 'house')).length, 1);
      const before = await listed(name);
      const stemmed = { keys: { title: 'text' }, language: 'english' };
      // The unique one is refused before the one of words is touched.
      assert.equal(outcome(await put(name, [stemmed, { keys: { slug: 1 }, unique: true }])), '409 definition-conflict');
      assert.deepEqual(await listed(name), before);
      assert.equal(outcome(await put(name, [stemmed])), '200');
      assert.equal((await found(name, 'house')).length, 2);
      assert.equal((await listed(name)).length, 1);
      assert.equal(outcome(await put(name, [])), '200');
      assert.deepEqual(await listed(name), []);
    });
  });

  describe('of places', () => {
    const places = { keys: { at: '2dsphere', kind: 1 } };

    it('take geometries on the globe and nothing else, however a record is written', async () => {
      const name = await defined(places);
      const made = await create(name, { at: berlin, kind: 'city' });
      assert.equal(outcome(made), '201');
      for (const fields of [{}, { at: null }, { kind: ['a', 'b'], at: berlin }]) {
        assert.equal(outcome(await create(name, fields)), '201', JSON.stringify(fields));
      }
      const nowhere = { type: 'Point', coordinates: [13.4, 91] };
      const refused = '422 unindexable /at/coordinates';
      assert.equal(outcome(await create(name, { at: nowhere })), refused);
      assert.equal(outcome(await create(name, { at: [13.4, 52.5] }, other)), '422 unindexable /at');
      const path = `/v1/data/${name}/${String(made.body.id)}`;
      const merge = { body: { at: { coordinates: [200, 0] } }, type: mergeType, token: admin.token };
      assert.equal(outcome(await replica.call(`PATCH ${path}`, merge)), refused);
      assert.equal(outcome(await replica.call(`PUT ${path}`, { body: { at: nowhere }, token: admin.token })), refused);
      const operations = [{ op: 'create', collection: name, fields: { at: nowhere } }];
      const batch = await replica.call('POST /v1/batch', { body: { operations }, token: admin.token });
      assert.equal(outcome(batch), '422 unindexable /operations/0/fields/at/coordinates');
      const lines = [{ at: nowhere }, { at: crossing }, { at: berlin }].map((each) => JSON.stringify(each)).join('\n');
      const options = { body: lines, type: 'application/x-ndjson', token: admin.token };
      const imported = await replica.call(`POST /v1/data/${name}`, options);
      assert.deepEqual([imported.status, imported.body.created, imported.body.failed], [200, 1, 2], imported.text);
      const near = { 'fields.at': { $near: { $geometry: berlin, $maxDistance: 10 } } };
      assert.equal((await (await recordsOf(name)).find(near).toArray()).length, 3);
    });

    it('tell what only MongoDB finds wrong, and nothing of the record', async () => {
      const name = await defined(places);
      for (const answer of [
        await create(name, { at: crossing, secret: 'hush' }),
        await replica.call('POST /v1/batch', {
          body: { operations: [{ op: 'create', collection: name, fields: { at: crossing, secret: 'hush' } }] },
          token: admin.token,
        }),
      ]) {
        assert.equal(outcome(answer), '422 unindexable');
        assert.doesNotMatch(answer.text, /hush|extract/);
      }
    });

    it('refuse a record of more values than they hold', async () => {
      const region = {
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [9, 0],
            [9, 9],
            [0, 0],
          ],
        ],
      };
      const fields = { at: region, kind: Array.from({ length: 60_000 }, (_, n) => n) };
      const name = await defined(places);
      const refused = await create(name, fields);
      assert.equal(outcome(refused), '422 unindexable');
      assert.match(String(refused.body.detail), /fewer values/);
      const open = await defined();
      assert.equal(outcome(await create(open, fields)), '201');
      assert.equal(outcome(await put(open, [places])), '409 definition-conflict');
      assert.deepEqual(await listed(open), []);
    });

    it('name the records that break them', async () => {
      const name = await defined();
      const wrong = await create(name, { at: { type: 'Point', coordinates: [0, 91] } });
      await create(name, { at: berlin });
      await create(name, { at: null });
      const refused = await put(name, [places]);
      assert.equal(outcome(refused), '409 definition-conflict');
      const { examples } = refused.body as unknown as { examples: { id: string; errors: { pointer: string }[] }[] };
      assert.deepEqual(
        examples.map(({ id, errors }) => [id, errors.map(({ pointer }) => pointer)]),
        [[wrong.body.id, ['/at/coordinates']]],
      );
      const twisted = await defined();
      const { id } = (await create(twisted, { at: crossing })).body;
      const untaken = await put(twisted, [places]);
      assert.equal(outcome(untaken), '409 definition-conflict');
      assert.deepEqual((untaken.body as unknown as { examples: unknown }).examples, [{ id }]);
      assert.deepEqual(await listed(twisted), []);
    });
  });

  it('of all kinds are built while others write, and go where a definition leaves them out', async () => {
    const name = await defined();
    const statusOf = (n: number): string => (n % 2 === 0 ? 'a' : 'b');
    const line = (n: number): object => ({ n, slug: `s${n}`, status: statusOf(n), title: `t ${n}`, at: berlin });
    const body = Array.from({ length: 3_000 }, (_, n) => JSON.stringify(line(n))).join('\n');
    await replica.call(`POST /v1/data/${name}`, { body, type: 'application/x-ndjson', token: admin.token });
    let running = true;
    const indexes = [
      { keys: { slug: 1 }, unique: true, where: { status: 'a' } },
      { keys: { title: 'text' } },
      { keys: { at: '2dsphere' } },
      { keys: { n: -1 } },
    ];
    const changing = put(name, indexes).finally(() => {
      running = false;
    });
    const write = async (at: TestReplica, from: number): Promise<string[]> => {
      const outcomes: string[] = [];
      for (let n = from; running || n === from; n += 1) outcomes.push(outcome(await create(name, line(n), at)));
      return outcomes;
    };
    const writers = [replica, other, replica, other].map((at, writer) => write(at, 100_000 * (writer + 1)));
    const outcomes = (await Promise.all(writers)).flat();
    const answer = await changing;
    assert.equal(outcome(answer), '200', answer.text);
    assert.deepEqual([...new Set(outcomes)], ['201']);
    assert.equal((await listed(name)).length, 4);
    assert.equal(outcome(await create(name, line(2))), '409 duplicate-value /slug');
    const records = await recordsOf(name);
    const count = await records.countDocuments({});
    assert.equal(count, 3_000 + outcomes.length);
    const text = { $text: { $search: 't' } };
    assert.equal(await records.countDocuments(text), count);
    assert.equal(outcome(await put(name, [{ keys: { n: -1 } }])), '200');
    assert.deepEqual(
      (await listed(name)).map(({ key }) => key as unknown),
      [{ 'fields.n': -1, _id: -1 }],
    );
  });

  it('are refused with what is wrong about them', async () => {
    const answer = await put(newName(), [
      { keys: { a: 1 }, where: { a: { $ne: 1 } } },
      { keys: { a: 'text', b: '2dsphere' } },
      { keys: { a: 'hashed' } },
    ]);
    const pointers = '/indexes/0/where/a/$ne /indexes/1/keys /indexes/2/keys/a';
    assert.equal(outcome(answer), `400 invalid-request ${pointers}`);
    const twice = await put(newName(), [{ keys: { a: 'text' } }, { keys: { b: 'text' } }]);
    assert.equal(outcome(twice), '400 invalid-request /indexes/1');
  });
});
