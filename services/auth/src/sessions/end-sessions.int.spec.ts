import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { newId } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

import { cuttableProxy } from '../testing/cuttable-proxy.ts';
import { openTestAuth, password, personOf, signIn, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';

describe('sessions', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  let ada: Person;
  const isRefused = async (token: string, replica = auth) =>
    (await replica.call('GET /v1/auth/account', { token })).status === 401;
  /** A second is promised; what takes four does not hold. */
  const refusedSoon = async (token: string, replica: TestReplica) => {
    const deadline = performance.now() + 4_000;
    while (!(await isRefused(token, replica))) {
      assert.ok(performance.now() < deadline, 'was still taken after four seconds');
      await delay(5);
    }
  };
  const endOf = async (sessionId: string) => {
    const [event] = await published.waitFor(
      (each) => each.subject === `session/${sessionId}` && each.type === 'auth.session.ended',
    );
    return event!;
  };
  const list = async (token: string) => {
    const answer = await auth.call('GET /v1/auth/sessions', { token });
    assert.equal(answer.status, 200);
    return (answer.body as unknown as { items: Record<string, unknown>[] }).items;
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    published = await world.published();
  });
  after(() => world.stop());
  beforeEach(async () => {
    world.clock.aheadMs = 0;
    ada = await signUp(auth);
  });

  describe('POST /v1/auth/sign-out', () => {
    it('ends the session and its tokens, and says so in an event', async () => {
      const answer = await auth.call('POST /v1/auth/sign-out', { token: ada.accessToken });
      assert.equal(answer.status, 204);
      assert.equal(await isRefused(ada.accessToken), true);
      const refresh = await auth.call('POST /v1/auth/refresh', { body: { refreshToken: ada.refreshToken } });
      assert.deepEqual([refresh.status, refresh.body.code], [401, 'invalid-refresh-token']);
      const ended = await endOf(ada.sessionId);
      assert.deepEqual(ended.data, { sessionId: ada.sessionId, accountId: ada.id, reason: 'signed-out' });
      assert.equal(answer.headers.get('causeway-event'), ended.id);
      assert.deepEqual([ended.authtype, ended.authid], ['app_user', ada.id]);
      assert.equal(Number(ended.sequence), 2);
    });

    it('takes effect in every replica within a second', async () => {
      const other = await world.replica();
      await auth.call('POST /v1/auth/sign-out', { token: ada.accessToken });
      await refusedSoon(ada.accessToken, other);
      await other.stop();
    });

    it('works and takes effect in every replica while Redis is away', async () => {
      const redis = await cuttableProxy(world.environment.REDIS_URL!);
      const environment = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
      const [one, two] = await Promise.all([world.replica(environment), world.replica(environment)]);
      redis.cut();
      const answer = await one.call('POST /v1/auth/sign-out', { token: ada.accessToken });
      assert.equal(answer.status, 204);
      await refusedSoon(ada.accessToken, one);
      await refusedSoon(ada.accessToken, two);
      assert.equal((await endOf(ada.sessionId)).id, answer.headers.get('causeway-event'));
      assert.equal((await one.call('POST /v1/auth/sign-in', { body: { email: ada.email, password } })).status, 200);
      await Promise.all([one.stop(), two.stop()]);
      await redis.stop();
    });

    it('is remembered by a replica that starts later', async () => {
      const { accessToken } = ada;
      await auth.call('POST /v1/auth/sign-out', { token: accessToken });
      const later = await world.replica();
      assert.equal(await isRefused(accessToken, later), true);
      await later.stop();
    });

    it('leaves the other sessions of the person alone', async () => {
      const other = await signIn(auth, ada.email);
      await auth.call('POST /v1/auth/sign-out', { token: ada.accessToken });
      assert.equal(await isRefused(other.accessToken), false);
    });

    it('asks to sign in, and takes neither body nor query for an answer', async () => {
      assert.equal((await auth.call('POST /v1/auth/sign-out')).status, 401);
      assert.equal((await auth.call('POST /v1/auth/sign-out?all=true', { token: ada.accessToken })).status, 400);
      assert.equal((await auth.call('GET /v1/auth/sign-out', { token: ada.accessToken })).status, 405);
      assert.equal(await isRefused(ada.accessToken), false);
    });

    it('ends once when it races with itself and with a refresh', async () => {
      const [refreshed, ...signedOut] = await Promise.all([
        auth.call('POST /v1/auth/refresh', { body: { refreshToken: ada.refreshToken } }),
        ...Array.from({ length: 5 }, () => auth.call('POST /v1/auth/sign-out', { token: ada.accessToken })),
      ]);
      assert.ok(signedOut.some((each) => each.status === 204));
      for (const each of signedOut) assert.ok([204, 401].includes(each.status));
      if (refreshed.status === 200) {
        const { accessToken, refreshToken } = refreshed.body as unknown as Person;
        assert.equal(await isRefused(accessToken), true);
        const again = await auth.call('POST /v1/auth/refresh', { body: { refreshToken } });
        assert.equal(again.status, 401);
      }
      await endOf(ada.sessionId);
      const ends = published.all.filter(
        (each) => each.subject === `session/${ada.sessionId}` && each.type === 'auth.session.ended',
      );
      assert.equal(ends.length, 1);
    });
  });

  describe('GET /v1/auth/sessions', () => {
    it('lists what is live, the last used first, and marks the one that asks', async () => {
      world.clock.aheadMs = 1000;
      const answer = await auth.call('POST /v1/auth/sign-in', {
        body: { email: ada.email, password },
        headers: { 'user-agent': 'A browser' },
      });
      const second = personOf(answer);
      const gone = await signIn(auth, ada.email);
      await auth.call('POST /v1/auth/sign-out', { token: gone.accessToken });
      await signUp(auth);
      const items = await list(ada.accessToken);
      assert.deepEqual(
        items.map(({ id, current, userAgent, ip }) => ({ id, current, userAgent, ip })),
        [
          { id: second.sessionId, current: false, userAgent: 'A browser', ip: '127.0.0.1' },
          { id: ada.sessionId, current: true, userAgent: 'node', ip: '127.0.0.1' },
        ],
      );
      assert.deepEqual(Object.keys(items[0]!).sort(), ['createdAt', 'current', 'id', 'ip', 'lastUsedAt', 'userAgent']);
    });

    it('moves lastUsedAt with each refresh', async () => {
      const [before] = await list(ada.accessToken);
      world.clock.aheadMs = 60_000;
      await auth.call('POST /v1/auth/refresh', { body: { refreshToken: ada.refreshToken } });
      const [later] = await list(ada.accessToken);
      assert.equal(later!.createdAt, before!.createdAt);
      assert.ok(Date.parse(String(later!.lastUsedAt)) - Date.parse(String(before!.lastUsedAt)) >= 60_000);
    });

    it('asks to sign in', async () => {
      assert.equal((await auth.call('GET /v1/auth/sessions')).status, 401);
    });
  });

  describe('DELETE /v1/auth/sessions/{id}', () => {
    it('ends one of them, and says so in an event', async () => {
      const other = await signIn(auth, ada.email);
      const answer = await auth.call(`DELETE /v1/auth/sessions/${other.sessionId}`, { token: ada.accessToken });
      assert.equal(answer.status, 204);
      assert.equal(await isRefused(other.accessToken), true);
      assert.equal(await isRefused(ada.accessToken), false);
      const ended = await endOf(other.sessionId);
      assert.equal((ended.data as { reason: string }).reason, 'revoked');
      assert.equal(answer.headers.get('causeway-event'), ended.id);
      assert.equal((await list(ada.accessToken)).length, 1);
    });

    it("is 404 for another person's, an ended one, an unknown one, and what is no id", async () => {
      const eve = await signUp(auth);
      const over = await signIn(auth, ada.email);
      await auth.call('POST /v1/auth/sign-out', { token: over.accessToken });
      for (const id of [
        eve.sessionId,
        over.sessionId,
        newId('ses'),
        'nonsense',
        '%7B%22%24gt%22%3A%22%22%7D',
        'x'.repeat(99),
      ]) {
        const answer = await auth.call(`DELETE /v1/auth/sessions/${id}`, { token: ada.accessToken });
        assert.deepEqual([answer.status, answer.body.code], [404, 'not-found'], id);
      }
      assert.equal(await isRefused(eve.accessToken), false);
    });
  });

  describe('DELETE /v1/auth/sessions', () => {
    it('ends all others', async () => {
      // One after the other: of more than a few at once some would be taken for guesses.
      const others: Awaited<ReturnType<typeof signIn>>[] = [];
      for (let each = 0; each < 25; each += 1) others.push(await signIn(auth, ada.email));
      const eve = await signUp(auth);
      const answer = await auth.call('DELETE /v1/auth/sessions', { token: ada.accessToken });
      assert.equal(answer.status, 204);
      for (const other of others) assert.equal(await isRefused(other.accessToken), true);
      assert.equal(await isRefused(ada.accessToken), false);
      assert.equal(await isRefused(eve.accessToken), false);
      for (const other of others)
        assert.equal(((await endOf(other.sessionId)).data as { reason: string }).reason, 'revoked');
      assert.equal(answer.headers.get('causeway-event'), null, 'more than ten events are not named');
    });

    it('names its events while they are few', async () => {
      const other = await signIn(auth, ada.email);
      const answer = await auth.call('DELETE /v1/auth/sessions', { token: ada.accessToken });
      assert.equal(answer.headers.get('causeway-event'), (await endOf(other.sessionId)).id);
      const again = await auth.call('DELETE /v1/auth/sessions', { token: ada.accessToken });
      assert.deepEqual([again.status, again.headers.get('causeway-event')], [204, null]);
    });
  });
});
