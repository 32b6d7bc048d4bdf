import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';

import { claimsOf, openTestAuth, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';

const dayMs = 86_400_000;

interface Pair {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
}

const pairOf = (answer: Answered): Pair => {
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as unknown as Pair;
};

describe('POST /v1/auth/refresh', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  let ada: Person;
  const refresh = (refreshToken: unknown, replica = auth) =>
    replica.call('POST /v1/auth/refresh', { body: { refreshToken } });
  const refuses = async (token: unknown, code: string, replica = auth) => {
    const answer = await refresh(token, replica);
    assert.deepEqual([answer.status, answer.body.code], [401, code]);
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    return answer;
  };
  const eventsOf = (sessionId: string, count: number) =>
    published.waitFor((event) => event.subject === `session/${sessionId}`, count);
  const session = async (id: string) =>
    (await world.db.collection<{ _id: string }>('sessions').findOne({ _id: id })) as unknown as Record<string, unknown>;

  const accounts = () => world.db.collection<{ _id: string }>('accounts');

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

  it('exchanges a token for the next pair, and says so in an event', async () => {
    const answer = await refresh(ada.refreshToken);
    const pair = pairOf(answer);
    assert.deepEqual(Object.keys(answer.body).sort(), ['accessToken', 'expiresIn', 'refreshToken', 'tokenType']);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.notEqual(pair.refreshToken, ada.refreshToken);
    assert.notEqual(claimsOf(pair.accessToken).jti, claimsOf(ada.accessToken).jti);
    assert.deepEqual(
      ['sub', 'sid', 'roles'].map((name) => claimsOf(pair.accessToken)[name]),
      [ada.id, ada.sessionId, ['member']],
    );
    assert.equal((await auth.call('GET /v1/auth/account', { token: pair.accessToken })).status, 200);
    const [, refreshed] = await eventsOf(ada.sessionId, 2);
    assert.equal(refreshed?.type, 'auth.session.refreshed');
    assert.deepEqual(refreshed.data, { sessionId: ada.sessionId, accountId: ada.id, generation: 2 });
    assert.equal(answer.headers.get('causeway-event'), refreshed.id);
    assert.equal(refreshed.correlationid, answer.headers.get('x-request-id'));
    assert.deepEqual([refreshed.authtype, refreshed.authid], ['app_user', ada.id]);
  });

  it('gives the same pair for a retry within 30 seconds, and records nothing', async () => {
    const first = pairOf(await refresh(ada.refreshToken));
    world.clock.aheadMs = 20_000;
    const answer = await refresh(ada.refreshToken);
    const again = pairOf(answer);
    assert.equal(again.refreshToken, first.refreshToken);
    assert.equal(again.accessToken, first.accessToken);
    assert.ok(again.expiresIn <= first.expiresIn - 20, 'tells the time that is left');
    assert.equal(answer.headers.get('causeway-event'), null);
    pairOf(await refresh(again.refreshToken));
    assert.equal((await eventsOf(ada.sessionId, 3)).length, 3);
  });

  it('makes one successor of fifty exchanges at once, in two replicas', async () => {
    const other = await world.replica();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => refresh(ada.refreshToken, index % 2 === 0 ? auth : other)),
    );
    const pairs = answers.map(pairOf);
    assert.equal(new Set(pairs.map((pair) => pair.refreshToken)).size, 1);
    assert.equal(new Set(pairs.map((pair) => pair.accessToken)).size, 1);
    assert.equal(answers.filter((each) => each.headers.get('causeway-event') !== null).length, 1);
    assert.equal((await session(ada.sessionId)).generation, 2);
    await other.stop();
  });

  for (const [what, prepare] of [
    [
      'after 30 seconds',
      async () => {
        await refresh(ada.refreshToken);
        world.clock.aheadMs = 31_000;
      },
    ],
    [
      'after the next exchange',
      async () => {
        const next = pairOf(await refresh(ada.refreshToken));
        await refresh(next.refreshToken);
      },
    ],
  ] as const) {
    it(`ends the session when a token comes back ${what}`, async () => {
      await prepare();
      const current = pairOf(await refresh((await currentToken()) ?? ada.refreshToken));
      const answer = await refuses(ada.refreshToken, 'refresh-reused');
      const [ended] = await published.waitFor(
        (event) => event.subject === `session/${ada.sessionId}` && event.type === 'auth.session.ended',
      );
      assert.deepEqual(ended?.data, { sessionId: ada.sessionId, accountId: ada.id, reason: 'refresh-reused' });
      assert.equal(answer.headers.get('causeway-event'), ended.id);
      await refuses(current.refreshToken, 'invalid-refresh-token');
      await refuses(ada.refreshToken, 'invalid-refresh-token');
      for (const token of [ada.accessToken, current.accessToken]) {
        assert.equal((await auth.call('GET /v1/auth/account', { token })).status, 401);
      }
      assert.equal((await session(ada.sessionId)).endReason, 'refresh-reused');
    });
  }

  it('takes a reused token for nothing but itself: other sessions of the person go on', async () => {
    const second = await auth.call('POST /v1/auth/sign-in', {
      body: { email: ada.email, password: 'correct horse battery staple' },
    });
    const other = second.body as unknown as Pair;
    const next = pairOf(await refresh(ada.refreshToken));
    await refresh(next.refreshToken);
    await refuses(ada.refreshToken, 'refresh-reused');
    pairOf(await refresh(other.refreshToken));
  });

  it('takes a session that goes on for as old as it was when its owner proved who they are', async () => {
    world.clock.aheadMs = 3_600_000;
    const [first, next] = [ada.accessToken, pairOf(await refresh(ada.refreshToken)).accessToken].map(claimsOf);
    assert.ok(Number(next?.iat) - Number(first?.iat) >= 3_600);
    for (const name of ['auth_time', 'acr', 'amr', 'av']) assert.deepEqual(next?.[name], first?.[name], name);
  });

  it('goes on with accounts and sessions of an earlier release', async () => {
    const unset = (...names: string[]) => ({ $unset: Object.fromEntries(names.map((name) => [name, '' as const])) });
    const later = ['accessVersion', 'sessionsFrom', 'emailKeys', 'hasSecondFactor'];
    await accounts().updateOne({ _id: ada.id }, unset(...later));
    const rows = world.db.collection<{ _id: string }>('sessions');
    await rows.updateOne({ _id: ada.sessionId }, unset('accountVersion', 'amr', 'acr', 'authTime', 'delivery'));
    const { av, acr, amr, auth_time: authTime } = claimsOf(pairOf(await refresh(ada.refreshToken)).accessToken);
    const { createdAt } = await session(ada.sessionId);
    assert.deepEqual({ av, acr, amr }, { av: 1, acr: 'aal1', amr: ['pwd'] });
    assert.equal(authTime, Math.floor(Number(createdAt) / 1000));
  });

  for (const [what, change, reason] of [
    ['whose sessions have ended with a change', { accessVersion: 2, sessionsFrom: 2 }, 'revoked'],
    ['that is disabled', { accessVersion: 2, sessionsFrom: 2, disabledAt: new Date() }, 'account-disabled'],
  ] as const) {
    it(`refuses the session of an account ${what}, although its row has not been ended yet, and ends it`, async () => {
      const next = pairOf(await refresh(ada.refreshToken));
      await accounts().updateOne({ _id: ada.id }, { $set: change });
      // The token of the exchange before gets the same again within 30 seconds: not now.
      const answer = await refuses(ada.refreshToken, 'invalid-refresh-token');
      const { status, endReason } = await session(ada.sessionId);
      assert.deepEqual([status, endReason], ['ended', reason]);
      const [ended] = await published.waitFor(
        ({ subject, type }) => subject === `session/${ada.sessionId}` && type === 'auth.session.ended',
      );
      assert.equal((ended?.data as { reason: string }).reason, reason);
      assert.equal(answer.headers.get('causeway-event'), ended?.id);
      await refuses(next.refreshToken, 'invalid-refresh-token');
      assert.equal((await auth.call('GET /v1/auth/account', { token: next.accessToken })).status, 401);
    });
  }

  it('goes on where an account has lost rights alone, with a token of the new version', async () => {
    await accounts().updateOne({ _id: ada.id }, { $set: { accessVersion: 2 } });
    assert.equal(claimsOf(pairOf(await refresh(ada.refreshToken)).accessToken).av, 2);
  });

  it('refuses a forged token without touching the session', async () => {
    const [prefix, body, generation] = ada.refreshToken.split('_');
    const mac = randomBytes(32).toString('base64url');
    const next = pairOf(await refresh(ada.refreshToken));
    const before = await session(ada.sessionId);
    for (const forged of [
      `${prefix}_${body}_${generation}_${mac}`,
      `${prefix}_${body}_2_${mac}`,
      `${prefix}_${body}_3_${mac}`,
      `${prefix}_${body}_999999999_${mac}`,
      ada.refreshToken.replace(/^cwr_(.{26})_1_/, 'cwr_$1_2_'),
      `${ada.refreshToken}A`,
      ada.accessToken,
      '',
      'nonsense',
    ]) {
      await refuses(forged, 'invalid-refresh-token');
    }
    const after = await session(ada.sessionId);
    assert.deepEqual([after.revision, after.status, after.refreshHash], [2, 'live', before.refreshHash]);
    pairOf(await refresh(next.refreshToken));
  });

  it('refuses a token that is none by its form with 400, and one of an unknown session with 401', async () => {
    for (const token of [{ $gt: '' }, ['cwr'], 7, null, 'x'.repeat(2000)]) {
      const answer = await refresh(token);
      assert.deepEqual([answer.status, answer.body.code], [400, 'invalid-request']);
    }
    const unknown = ada.refreshToken.replace(/^cwr_.{26}/, 'cwr_06F00000000000000000000000');
    await refuses(unknown, 'invalid-refresh-token');
  });

  it('goes on after a restart, and refuses then what it refused before', async () => {
    const first = await world.replica();
    const next = pairOf(await refresh(ada.refreshToken, first));
    await first.stop();
    const second = await world.replica();
    assert.deepEqual(pairOf(await refresh(ada.refreshToken, second)).refreshToken, next.refreshToken);
    const third = pairOf(await refresh(next.refreshToken, second));
    await second.stop();
    const last = await world.replica();
    await refuses(ada.refreshToken, 'refresh-reused', last);
    await refuses(third.refreshToken, 'invalid-refresh-token', last);
    await last.stop();
  });

  it('refuses tokens that were derived under another master key', async () => {
    const seeds = await session(ada.sessionId);
    assert.match(String(seeds.seed), /^[\w-]{43}$/);
    const { createRefreshTokens } = await import('../tokens/refresh-token.ts');
    const elsewhere = createRefreshTokens(randomBytes(32));
    const forged = elsewhere.issue({ sessionId: ada.sessionId, seed: String(seeds.seed), generation: 1 });
    await refuses(forged, 'invalid-refresh-token');
  });

  it('ends when it has been idle for 30 days', async () => {
    world.clock.aheadMs = 30 * dayMs - 60_000;
    const next = pairOf(await refresh(ada.refreshToken));
    world.clock.aheadMs = 60 * dayMs - 120_000;
    const later = pairOf(await refresh(next.refreshToken));
    world.clock.aheadMs = 90 * dayMs + 1000;
    await refuses(later.refreshToken, 'invalid-refresh-token');
  });

  it('ends after 90 days however much it is used', async () => {
    let token = ada.refreshToken;
    for (const days of [25, 50, 75, 89]) {
      world.clock.aheadMs = days * dayMs;
      token = pairOf(await refresh(token)).refreshToken;
    }
    world.clock.aheadMs = 90 * dayMs + 1000;
    await refuses(token, 'invalid-refresh-token');
  });

  const currentToken = async (): Promise<string | undefined> => {
    const { loadRootKey } = await import('../keys/root-key.ts');
    const { createRefreshTokens } = await import('../tokens/refresh-token.ts');
    const { seed, generation } = (await session(ada.sessionId)) as unknown as { seed: string; generation: number };
    const masterKey = await loadRootKey(world.db, world.environment.CAUSEWAY_MASTER_KEY ?? '');
    return createRefreshTokens(masterKey.derive('refresh-token')).issue({ sessionId: ada.sessionId, seed, generation });
  };
});
