import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { createEvents, createKafka } from '@causeway/events';
import type { EventsOptions } from '@causeway/events';
import { bySystem, createMasterKey } from '@causeway/service';
import { createLogger } from '@causeway/telemetry';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';

import { openTestAuth, personOf, signUp } from '../testing/test-auth.ts';
import type { Answered, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { createAdvanceKeyring } from './advance-keyring.ts';
import { keyringReader, keyringsCollection } from './keyring.model.ts';
import type { KeyringDocument } from './keyring.model.ts';
import { createKeyring } from './keyring.ts';
import { loadRootKey } from './root-key.ts';
import { makeSigningKey } from './signing-key.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const times = { rotationMs: 30 * dayMs, stageMs: 20 * minuteMs };
const never = new AbortController().signal;

const readKeys = (replica: TestReplica, headers: Record<string, string> = {}): Promise<Answered> =>
  replica.call('GET /.well-known/jwks.json', { headers });

const jwksOf = async (replica: TestReplica): Promise<JSONWebKeySet> => {
  const answer = await readKeys(replica);
  assert.equal(answer.status, 200);
  return answer.body as unknown as JSONWebKeySet;
};

const kidOf = (token: string): string => decodeProtectedHeader(token).kid ?? '';

const reads = async (replica: TestReplica, token: string): Promise<number> =>
  (await replica.call('GET /v1/auth/account', { token })).status;

/** Waits for what has to be heard of first. */
const eventually = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  const until = performance.now() + 60_000;
  while (!(await holds())) {
    assert.ok(performance.now() < until, `waited in vain for ${what}`);
    await delay(20);
  }
};

