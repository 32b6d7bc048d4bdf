import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { createHeldStream } from '../testing/held-stream.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

describe('reads of a record', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let records: string;

  before(async () => {
    data = await openTestData();
    await data.db.command({ profile: 2 });
    [replica, other] = [await data.replica(), await data.replica()];
    admin = await data.person({ roles: ['admin'] });
    const definition = { schema: { properties: { n: { type: 'number' } } }, rules: { read: [{ n: { $gte: 0 } }] } };
    const { body } = await replica.call('PUT /v1/collections/notes', { body: definition, token: admin.token });
    records = `records_${String(body.id)}`;
  });

  after(() => data.stop());

  const write = async (n: number): Promise<{ path: string; id: string; position: string }> => {
    const made = await replica.call('POST /v1/data/notes', { body: { n }, token: admin.token });
    const id = String(made.body.id);
    return { id, path: `/v1/data/notes/${id}`, position: made.headers.get('causeway-position') ?? '' };
  };
  const read = (path: string, position: string | undefined, at = replica): Promise<Answered> =>
    at.call(`GET ${path}`, position === undefined ? {} : { headers: { 'causeway-after': position } });
  /** Reads until the replica's commit stream has reached the position, so that its cache may answer. */
  const warm = async (path: string, position: string, at = replica): Promise<void> => {
    const isLater = (answered: string): boolean => {
      const [[t = 0, i = 0], [ot = 0, oi = 0]] = [answered, position].map((each) => each.split('.').map(Number)) as [
        number[],
        number[],
      ];
      return t > ot || (t === ot && i >= oi);
    };
    const deadline = performance.now() + 40_000;
    for (;;) {
      // An answer of the cache has the stream's position; two in a row show that the value is there.
      const { headers } = await read(path, position, at);
      await read(path, position, at);
      if (isLater(headers.get('causeway-position') ?? '0.0') && (await isCached(path, position, at))) return;
      assert.ok(performance.now() < deadline, 'the cache was not filled in 40 s');
    }
  };
  /** Changes the stored record behind the service's back, where no commit stream tells of it. */
  const tamper = async (id: string, n: number): Promise<void> => {
    const native = data.db.collection<{ _id: string }>(records);
    await native.updateOne({ _id: id }, { $set: { 'fields.n': n } }, { bypassDocumentValidation: true });
  };
  /** MongoDB's own word for it, from its profiler: the last time that it was asked for the record. */
  const lastAsked = async (id: string): Promise<string> => {
    const asked = { ns: `${data.db.databaseName}.${records}`, 'command.filter._id': id };
    const entries = data.db.collection('system.profile').find(asked, { projection: { ts: 1 } });
    const [last] = await entries.sort({ $natural: -1 }).limit(1).toArray();
    assert.ok(last, 'MongoDB was asked at least once');
    return String((last.ts as Date).getTime());
  };
  const isCached = async (path: string, position: string, at: TestReplica): Promise<boolean> => {
    const id = path.split('/').at(-1) ?? '';
    // Two questions are never asked in one millisecond: there is an answer between them.
    const before = await lastAsked(id);
    await read(path, position, at);
    return (await lastAsked(id)) === before;
  };

  it('that hit touch no MongoDB', async () => {
    const { id, path, position } = await write(1);
    await warm(path, position);
    await tamper(id, 2);
    assert.equal((await read(path, position)).body.n, 1);
    // Who does not say what it has seen is answered by MongoDB.
    assert.equal((await read(path, undefined)).body.n, 2);
  });

  it('are never older than what the caller has seen, at whichever replica', async () => {
    const { id, path, position } = await write(0);
    await warm(path, position);
    await warm(path, position, other);
    for (let n = 1; n <= 30; n += 1) {
      const [writer, reader] = n % 2 === 0 ? [replica, other] : [other, replica];
      const written = await writer.call(`PATCH ${path}`, {
        body: { n },
        type: 'application/merge-patch+json',
        token: admin.token,
      });
      assert.equal(written.status, 200, written.text);
      const seen = written.headers.get('causeway-position') ?? '';
      const found = await read(path, seen, reader);
      assert.equal(found.body.n, n, `${id} at ${seen}`);
      assert.equal(found.headers.get('etag'), `"${n + 1}"`);
    }
  });

  it('are what the caller has written, also where the replica that holds them has yet to hear of it', async () => {
    const late = createHeldStream();
    const behind = await data.replica({}, late);
    const { path, position } = await write(0);
    await warm(path, position, behind);
    late.hold();
    const body = { n: 1 };
    const type = 'application/merge-patch+json';
    const written = await replica.call(`PATCH ${path}`, { body, type, token: admin.token });
    assert.equal(written.status, 200, written.text);
    assert.equal((await read(path, written.headers.get('causeway-position') ?? '', behind)).body.n, 1);
    late.release();
    await behind.stop();
  });

  it('are judged by the rule, cached or not', async () => {
    const { path, position } = await write(5);
    await warm(path, position);
    const hidden = await replica.call(`PATCH ${path}`, {
      body: { n: -1 },
      type: 'application/merge-patch+json',
      token: admin.token,
    });
    const seen = hidden.headers.get('causeway-position') ?? '';
    for (let times = 0; times < 20; times += 1) {
      const answer = await replica.call(`GET ${path}`, { headers: { 'causeway-after': seen } });
      assert.equal(answer.status, 404);
    }
  });

  it('are judged by the rule that MongoDB has, where this replica has not heard of it', async () => {
    const definition = { schema: { properties: { n: { type: 'number' } } }, rules: { read: 'public' } };
    const define = async (rules: object): Promise<string> => {
      const body = { ...definition, rules };
      const defined = await replica.call('PUT /v1/collections/diaries', { body, token: admin.token });
      assert.ok(defined.status < 300, defined.text);
      return defined.headers.get('causeway-position') ?? '';
    };
    await define(definition.rules);
    const made = await replica.call('POST /v1/data/diaries', { body: { n: 1 }, token: admin.token });
    const path = `/v1/data/diaries/${String(made.body.id)}`;
    const held = createHeldStream();
    const late = await data.replica({}, held);
    assert.equal((await late.call(`GET ${path}`)).status, 200);
    held.hold();
    const after = await define({ read: [{ n: { $gt: 5 } }] });
    const headers = { 'causeway-after': after };
    assert.equal((await late.call(`GET ${path}`, { headers })).status, 404);
    await define(definition.rules);
    // It knows that rule by now, and no other by itself.
    assert.equal(
      (await late.call(`GET ${path}`, { headers: { 'causeway-after': await define(definition.rules) } })).status,
      200,
    );
    const again = { 'causeway-after': await define({ read: [{ n: { $gt: 5 } }] }) };
    const listed = await late.call('GET /v1/data/diaries', { headers: again });
    assert.deepEqual(listed.body.items, []);
    await define(definition.rules);
    // Nobody says what they have seen: then it is the age of what the replica knows that counts.
    const deadline = performance.now() + 40_000;
    while ((await late.call(`GET ${path}`)).status !== 200)
      assert.ok(performance.now() < deadline, 'still the old rule');
    held.release();
    await late.stop();
  });

  it('find nothing once a record is deleted', async () => {
    const { path, position } = await write(7);
    await warm(path, position);
    const gone = await other.call(`DELETE ${path}`, { token: admin.token });
    assert.equal(gone.status, 204, gone.text);
    const seen = gone.headers.get('causeway-position') ?? '';
    for (let times = 0; times < 20; times += 1) assert.equal((await read(path, seen)).status, 404);
  });

  it('go on where a position is none of this database’s', async () => {
    const { path } = await write(1);
    for (const position of ['1.1', '4294967295.4294967295']) {
      assert.equal((await read(path, position)).status, 200);
      assert.equal((await read(`/v1/data/notes/${randomUUID()}`, position)).status, 404);
    }
  });
});
