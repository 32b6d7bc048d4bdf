import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';
import { altered } from '@causeway/service/testing';

import { CookieJar } from '../testing/browser.ts';
import { claimsOf, openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { markVerified } from '../testing/test-links.ts';

const publicUrl = 'https://causeway.example';
const own = { 'sec-fetch-site': 'same-origin' } as const;
const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } as const;

describe('cookies for browsers', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  let ada: Person;
  let jar: CookieJar;

  const call = async (methodAndPath: string, options: { body?: unknown; headers?: Record<string, string> } = {}) => {
    const cookie: Record<string, string> = jar.header === '' ? {} : { cookie: jar.header };
    const answer = await auth.call(methodAndPath, { ...options, headers: { ...cookie, ...options.headers } });
    jar.take(answer.headers);
    return answer;
  };
  const signIn = async (email = ada.email, headers: Record<string, string> = own) =>
    call('POST /v1/auth/sign-in', { body: { email, password, delivery: 'cookies' }, headers });
  const sessionOf = () => claimsOf(jar.get('access')).sid as string;
  const sessionsOf = (accountId: string) =>
    world.db.collection('sessions').find({ accountId, status: 'live' }).toArray();

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ PUBLIC_URL: publicUrl });
    published = await world.published();
  });
  after(() => world.stop());
  beforeEach(async () => {
    jar = new CookieJar();
    ada = await signUp(auth);
    await markVerified(world, ada);
  });

  it('carry the tokens of a sign-in, which are then not in the body', async () => {
    const answer = await signIn();
    assert.equal(answer.status, 200);
    assert.deepEqual(Object.keys(answer.body).sort(), ['account', 'expiresIn', 'status']);
    // What is left of the token's five minutes: a second may have gone by since it was signed.
    const leftS = Number(/^__Host-causeway-access=.*Max-Age=(\d+)/.exec(answer.headers.getSetCookie()[0] ?? '')?.[1]);
    assert.ok(leftS > 240 && leftS <= 300, `${leftS} s`);
    assert.deepEqual(
      answer.headers.getSetCookie().map((each) => each.replace(/=[^;]+/, '=…')),
      [
        `__Host-causeway-access=…; Path=/; Max-Age=${leftS}; HttpOnly; SameSite=Lax; Secure`,
        '__Host-causeway-refresh=…; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure',
        '__Host-causeway-device=…; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax; Secure',
      ],
    );
    assert.equal((await call('GET /v1/auth/account')).body.id, ada.id);
  });

  it('carry those of a sign-up', async () => {
    const body = { email: randomEmail(), password, delivery: 'cookies' };
    const answer = await call('POST /v1/auth/sign-up', { body, headers: own });
    assert.equal(answer.status, 201);
    assert.deepEqual(Object.keys(answer.body).sort(), ['account', 'expiresIn', 'status']);
    assert.equal((await call('GET /v1/auth/account')).body.email, body.email);
  });

  it('of a sign-up that is repeated are those of the first, and its session lives on', async () => {
    const body = { email: randomEmail(), password, delivery: 'cookies' };
    const headers = { ...own, 'Idempotency-Key': randomUUID() };
    await call('POST /v1/auth/sign-up', { body, headers });
    const first = jar.header;
    const again = await call('POST /v1/auth/sign-up', { body, headers });
    assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [201, 'true']);
    assert.equal(jar.header, first);
    assert.equal((await call('GET /v1/auth/account')).status, 200);
  });

  it('are not given to a page of another site, which could sign a visitor in as somebody else', async () => {
    for (const headers of [foreign, {}, { origin: 'null' }, { 'sec-fetch-site': 'same-site' }]) {
      const answer = await signIn(ada.email, headers);
      assert.deepEqual([answer.status, answer.body.code], [403, 'cross-site']);
    }
    assert.deepEqual(jar.names, []);
    assert.equal((await sessionsOf(ada.id)).length, 1, 'a session was begun all the same');
  });

  it('sign in no write of another site: it is 403 and changes nothing', async () => {
    await signIn();
    for (const headers of [
      foreign,
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      {},
      { ...foreign, 'content-type': 'text/plain' },
      { ...foreign, 'content-type': 'application/x-www-form-urlencoded' },
    ] as Record<string, string>[]) {
      for (const write of ['POST /v1/auth/sign-out', 'DELETE /v1/auth/sessions', 'POST /v1/auth/refresh']) {
        const answer = await call(write, { headers });
        assert.deepEqual([answer.status, answer.body.code], [403, 'cross-site'], `${write} ${JSON.stringify(headers)}`);
      }
    }
    assert.equal((await call('GET /v1/auth/account')).status, 200);
    assert.equal((await sessionsOf(ada.id)).length, 2);
  });

  it('do not stand in the way of a token in the header', async () => {
    await signIn();
    const authorization = `Bearer ${ada.accessToken}`;
    const answer = await call('POST /v1/auth/sign-out', { headers: { ...foreign, authorization } });
    assert.equal(answer.status, 204);
    const live = await sessionsOf(ada.id);
    assert.deepEqual(
      live.map((each) => String(each._id)),
      [sessionOf()],
    );
    assert.equal((await call('GET /v1/auth/account')).status, 200);
  });

  it('are exchanged for the next without a body', async () => {
    await signIn();
    const before = { access: jar.get('access'), refresh: jar.get('refresh') };
    const answer = await call('POST /v1/auth/refresh', { headers: own });
    assert.equal(answer.status, 204);
    assert.notEqual(jar.get('refresh'), before.refresh);
    assert.notEqual(jar.get('access'), before.access);
    assert.equal((await call('GET /v1/auth/account')).status, 200);
  });

  it('are taken back where nothing comes of them any more', async () => {
    await signIn();
    jar.plant('refresh', altered(jar.get('refresh')));
    const answer = await call('POST /v1/auth/refresh', { headers: own });
    assert.deepEqual([answer.status, answer.body.code], [401, 'invalid-refresh-token']);
    assert.deepEqual(jar.names, ['__Host-causeway-device']);
  });

  it('end the session where a refresh token is used a second time, as in a body', async () => {
    await signIn();
    const stolen = jar.get('refresh');
    await call('POST /v1/auth/refresh', { headers: own });
    world.clock.aheadMs = 31_000;
    try {
      jar.plant('refresh', stolen);
      const answer = await call('POST /v1/auth/refresh', { headers: own });
      assert.deepEqual([answer.status, answer.body.code], [401, 'refresh-reused']);
      assert.deepEqual(jar.names, ['__Host-causeway-device']);
    } finally {
      world.clock.aheadMs = 0;
    }
  });

  it('are asked for where neither they nor a body came', async () => {
    const answer = await call('POST /v1/auth/refresh', { headers: own });
    assert.equal(answer.status, 400);
    assert.equal((answer.body as { errors?: { pointer: string }[] }).errors?.[0]?.pointer, '/refreshToken');
  });

  it('are refused where one came twice', async () => {
    await signIn();
    const twice = `${jar.header}; __Host-causeway-access=planted`;
    const answer = await auth.call('GET /v1/auth/account', { headers: { cookie: twice } });
    assert.equal(answer.status, 400);
  });

  it('go when somebody signs out, but for the device’s', async () => {
    await signIn();
    const access = jar.get('access');
    assert.equal((await call('POST /v1/auth/sign-out', { headers: own })).status, 204);
    assert.deepEqual(jar.names, ['__Host-causeway-device']);
    assert.equal((await auth.call('GET /v1/auth/account', { token: access })).status, 401);
  });

  it('of an earlier session are replaced at a sign-in, and that session ends', async () => {
    await signIn();
    const [before, access] = [sessionOf(), jar.get('access')];
    const bob = await signUp(auth);
    const answer = await signIn(bob.email);
    assert.notEqual(sessionOf(), before);
    const [, ended] = await published.waitFor((event) => event.subject === `session/${before}`, 2);
    assert.equal(ended?.type, 'auth.session.ended');
    assert.ok(answer.headers.get('causeway-event')?.includes(ended.id));
    assert.equal((await auth.call('GET /v1/auth/account', { token: access })).status, 401);
    assert.equal((await call('GET /v1/auth/account')).body.id, bob.id);
  });

  it('that were planted are not adopted: whoever planted them has no part in what follows', async () => {
    const mallory = await signUp(auth);
    jar.plant('refresh', mallory.refreshToken);
    jar.plant('access', mallory.accessToken);
    await signIn();
    assert.notEqual(sessionOf(), mallory.sessionId);
    assert.equal((await call('GET /v1/auth/account')).body.id, ada.id);
    assert.equal((await auth.call('GET /v1/auth/account', { token: mallory.accessToken })).status, 401);
  });

  it('that were made up end nobody’s session', async () => {
    const [, id = ''] = ada.refreshToken.split('_');
    jar.plant('refresh', `cwr_${id}_1_${'A'.repeat(43)}`);
    const bob = await signUp(auth);
    assert.equal((await signIn(bob.email)).status, 200);
    assert.equal((await auth.call('GET /v1/auth/account', { token: ada.accessToken })).status, 200);
  });
});