describe('signing keys', () => {
  let world: TestAuth;
  let replicas: TestReplica[];

  before(async () => {
    world = await openTestAuth();
    // None of them finds a key: they have to agree on one.
    replicas = await Promise.all([world.replica(), world.replica(), world.replica()]);
  });
  after(() => world.stop());

  it('are one for replicas that start at once, each of which believes what the others sign', async () => {
    const [first, ...others] = await Promise.all(replicas.map(jwksOf));
    for (const other of others) assert.deepEqual(other, first);
    assert.equal(first!.keys.length, 1);
    const { accessToken } = await signUp(replicas[0]!);
    for (const replica of replicas) assert.equal(await reads(replica, accessToken), 200);
  });

  it('are published without their private half, for five minutes of caching', async () => {
    const answer = await readKeys(replicas[0]!);
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=300, stale-while-revalidate=60');
    const [key, ...others] = (answer.body as unknown as JSONWebKeySet).keys;
    assert.equal(others.length, 0);
    const { kid, x, ...rest } = key!;
    assert.match(kid!, /^[\w-]{43}$/);
    assert.match(x!, /^[\w-]{43}$/);
    assert.deepEqual(rest, { kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA' });
  });

  it('are not sent again to who has them, by whichever replica', async () => {
    const etag = (await readKeys(replicas[0]!)).headers.get('etag') ?? '';
    assert.match(etag, /^"[\w-]{22}"$/);
    const same = await readKeys(replicas[1]!, { 'if-none-match': `"other", W/${etag}` });
    assert.deepEqual([same.status, same.headers.get('etag')], [304, etag]);
    assert.match(same.headers.get('cache-control') ?? '', /max-age=300/);
    assert.equal((await readKeys(replicas[1]!, { 'if-none-match': '"other"' })).status, 200);
    assert.equal((await readKeys(replicas[1]!, { 'if-none-match': 'no tag' })).status, 400);
  });

  it('are the same after a restart', async () => {
    const { accessToken } = await signUp(replicas[0]!);
    const later = await world.replica();
    assert.deepEqual(await jwksOf(later), await jwksOf(replicas[0]!));
    assert.equal(await reads(later, accessToken), 200);
    await later.stop();
  });

  it('do not open under another master key: the start says which setting is wrong', async () => {
    await assert.rejects(
      world.replica({ CAUSEWAY_MASTER_KEY: 'another master key, with enough characters' }),
      /CAUSEWAY_MASTER_KEY is not the one/,
    );
  });

  it('of an earlier release go on being used, and stay there until their private half goes', async () => {
    const other = await openTestAuth();
    const vault = createMasterKey(other.environment.CAUSEWAY_MASTER_KEY ?? '', 'auth').vault('signing-keys');
    const { kid, publicJwk, sealed: sealedPrivateJwk } = await makeSigningKey(vault);
    const row = { state: 'active', kid, publicJwk, sealedPrivateJwk, createdAt: new Date() };
    await other.db.collection<{ _id: number }>('signing-keys').insertOne({ _id: 1, ...row });
    const replica = await other.replica();
    const { accessToken } = await signUp(replica);
    assert.equal(kidOf(accessToken), kid);
    assert.equal(await other.db.collection('signing-keys').countDocuments(), 1);
    await replica.stop();

    const keyrings = other.db.collection<KeyringDocument>(keyringsCollection);
    await keyrings.updateOne({}, { $unset: { 'keys.0.sealed': '' } });
    await (await other.replica()).stop();
    assert.equal(await other.db.collection('signing-keys').countDocuments(), 0);
    await other.stop();
  });
});

describe('signing keys that follow one another', () => {
  let world: TestAuth;
  let replicas: [TestReplica, TestReplica];
  /** Of the clock by which it is told how long a key was published. */
  let aheadMs = 0;
  let stopRotators: () => Promise<void>;
  /** As many as take steps at once: what replicas do every few seconds. */
  let rotators: (() => Promise<number>)[];

  before(async () => {
    world = await openTestAuth();
    replicas = [await world.replica(), await world.replica()];
    const { MONGODB_URL: _, KAFKA_BROKERS = '', AUTH_DATABASE: database, CAUSEWAY_MASTER_KEY = '' } = world.environment;
    const logger = createLogger({ service: 'rotator', level: process.env.TEST_LOG === undefined ? 'silent' : 'debug' });
    const kafka = createKafka({
      driver: 'platformatic',
      brokers: KAFKA_BROKERS.split(','),
      clientId: 'rotator',
      logger,
    });
    // Not started: they write, and nothing else.
    const options: EventsOptions = {
      service: 'auth',
      client: world.db.client,
      database: database!,
      kafka,
      partitions: 2,
      logger,
    };
    const vault = (await loadRootKey(world.db, CAUSEWAY_MASTER_KEY)).vault('signing-keys');
    rotators = Array.from({ length: 5 }, () => {
      const keyrings = createEvents(options).collection<KeyringDocument>(keyringsCollection, { thing: 'keyring' });
      const now = () => new Date(Date.now() + aheadMs);
      const keyring = createKeyring({ read: keyringReader(keyrings), vault, stageMs: times.stageMs, now });
      const advance = createAdvanceKeyring({ keyrings, keyring, vault, times, logger });
      return () => advance(bySystem(), never);
    });
    stopRotators = () => kafka.close();
  });
  after(async () => {
    await stopRotators();
    await world.stop();
  });

  /** As if all that has happened to keys had happened so much earlier. */
  const pass = async (ms: number): Promise<void> => {
    const earlier = (time: string) => ({ $subtract: [`$$key.${time}`, ms] });
    const fields = ['publishedAt', 'activatedAt', 'supersededAt'];
    const dates = Object.fromEntries(
      fields.map((field) => [field, { $cond: [{ $gt: [`$$key.${field}`, null] }, earlier(field), '$$REMOVE'] }]),
    );
    const keys = { $map: { input: '$keys', as: 'key', in: { $mergeObjects: ['$$key', dates] } } };
    await world.db.collection(keyringsCollection).updateOne({}, [{ $set: { keys } }]);
  };
  const advance = async (): Promise<number> =>
    (await Promise.all(rotators.map((each) => each()))).reduce((sum, count) => sum + count, 0);
  /** Has a step taken that is due by the replicas' clocks, too: one of them may be first. */
  const advanceWithReplicas = async (): Promise<void> => {
    const count = await advance();
    assert.ok(count <= 1, `of five that try, ${count} take a step`);
  };
  const ring = async () => {
    const document = await world.db.collection<KeyringDocument>(keyringsCollection).findOne();
    return document!.keys.map(({ kid, state, sealed }) => ({ kid, state, opens: sealed !== undefined }));
  };
  const bothPublish = (kids: readonly string[]): Promise<void> =>
    eventually(`replicas that publish ${kids.length} keys`, async () => {
      const sets = await Promise.all(replicas.map(jwksOf));
      return sets.every(({ keys }) => keys.map(({ kid }) => kid).join() === kids.join());
    });

  it('are published, sign, and go, so that no token is ever refused for its key', async () => {
    const published = await world.published();
    const [one, two] = replicas;
    let ada = await signUp(one);
    const first = kidOf(ada.accessToken);
    // Nobody verifies it before its key is gone, and remembers that it was right.
    const unseen = (await signUp(one)).accessToken;
    const firstTag = (await readKeys(one)).headers.get('etag');
    assert.equal(await advance(), 0, 'nothing is due');

    await pass(times.rotationMs - times.stageMs);
    await advanceWithReplicas();
    const second = (await ring())[1]!.kid;
    assert.deepEqual(await ring(), [
      { kid: first, state: 'active', opens: true },
      { kid: second, state: 'published', opens: true },
    ]);
    await bothPublish([first, second]);
    const known = createLocalJWKSet(await jwksOf(one));
    assert.notEqual((await readKeys(one)).headers.get('etag'), firstTag);

    await pass(times.stageMs);
    assert.equal(await advance(), 0, 'whoever has only just started does not know whether anybody has heard of it');
    const refresh = { body: { refreshToken: ada.refreshToken } };
    const before = await one.call('POST /v1/auth/refresh', refresh);
    assert.equal(kidOf(String(before.body.accessToken)), first);
    aheadMs = times.stageMs;
    assert.equal(await advance(), 1);

    // Both hear of it, and sign with it: what is new; what is repeated stays what it was.
    const repeated = await two.call('POST /v1/auth/refresh', refresh);
    assert.deepEqual(
      [repeated.body.accessToken, repeated.body.refreshToken],
      [before.body.accessToken, before.body.refreshToken],
    );
    for (const replica of replicas) {
      await eventually('tokens of the second key', async () => kidOf((await signUp(replica)).accessToken) === second);
    }
    ada = personOf({ ...before, body: { ...before.body, account: { id: ada.id, email: ada.email } } as never });
    const later = (await signUp(two)).accessToken;
    for (const token of [ada.accessToken, later]) {
      for (const replica of replicas) assert.equal(await reads(replica, token), 200);
      await jwtVerify(token, known, { algorithms: ['EdDSA'] });
    }

    await pass(3 * minuteMs);
    await advanceWithReplicas();
    assert.deepEqual(await ring(), [
      { kid: first, state: 'retired', opens: false },
      { kid: second, state: 'active', opens: true },
    ]);
    await bothPublish([first, second]);
    for (const replica of replicas) assert.equal(await reads(replica, ada.accessToken), 200);

    await pass(6 * minuteMs);
    await advanceWithReplicas();
    await bothPublish([second]);
    assert.equal(await reads(one, unseen), 401, 'by now it would have expired');
    assert.equal(await reads(one, later), 200);

    const steps = await published.waitFor(({ type }) => type === 'auth.keyring.changed', 5);
    assert.deepEqual(
      steps.map(({ data }) => data),
      [
        { kid: first, change: 'activated' },
        { kid: second, change: 'published' },
        { kid: second, change: 'activated' },
        { kid: first, change: 'retired' },
        { kid: first, change: 'removed' },
      ],
    );
  });
});
