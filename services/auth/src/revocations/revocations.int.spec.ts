import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { createEvents, createKafka, stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import { askAuth, connectRedis, createRevocations, whichEndedPath } from '@causeway/service';
import type { RevocationList, TokenFacts } from '@causeway/service';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import { raiseAccessVersion } from '../accounts/access-version.ts';
import { accountsCollection } from '../accounts/account.model.ts';
import type { AccountDocument } from '../accounts/account.model.ts';
import { updated } from '../accounts/accounts.events.ts';
import { cuttableProxy } from '../testing/cuttable-proxy.ts';
import { claimsOf, openTestAuth, password, signIn, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';

const factsOf = (token: string): TokenFacts => {
  const { sid, sub, av } = claimsOf(token);
  return { sid: String(sid), sub: String(sub), accountVersion: Number(av) };
};

describe('revocations', () => {
  const logger = createLogger({ service: 'another', level: 'silent' });
  const stops: (() => Promise<void> | void)[] = [];
  let world: TestAuth;
  let auth: TestReplica;
  let ada: Person;
  /** Writes as a replica that tells nobody of what it has committed. */
  let accounts: RecordedCollection<AccountDocument>;
  /** A service that hears of them through Redis alone, without Kafka, and is not to ask. */
  let another: RevocationList;

  const isRefused = async (token: string, replica: TestReplica): Promise<boolean> =>
    (await replica.call('GET /v1/auth/account', { token })).status === 401;

  /** Within a second, as is promised; four, for the machine may be busy. */
  const soon = async (what: string, holds: () => boolean | Promise<boolean>, withinMs = 4_000): Promise<void> => {
    const deadline = performance.now() + withinMs;
    while (!(await holds())) {
      assert.ok(performance.now() < deadline, `not within ${withinMs} ms: ${what}`);
      await delay(5);
    }
  };

  const raise = async (accountId: string): Promise<void> => {
    const cause: Cause = { correlationId: randomUUID(), principal: { type: 'system' } };
    const write = await accounts.update(cause, accountId, (current) => {
      const raised = raiseAccessVersion(current, 'tokens', new Date());
      return { state: { ...stateOf(current), ...raised }, event: updated(current, ['roles'], raised) };
    });
    assert.ok(write?.event);
  };

  const check = (
    body: unknown,
    headers: Record<string, string> = { 'causeway-internal': world.environment.CAUSEWAY_INTERNAL_KEY! },
  ) => auth.call(`POST ${whichEndedPath}`, { body, headers });

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    const {
      REDIS_URL: url = '',
      KAFKA_BROKERS = '',
      MONGODB_URL = '',
      AUTH_DATABASE: database = '',
    } = world.environment;
    const redis = connectRedis({ url, name: 'another', logger });
    stops.push(() => redis.disconnect());
    const ask = (): Promise<never> => Promise.reject(new Error('not to be asked'));
    another = createRevocations({ redis, logger, prefix: database, boundMs: 60_000, ask });
    stops.push(() => another.stop());
    await another.start();
    const client = await MongoClient.connect(MONGODB_URL);
    stops.push(() => client.close());
    const kafka = createKafka({
      driver: 'platformatic',
      brokers: KAFKA_BROKERS.split(','),
      clientId: database,
      logger,
    });
    stops.push(() => kafka.close());
    const events = createEvents({ service: 'auth', client, database, kafka, partitions: 2, logger });
    accounts = events.collection<AccountDocument>(accountsCollection, { thing: 'account' });
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
    await world.stop();
  });
  beforeEach(async () => {
    ada = await signUp(auth);
    assert.equal(another.isRevoked(factsOf(ada.accessToken)), false);
  });

  it('of a session are told to the other services', async () => {
    await auth.call('POST /v1/auth/sign-out', { token: ada.accessToken });
    await soon('it was told', () => another.isRevoked(factsOf(ada.accessToken)) === true);
  });

  it('of a session are told by the other replicas where the one that has committed it cannot', async () => {
    const proxy = await cuttableProxy(world.environment.REDIS_URL!);
    const mute = await world.replica({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
    proxy.cut();
    assert.equal((await mute.call('POST /v1/auth/sign-out', { token: ada.accessToken })).status, 204);
    await soon('it was told', () => another.isRevoked(factsOf(ada.accessToken)) === true);
    await mute.stop();
    await proxy.stop();
  });

  it('of an account end the tokens of before the change in every replica and service, and no later ones', async () => {
    const other = await world.replica();
    const second = await signIn(auth, ada.email);
    await raise(ada.id);
    for (const { accessToken } of [ada, second]) {
      await soon('it was told', () => another.isRevoked(factsOf(accessToken)) === true);
      for (const replica of [auth, other]) await soon('it is refused', () => isRefused(accessToken, replica));
    }
    const later = await signIn(auth, ada.email);
    assert.equal(await isRefused(later.accessToken, other), false);
    assert.equal(another.isRevoked(factsOf(later.accessToken)), false);
    await other.stop();
  });

  it('of an account that is gone end all its tokens', async () => {
    const token = (await signIn(auth, ada.email)).accessToken;
    const body = { password };
    assert.equal((await auth.call('DELETE /v1/auth/account', { token, body })).status, 202);
    const { sub } = factsOf(token);
    const anyToken = { sid: newId('ses'), sub, accountVersion: 1_000 };
    await soon('it was told', () => another.isRevoked(anyToken) === true);
  });

  it('are known to a replica that starts later', async () => {
    const [raised, gone] = [ada, await signUp(auth)];
    const ended = await signIn(auth, raised.email);
    await auth.call('POST /v1/auth/sign-out', { token: ended.accessToken });
    await raise(raised.id);
    await auth.call('DELETE /v1/auth/account', { token: gone.accessToken, body: { password } });
    const later = await world.replica();
    for (const { accessToken } of [raised, gone, ended]) assert.equal(await isRefused(accessToken, later), true);
    await later.stop();
  });

  describe('asked about', () => {
    it('are said by the database', async () => {
      const { environment } = world;
      const ask = askAuth({ url: auth.service.url, internalKey: environment.CAUSEWAY_INTERNAL_KEY! });
      const signedOut = await signIn(auth, ada.email);
      await auth.call('POST /v1/auth/sign-out', { token: signedOut.accessToken });
      const [raised, gone] = [await signUp(auth), await signUp(auth)];
      await raise(raised.id);
      await auth.call('DELETE /v1/auth/account', { token: gone.accessToken, body: { password } });
      const after = await signIn(auth, raised.email);
      const tokens = [ada, signedOut, raised, gone, after].map(({ accessToken }) => factsOf(accessToken));
      const [first] = tokens;
      const asked = [
        ...tokens,
        { ...first!, accountVersion: 0 },
        { ...first!, sid: newId('ses') },
        { ...first!, sub: raised.id },
        { ...first!, sub: newId('usr') },
      ];
      const answers = await ask(asked, AbortSignal.timeout(5_000));
      assert.deepEqual(answers, [false, true, true, true, false, false, true, true, true]);
      assert.deepEqual(await ask([], AbortSignal.timeout(5_000)), []);
    });

    it('are no older than the question, whichever replica is asked', async () => {
      const other = await world.replica();
      const ask = askAuth({ url: other.service.url, internalKey: world.environment.CAUSEWAY_INTERNAL_KEY! });
      for (let round = 0; round < 10; round += 1) {
        const { accessToken } = await signIn(auth, ada.email);
        assert.deepEqual(await ask([factsOf(accessToken)], AbortSignal.timeout(5_000)), [false]);
        await auth.call('POST /v1/auth/sign-out', { token: accessToken });
        assert.deepEqual(await ask([factsOf(accessToken)], AbortSignal.timeout(5_000)), [true]);
      }
      await other.stop();
    });

    it('are for the other services alone', async () => {
      const answer = await check({ tokens: [] }, {});
      assert.deepEqual([answer.status, answer.body.code], [404, 'not-found']);
      assert.equal((await check({ tokens: [] }, { authorization: `Bearer ${ada.accessToken}` })).status, 404);
    });

    it('in another way are refused', async () => {
      const token = { sid: 'ses_1', sub: 'usr_1', av: 1 };
      const bad: unknown[] = [
        {},
        { tokens: {} },
        { tokens: [token], more: 1 },
        { tokens: [{ ...token, more: 1 }] },
        { tokens: [{ ...token, sid: { $gt: '' } }] },
        { tokens: [{ ...token, sub: ['usr_1'] }] },
        { tokens: [{ ...token, sid: 'x'.repeat(65) }] },
        { tokens: [{ ...token, sid: '' }] },
        { tokens: [{ ...token, av: -1 }] },
        { tokens: [{ ...token, av: '1' }] },
        { tokens: Array.from({ length: 501 }, () => token) },
      ];
      for (const body of bad) assert.equal((await check(body)).status, 400, JSON.stringify(body).slice(0, 80));
      assert.equal((await check({ tokens: [{ ...token, sid: 'x'.repeat(300_000) }] })).status, 413);
      const most = Array.from({ length: 500 }, () => ({ ...token, sid: newId('ses'), sub: newId('usr') }));
      assert.equal((await check({ tokens: most })).status, 200);
    });
  });
});
