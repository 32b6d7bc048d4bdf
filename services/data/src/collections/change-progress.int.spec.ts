import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { MongoClient } from 'mongodb';
import type { CollectionInfo } from 'mongodb';

import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';
import type { Definition, DefinitionChange, DefinitionDocument } from './collection.model.ts';
import { changesCollection, definitionsCollection } from './collection.model.ts';
import { wantedBy } from './follow-change.ts';

describe('a change of a definition', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let ada: Person;
  let client: MongoClient;

  before(async () => {
    data = await openTestData();
    [replica, other] = [await data.replica(), await data.replica()];
    admin = await data.person({ roles: ['admin'] });
    ada = await data.person();
    client = await MongoClient.connect(process.env.MONGODB_URL ?? '');
  });

  after(async () => {
    await client.close();
    await data.stop();
  });

  const open = { schema: { additionalProperties: true }, rules: { read: 'public' } };
  const strict = { ...open, schema: { properties: { a: { type: 'number' }, to: { type: 'string' } } } };
  const put = (
    name: string,
    body: unknown,
    { at = replica, ...more }: { at?: TestReplica; headers?: Record<string, string>; query?: string } = {},
  ): Promise<Answered> =>
    at.call(`PUT /v1/collections/${name}${more.query ?? ''}`, { body, token: admin.token, ...more });
  const atOnce = { headers: { prefer: 'respond-async' } };
  const get = (name: string, headers: Record<string, string> = {}) =>
    replica.call(`GET /v1/collections/${name}`, { token: admin.token, headers });
  const defined = async (definition: object): Promise<{ name: string; id: string }> => {
    const name = `c${randomUUID().slice(0, 8)}`;
    const answer = await put(name, definition);
    assert.equal(answer.status, 201, answer.text);
    return { name, id: String(answer.body.id) };
  };
  const create = async (name: string, ...rows: object[]): Promise<string[]> => {
    const ids: string[] = [];
    for (const body of rows) {
      const answer = await replica.call(`POST /v1/data/${name}`, { body, token: admin.token });
      assert.equal(answer.status, 201, answer.text);
      ids.push(String(answer.body.id));
    }
    return ids;
  };
  const changes = () => data.db.collection<DefinitionChange>(changesCollection);
  const code = ({ status, body }: Answered): string => `${status} ${String(body.code)}`;
  interface Told {
    readonly since: string;
    readonly step: string;
    readonly checked?: number;
    readonly of?: number;
  }
  const changeOf = ({ body }: Answered): Told | undefined => (body as { readonly change?: Told }).change;
  const lastOf = async (name: string) =>
    (await get(name)).body.lastChange as { outcome: string; examples?: { id: string }[] } | undefined;
  const until = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
    const bound = performance.now() + 60_000;
    while (performance.now() < bound) {
      const found = await look();
      if (found !== undefined) return found;
      await delay(20);
    }
    return assert.fail(`${what} did not come`);
  };

  /** Keeps MongoDB from changing a collection's validator and indexes: it waits for the transactions that know it. */
  const hold = async (id: string): Promise<() => Promise<void>> => {
    const session = client.startSession();
    session.startTransaction();
    const rows = client.db(data.db.databaseName).collection(`records_${id}`);
    await rows.findOne({}, { session });
    return async () => {
      await session.abortTransaction();
      await session.endSession();
    };
  };

  it('goes on where nobody waits, is told with its progress, joined by who sends the same, and made once', async () => {
    const { name, id } = await defined(open);
    await create(name, { a: 1 }, { a: 2 });
    const before = (await get(name)).headers.get('etag') ?? '';
    const release = await hold(id);
    const begun = await put(name, strict, atOnce);
    assert.deepEqual([begun.status, begun.headers.get('location')], [202, `/v1/collections/${name}`], begun.text);
    assert.equal(begun.body.revision, 1, 'it is as it was');
    const since = changeOf(begun)?.since ?? assert.fail(begun.text);
    const told = await get(name, { 'if-none-match': before });
    assert.deepEqual([told.status, changeOf(told)?.since], [200, since], told.text);
    const again = await put(name, strict, { at: other, ...atOnce });
    assert.deepEqual([again.status, changeOf(again)?.since], [202, since], again.text);
    assert.equal(code(await put(name, { ...strict, scans: 'allow' }, { at: other })), '409 definition-busy');
    const list = await other.call('GET /v1/collections', { token: admin.token });
    const { items } = list.body as unknown as { items: { name: string; change?: { since: string } }[] };
    assert.equal(items.find((each) => each.name === name)?.change?.since, since);
    const joined = put(name, strict, { at: other });
    await release();
    const answer = await joined;
    assert.deepEqual([answer.status, answer.body.revision], [200, 2], answer.text);
    const eventId = answer.headers.get('causeway-event');
    const published = await data.published();
    const ofIt = await published.waitFor(({ subject }) => subject === `collection/${id}`, 2);
    assert.deepEqual(
      ofIt.slice(1).map((event) => event.id),
      [eventId],
    );
    const after = await get(name);
    assert.equal(after.body.change, undefined);
    assert.equal((await lastOf(name))?.outcome, 'applied');
    assert.equal((await get(name, { 'if-none-match': after.headers.get('etag') ?? '' })).status, 304);
  });

  it('that records break is told as refused to who has joined it, and to who looks', async () => {
    const { name, id } = await defined(open);
    const [, broken] = await create(name, { a: 1 }, { a: 'one' });
    const etag = (await get(name)).headers.get('etag') ?? '';
    const release = await hold(id);
    assert.equal((await put(name, strict, atOnce)).status, 202);
    const joined = put(name, strict, { at: other });
    await release();
    const refused = await joined;
    assert.equal(code(refused), '409 definition-conflict');
    const examples = (refused.body as unknown as { examples: { id: string }[] }).examples.map((each) => each.id);
    assert.deepEqual(examples, [broken]);
    const last = await until('the end', () => lastOf(name));
    assert.deepEqual([last.outcome, last.examples?.map((each) => each.id)], ['refused', [broken]]);
    assert.equal((await get(name, { 'if-none-match': etag })).status, 200, 'no revision tells it');
  });

  it('whose process is gone is told as abandoned, and is made by who had joined it', async () => {
    const { name, id } = await defined(open);
    const found = await data.db.collection<DefinitionDocument>(definitionsCollection).findOne({ _id: id });
    const wanted: Definition = { ...(found?.definition ?? assert.fail()), schema: strict.schema };
    const leave = (ms: number) =>
      changes().updateOne(
        { _id: id },
        {
          $inc: { def: 1 },
          $set: {
            owner: 'gone',
            until: new Date(Date.now() + ms),
            progress: { wanted: wantedBy(wanted), since: new Date(), step: 'records', checked: 5_000, of: 9_000 },
          },
        },
      );
    await leave(60_000);
    const told = changeOf(await get(name));
    assert.deepEqual([told?.step, told?.checked, told?.of], ['records', 5_000, 9_000]);
    await leave(-1);
    assert.equal((await lastOf(name))?.outcome, 'abandoned');
    assert.equal((await get(name)).body.change, undefined);
    await leave(1_500);
    const joined = await put(name, strict);
    assert.deepEqual([joined.status, joined.body.revision], [200, 2], joined.text);
  });

  it('is answered as it is where it is done soon, whatever is preferred', async () => {
    const { name } = await defined(open);
    for (const prefer of ['wait=20', 'respond-async, wait=20', 'wait=soon', 'return=minimal']) {
      const { status, body } = await put(
        name,
        { ...open, scans: prefer === 'wait=20' ? 'allow' : 'refuse' },
        { headers: { prefer } },
      );
      assert.deepEqual([status, body.change], [200, undefined]);
    }
    assert.equal((await put(`c${randomUUID().slice(0, 8)}`, open, atOnce)).status, 201);
  });

  describe('that is tried', () => {
    /** All that a change could have touched. */
    const stateOf = async (id: string) => ({
      // What waits to be published goes on its own.
      definition: await data.db
        .collection<DefinitionDocument>(definitionsCollection)
        .findOne({ _id: id }, { projection: { outbox: 0 } }),
      change: await changes().findOne({ _id: id }),
      indexes: (await data.db.collection(`records_${id}`).indexes()).map((each) => each.name).sort(),
      validator: (await data.db.listCollections<CollectionInfo>({ name: `records_${id}` }).toArray()).map(
        ({ options }) => options?.validator as unknown,
      ),
      targets: await changes()
        .find({ refs: { $exists: true } })
        .toArray(),
    });
    const tried = { query: '?dryRun=true' };

    it('says all that is in the way, and changes nothing', async () => {
      const target = await defined(open);
      const [there] = await create(target.name, { n: 1 });
      const { name, id } = await defined({ ...open, indexes: [{ keys: { b: 1 } }, { keys: { c: -1 } }] });
      const rows = Array.from({ length: 7 }, (_, n) => ({
        a: n < 6 ? `no number ${n}` : 6,
        to: n === 0 ? there : 'rec_gone',
      }));
      const ids = await create(name, ...rows, { a: 1, b: [1], c: [1] }, { a: 6 });
      const before = await stateOf(id);
      const wanted = {
        ...open,
        schema: {
          additionalProperties: true,
          properties: { a: { type: 'number' }, to: { type: 'string' } },
        },
        indexes: [{ keys: { c: -1 } }, { keys: { a: 1 }, unique: true }, { keys: { b: 1, c: 1 } }],
        fields: { to: { reference: { collection: target.name } } },
        rules: { read: [{ owner: { $auth: 'sub' } }] },
      };
      const answer = await put(name, wanted, tried);
      assert.equal(answer.status, 200, answer.text);
      const { dryRun, isNew, wouldChange, records, complete, conflicts, indexes, warnings } =
        answer.body as unknown as {
          readonly [name: string]: unknown;
          readonly conflicts: { pointer: string; count: number; examples: { id?: string; ids?: string[] }[] }[];
          readonly indexes: { built: { keys: object }[]; dropped: { keys: object }[] };
          readonly warnings: { code: string }[];
        };
      assert.deepEqual([dryRun, isNew, wouldChange, records, complete], [true, false, true, 9, true]);
      assert.deepEqual(
        conflicts.map(({ pointer, count, examples }) => [pointer, count, examples.length]),
        [
          ['/schema', 6, 5],
          ['/indexes/1', 1, 1],
          ['/indexes/2', 1, 1],
          ['/fields/to/reference', 6, 5],
        ],
      );
      assert.deepEqual(
        conflicts[0]?.examples.map((each) => each.id),
        ids.slice(0, 5),
      );
      assert.deepEqual(
        conflicts[1]?.examples.map((each) => each.ids?.toSorted()),
        [[ids[6], ids[8]].sort()],
      );
      assert.deepEqual(conflicts[2]?.examples, [{ id: ids[7] }]);
      assert.deepEqual(indexes, {
        built: [{ keys: { a: 1 }, unique: true }, { keys: { b: 1, c: 1 } }, { keys: { to: 1 } }],
        dropped: [{ keys: { b: 1 } }],
      });
      assert.deepEqual(
        warnings.map((each) => each.code),
        ['rule-needs-index'],
      );
      assert.deepEqual(await stateOf(id), before);
      assert.equal(code(await put(name, wanted)), '409 definition-conflict', 'and so it is');
    });

    it('says of one that is taken what the change then does', async () => {
      const { name, id } = await defined({ ...open, indexes: [{ keys: { b: 1 } }] });
      await create(name, { a: 1 });
      const before = await stateOf(id);
      const wanted = { ...strict, indexes: [{ keys: { a: 1 } }] };
      const answer = await put(name, wanted, tried);
      assert.deepEqual([answer.body.conflicts, answer.body.complete], [[], true]);
      assert.deepEqual(await stateOf(id), before);
      assert.equal((await put(name, wanted)).body.revision, 2);
      const again = await put(name, wanted, tried);
      assert.deepEqual([again.body.wouldChange, again.body.indexes], [false, { built: [], dropped: [] }]);
      const fresh = `c${randomUUID().slice(0, 8)}`;
      const made = await put(fresh, wanted, tried);
      assert.deepEqual([made.status, made.body.isNew], [200, true]);
      assert.equal((await get(fresh)).status, 404);
    });

    it('says of arrays what an index says of them', async () => {
      const { name } = await defined(open);
      const point = { type: 'Point', coordinates: [1, 2] };
      await create(
        name,
        { words: ['a'], more: ['b'], codes: [], items: [{ at: point }], tags: ['x', 'y'] },
        { codes: ['c'] },
        {},
      );
      const asked = [
        { keys: { words: 'text', more: 'text' } },
        { keys: { 'items.at': '2dsphere', tags: 1 } },
        { keys: { codes: 1 }, unique: true },
      ];
      const wanted = { ...open, indexes: asked };
      const first = await put(name, wanted, tried);
      assert.deepEqual([first.status, first.body.complete, first.body.conflicts], [200, true, []], first.text);
      assert.equal((await put(name, wanted)).status, 200, 'and so it is');
      const other = await defined(open);
      const twice = await create(other.name, { codes: [] }, { codes: ['c'] }, { codes: [] });
      const unique = { ...open, indexes: [{ keys: { codes: 1 }, unique: true }] };
      const second = await put(other.name, unique, tried);
      const [found] = second.body.conflicts as unknown as { count: number; examples: { ids: string[] }[] }[];
      assert.deepEqual(found?.examples[0]?.ids.toSorted(), [twice[0] ?? '', twice[2] ?? ''].sort());
      assert.equal(code(await put(other.name, unique)), '409 definition-conflict', 'and so it is');
    });

    it('says which records would be deleted, for their time is over', async () => {
      const { name } = await defined(open);
      const over = Array.from({ length: 6 }, () => ({ until: '2020-01-01T00:00:00Z' }));
      const ids = await create(name, ...over, { until: '2999-01-01T00:00:00Z' }, { until: null }, {});
      const until = { type: ['string', 'null'], format: 'date-time' };
      const wanted = {
        ...open,
        schema: { additionalProperties: true, properties: { until } },
        expiry: { field: 'until' },
      };
      const answer = await put(name, wanted, tried);
      assert.deepEqual([answer.status, answer.body.complete, answer.body.conflicts], [200, true, []], answer.text);
      const expired = answer.body.expired as unknown as { count: number; examples: { id: string }[] };
      assert.equal(expired.count, 6);
      assert.deepEqual(
        expired.examples.map((each) => each.id),
        ids.slice(0, 5),
      );
      assert.equal((await put(name, open, tried)).body.expired, undefined);
    });

    it('is refused as the change would be, and to whom it would be', async () => {
      const { name } = await defined(open);
      const wrong = await put(name, { schema: { type: 'text' } }, tried);
      assert.equal(code(wrong), '400 invalid-request');
      assert.equal(code(await put(name, open, { query: '?dryRun=yes' })), '400 invalid-request');
      assert.equal(code(await put(name, open, { query: '?dry=true' })), '400 invalid-request');
      assert.equal(
        code(await put(name, open, { ...tried, headers: { 'if-match': '"7"' } })),
        '412 precondition-failed',
      );
      const unknown = { ...strict, fields: { to: { reference: { collection: 'nowhere' } } } };
      assert.equal(code(await put(name, unknown, tried)), '400 invalid-request');
      const call = `PUT /v1/collections/${name}?dryRun=true`;
      assert.equal((await replica.call(call, { body: open, token: ada.token })).status, 403);
      assert.equal((await replica.call(call, { body: open })).status, 401);
    });
  });
});
