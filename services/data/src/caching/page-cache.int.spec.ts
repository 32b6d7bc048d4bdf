import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { parseAfter } from '@causeway/events';
import { Redis } from 'ioredis';

import { createHeldStream } from '../testing/held-stream.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

interface Item {
  readonly id: string;
  readonly revision: number;
  readonly n: number;
}

const merge = 'application/merge-patch+json';

describe('pages that were asked for before', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let redis: Redis;

  before(async () => {
    redis = new Redis(process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set'));
    data = await openTestData();
    [replica, other] = [await data.replica(), await data.replica()];
    admin = await data.person({ roles: ['admin'] });
  });

  after(async () => {
    redis.disconnect();
    await data.stop();
  });

  /** What a flush of Redis does to pages. */
  const forget = async (): Promise<void> => {
    const keys = await redis.keys(`${data.redisPrefix}:pages:*`);
    if (keys.length > 0) await redis.del(keys);
  };

  const define = async (name: string, rules: object): Promise<string> => {
    const properties = { n: { type: 'number' }, owner: { type: 'string' } };
    const body = { schema: { properties }, indexes: [{ keys: { n: 1 } }], rules };
    const defined = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.ok(defined.status < 300, defined.text);
    return String(defined.body.id);
  };
  const create = async (name: string, body: object): Promise<{ readonly id: string; readonly position: string }> => {
    const made = await replica.call(`POST /v1/data/${name}`, { body, token: admin.token });
    assert.equal(made.status, 201, made.text);
    return { id: String(made.body.id), position: positionOf(made) };
  };
  const positionOf = ({ headers }: Answered): string => headers.get('causeway-position') ?? assert.fail('no position');
  const list = async (
    path: string,
    position: string,
    { at = replica, token }: { at?: TestReplica; token?: string } = {},
  ) => {
    const answered = await at.call(`GET /v1/data/${path}`, { token, headers: { 'causeway-after': position } });
    assert.equal(answered.status, 200, answered.text);
    return answered;
  };
  const itemsOf = ({ body }: Answered): Item[] => body.items as unknown as Item[];
  const numbersOf = (answered: Answered): number[] => itemsOf(answered).map(({ n }) => n);
  /** Changes what is stored behind the service's back, where no commit stream tells of it. */
  const tamper = async (collectionId: string, n: number): Promise<void> => {
    const native = data.db.collection(`records_${collectionId}`);
    await native.updateMany({}, { $set: { 'fields.n': n } }, { bypassDocumentValidation: true });
  };
  /** Asks until the answer is one that was kept: MongoDB has another one since. */
  const untilKept = async (collectionId: string, path: string, position: string): Promise<number[]> => {
    const deadline = performance.now() + 60_000;
    for (let n = 1_000; performance.now() < deadline; n += 1) {
      const first = numbersOf(await list(path, position));
      await tamper(collectionId, n);
      const second = numbersOf(await list(path, position));
      if (!second.includes(n)) {
        assert.deepEqual(second, first);
        return second;
      }
    }
    assert.fail('nothing was kept in 60 s');
  };

  it('are answered without MongoDB to who has said what it has seen, and to nobody else', async () => {
    const id = await define('kept', { read: 'public' });
    await create('kept', { n: 1 });
    const { position } = await create('kept', { n: 1 });
    assert.equal((await untilKept(id, 'kept?sort=n', position)).length, 2);
    const [stored] = numbersOf(await replica.call('GET /v1/data/kept?sort=n'));
    assert.ok(stored !== undefined && stored >= 1_000);
  });

  it('are one answer for all who see the same, each with a cursor of its own', async () => {
    const id = await define('shared', { read: 'signed-in' });
    for (const n of [1, 2]) await create('shared', { n });
    const { position } = await create('shared', { n: 3 });
    const [ada, bob] = [await data.person(), await data.person()];
    const path = 'shared?sort=n&limit=2';
    const deadline = performance.now() + 60_000;
    for (let n = 1_000; ; n += 1) {
      const ofAda = await list(path, position, { token: ada.token });
      await tamper(id, n);
      const ofBob = await list(path, position, { token: bob.token });
      if (numbersOf(ofBob).includes(n)) {
        assert.ok(performance.now() < deadline, 'nothing was kept in 60 s');
        continue;
      }
      assert.deepEqual(ofBob.body.items, ofAda.body.items);
      const cursor = encodeURIComponent(String(ofBob.body.nextCursor));
      const next = `GET /v1/data/${path}&cursor=${cursor}`;
      assert.equal((await replica.call(next, { token: bob.token })).status, 200);
      assert.equal((await replica.call(next, { token: ada.token })).status, 404);
      return;
    }
  });

  it('are apart for who sees something else', async () => {
    const [ada, bob] = [await data.person(), await data.person()];
    await define('owned', { read: [{ owner: { $auth: 'sub' } }] });
    await create('owned', { n: 1, owner: ada.id });
    const { position } = await create('owned', { n: 2, owner: bob.id });
    for (let times = 0; times < 40; times += 1) {
      assert.deepEqual(numbersOf(await list('owned', position, { token: ada.token })), [1]);
      assert.deepEqual(numbersOf(await list('owned', position, { token: bob.token })), [2]);
      assert.deepEqual(numbersOf(await list('owned', position, { token: admin.token })), [1, 2]);
    }
  });

  it('are apart by all that was asked', async () => {
    await define('asked', { read: 'public' });
    for (const n of [1, 2, 3]) await create('asked', { n });
    const { position } = await create('asked', { n: 4 });
    const filter = encodeURIComponent('{"n":{"$gt":2}}');
    for (let times = 0; times < 20; times += 1) {
      assert.deepEqual(numbersOf(await list('asked?sort=n', position)), [1, 2, 3, 4]);
      assert.deepEqual(numbersOf(await list('asked?sort=-n', position)), [4, 3, 2, 1]);
      assert.deepEqual(numbersOf(await list('asked?sort=n&limit=3', position)), [1, 2, 3]);
      assert.deepEqual(numbersOf(await list(`asked?sort=n&filter=${filter}`, position)), [3, 4]);
      assert.equal((await list('asked?count=true', position)).body.count, 4);
      assert.equal((await list('asked', position)).body.count, undefined);
      assert.deepEqual(Object.keys(itemsOf(await list('asked?fields=n', position))[0] ?? {}), ['id', 'n']);
      const first = await list('asked?sort=n&limit=2', position);
      const cursor = encodeURIComponent(String(first.body.nextCursor));
      assert.deepEqual(numbersOf(await list(`asked?sort=n&limit=2&cursor=${cursor}`, position)), [3, 4]);
    }
  });

  it('show what the caller has written, and all that it has seen, at whichever replica, whatever becomes of Redis', async () => {
    await define('written', { read: 'public' });
    const ids = await Promise.all([0, 1, 2, 3].map(async (n) => (await create('written', { n })).id));
    const ends = performance.now() + 6_000;
    const write = async (id: string): Promise<void> => {
      for (let n = 0; performance.now() < ends; n += 1) {
        const body = { n };
        const at = n % 2 === 0 ? replica : other;
        const written = await at.call(`PATCH /v1/data/written/${id}`, { body, type: merge, token: admin.token });
        assert.equal(written.status, 200, written.text);
        const read = await list('written?sort=n', positionOf(written), { at: n % 3 === 0 ? replica : other });
        const own = itemsOf(read).find((item) => item.id === id);
        assert.equal(own?.n, n, `its own write is not in the list at ${positionOf(written)}`);
      }
    };
    const flush = async (): Promise<void> => {
      while (performance.now() < ends) await forget();
    };
    const follow = async (index: number): Promise<number> => {
      const seen = new Map<string, number>();
      let position = '0.0';
      let times = 0;
      for (; performance.now() < ends; times += 1) {
        const read = await list('written', position, { at: (times + index) % 2 === 0 ? replica : other });
        for (const { id, revision } of itemsOf(read)) {
          assert.ok(revision >= (seen.get(id) ?? 0), `${id} fell from revision ${seen.get(id)} to ${revision}`);
          seen.set(id, revision);
        }
        // The highest that it has seen.
        const [mine, theirs] = [parseAfter(position), parseAfter(positionOf(read))];
        if (mine !== undefined && theirs?.greaterThan(mine) === true) position = positionOf(read);
      }
      return times;
    };
    const [followed] = await Promise.all([Promise.all([0, 1, 2].map(follow)), ...ids.slice(0, 3).map(write), flush()]);
    assert.ok(followed.every((times) => times > 5));
  });

  it('are judged by the rule of then', async () => {
    await define('ruled', { read: 'public' });
    const { position } = await create('ruled', { n: 1 });
    for (let times = 0; times < 10; times += 1) await list('ruled', position);
    const body = { schema: { properties: { n: { type: 'number' } } }, rules: { read: [{ n: { $gt: 5 } }] } };
    const changed = await replica.call('PUT /v1/collections/ruled', { body, token: admin.token });
    for (const at of [replica, other]) {
      assert.deepEqual(numbersOf(await list('ruled', positionOf(changed), { at })), []);
    }
  });

  it('are found anew where the time decides', async () => {
    await define('timed', { read: 'public' });
    // It is still to come when the first list is read.
    const soon = new Date(Date.now() + 10_000).toISOString();
    const { position } = await create('timed', { owner: soon });
    const filter = encodeURIComponent('{"owner":{"$gt":{"$now":true}}}');
    assert.equal(itemsOf(await list(`timed?filter=${filter}`, position)).length, 1);
    const deadline = performance.now() + 60_000;
    while (itemsOf(await list(`timed?filter=${filter}`, position)).length > 0) {
      assert.ok(performance.now() < deadline, 'it is still there');
    }
  });

  it('and records never fall back where replicas hear of a change one after the other', async () => {
    const collectionId = await define('heard', { read: 'public' });
    const { id, position } = await create('heard', { n: 1 });
    const [early, late] = [createHeldStream(), createHeldStream()];
    const [first, second] = [await data.replica({}, early), await data.replica({}, late)];
    const wanted = parseAfter(position) ?? assert.fail('no position');
    const numberOf = (answered: Answered): unknown => (answered.body as { n?: unknown }).n ?? itemsOf(answered)[0]?.n;
    const revisionOf = (answered: Answered): unknown =>
      (answered.body as { revision?: unknown }).revision ?? itemsOf(answered)[0]?.revision;
    /** Holds both where the second answers by itself what it has. */
    const holdBoth = async (path: string): Promise<void> => {
      const deadline = performance.now() + 60_000;
      for (let n = 1_000; ; n += 1) {
        await list(path, position, { at: second });
        early.hold();
        late.hold();
        await tamper(collectionId, n);
        const isKept = numberOf(await list(path, position, { at: second })) !== n;
        if (isKept && early.position()?.greaterThanOrEqual(wanted) === true) return;
        early.release();
        late.release();
        assert.ok(performance.now() < deadline, 'nothing was kept in 60 s');
      }
    };
    for (const path of [`heard/${id}`, 'heard']) {
      await holdBoth(path);
      const body = { n: path.length };
      const written = await replica.call(`PATCH /v1/data/heard/${id}`, { body, type: merge, token: admin.token });
      assert.equal(written.status, 200, written.text);
      // The first has not kept it, nor has Redis: it finds what neither has heard of.
      await forget();
      const found = await list(path, position, { at: first });
      assert.equal(revisionOf(found), written.body.revision);
      const again = await list(path, positionOf(found), { at: second });
      assert.equal(revisionOf(again), written.body.revision, `${path} fell back at another replica`);
      early.release();
      late.release();
    }
    await first.stop();
    await second.stop();
  });
});
