import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';
import { MongoClient } from 'mongodb';
import type { Binary, ClientSession, Db } from 'mongodb';

import type { IdempotentRequest } from './answer-seal.ts';
import { createIdempotency } from './idempotency.ts';

const url = process.env.MONGODB_URL ?? assert.fail('MONGODB_URL is not set');

describe('idempotency', () => {
  const secret = randomBytes(32);
  let client: MongoClient;
  let db: Db;
  let clock = Date.now();
  const transaction = <T>(body: (session: ClientSession) => Promise<T>): Promise<T> =>
    client.withSession((session) => session.withTransaction(() => body(session)));
  const idempotency = () => createIdempotency({ db, transaction, secret, now: () => clock });
  const request = (more: Partial<IdempotentRequest> = {}): IdempotentRequest => ({
    principal: 'public',
    route: 'POST /things',
    key: randomUUID(),
    body: { name: 'one' },
    ...more,
  });
  const make =
    (name: string, token = 'token-in-clear') =>
    async (session: ClientSession) => {
      await db.collection<{ _id: string }>('things').insertOne({ _id: name }, { session });
      return { status: 201, body: { name, token } };
    };
  const code = (expected: string) => (error: unknown) => error instanceof Fault && error.code === expected;

  before(async () => {
    client = await MongoClient.connect(url);
    db = client.db(`idempotency-${randomUUID().slice(0, 8)}`);
    await db.createCollection('things');
    await db.createCollection('idempotency');
    await idempotency().ensureIndexes();
  });
  after(async () => {
    await db.dropDatabase();
    await client.close();
  });

  it('runs the effect once and gives the first answer again', async () => {
    const call = request();
    const name = randomUUID();
    const first = await idempotency().run(call, make(name));
    const second = await idempotency().run({ ...call, body: { name: 'one' } }, () => assert.fail('ran twice'));
    assert.equal(first.replayed, false);
    assert.equal(second.replayed, true);
    assert.deepEqual(second.answer, first.answer);
    assert.deepEqual(await idempotency().find(call), first.answer);
    const { body: _body, ...key } = call;
    assert.equal(await idempotency().has(key), true);
    assert.equal(await idempotency().has({ ...key, key: randomUUID() }), false);
  });

  it('takes the order of properties for the same body', async () => {
    const call = request({ body: { a: 1, b: { c: 2, d: 3 } } });
    await idempotency().run(call, make(randomUUID()));
    const again = await idempotency().run({ ...call, body: { b: { d: 3, c: 2 }, a: 1 } }, () => assert.fail('ran'));
    assert.equal(again.replayed, true);
  });

  it('refuses another body under the same key', async () => {
    const call = request();
    await idempotency().run(call, make(randomUUID()));
    await assert.rejects(
      idempotency().run({ ...call, body: { name: 'two' } }, make('never')),
      code('idempotency-key-reused'),
    );
    await assert.rejects(idempotency().find({ ...call, body: {} }), code('idempotency-key-reused'));
  });

  it('keeps the keys of principals and routes apart', async () => {
    const call = request();
    await idempotency().run(call, make(randomUUID()));
    const other = await idempotency().run({ ...call, principal: 'app_user:usr_2' }, make(randomUUID()));
    const route = await idempotency().run({ ...call, route: 'POST /others' }, make(randomUUID()));
    assert.equal(other.replayed || route.replayed, false);
  });

  it('says that the first call is still running, then gives its answer', async () => {
    const call = request();
    const running = Promise.withResolvers<undefined>();
    const release = Promise.withResolvers<undefined>();
    const name = randomUUID();
    const first = idempotency().run(call, async (session) => {
      const answer = await make(name)(session);
      running.resolve(undefined);
      await release.promise;
      return answer;
    });
    await running.promise;
    await assert.rejects(idempotency().run(call, make('never')), (error) => {
      assert.ok(error instanceof Fault);
      assert.equal(error.code, 'idempotency-key-in-use');
      assert.equal(error.status, 409);
      assert.equal(error.retryAfterS, 1);
      return true;
    });
    release.resolve(undefined);
    const { answer } = await first;
    const second = await idempotency().run(call, () => assert.fail('ran twice'));
    assert.deepEqual(second, { answer, replayed: true });
  });

  it('takes effect once when twenty run at once', async () => {
    const call = request();
    const name = randomUUID();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => idempotency().run(call, make(name))));
    const fresh = outcomes.filter((each) => each.status === 'fulfilled' && !each.value.replayed);
    assert.equal(fresh.length, 1);
    for (const each of outcomes) {
      if (each.status === 'rejected') assert.ok(code('idempotency-key-in-use')(each.reason), String(each.reason));
    }
    assert.equal(await db.collection<{ _id: string }>('things').countDocuments({ _id: name }), 1);
  });

  it('forgets an effect that fails, row and all', async () => {
    const call = request();
    const name = randomUUID();
    await assert.rejects(
      idempotency().run(call, async (session) => {
        await make(name)(session);
        throw new Error('refused');
      }),
      /refused/,
    );
    assert.equal(await db.collection<{ _id: string }>('things').countDocuments({ _id: name }), 0);
    const second = await idempotency().run(call, make(name));
    assert.equal(second.replayed, false);
  });

  it('stores neither key, body nor answer in clear, nor a hash that the body alone gives', async () => {
    const call = request({ key: `key-${randomUUID()}`, body: { password: 'correct horse' } });
    await idempotency().run(call, make(randomUUID(), 'very-secret-token'));
    const rows = await db.collection('idempotency').find().toArray();
    const stored = rows
      .map((row) => `${JSON.stringify(row)} ${Buffer.from((row.answer as Binary).buffer).toString('latin1')}`)
      .join();
    for (const secretText of [call.key, 'correct horse', 'very-secret-token']) assert.ok(!stored.includes(secretText));
    const elsewhere = createIdempotency({ db, transaction, secret: randomBytes(32), now: () => clock });
    assert.equal(await elsewhere.find(call), undefined);
  });

  it('takes a key anew after its time, whether or not the row is gone yet', async () => {
    const call = request();
    await idempotency().run(call, make(randomUUID()));
    clock += 24 * 60 * 60 * 1000 + 1;
    assert.equal(await idempotency().find(call), undefined);
    const again = await idempotency().run({ ...call, body: { name: 'later' } }, make(randomUUID()));
    assert.equal(again.replayed, false);
    const indexes = await db.collection('idempotency').indexes();
    assert.ok(indexes.some((index) => index.expireAfterSeconds === 0 && 'expiresAt' in index.key));
  });
});
