import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';

import { claimsOf, openTestAuth, password, personOf, randomEmail, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';

describe('first administrator', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  const asAdministrator = (email: string) => ({
    CAUSEWAY_ADMIN_EMAIL: email,
    CAUSEWAY_ADMIN_PASSWORD: 'the password of the settings',
  });
  const signIn = (email: string, typed: string) =>
    auth.call('POST /v1/auth/sign-in', { body: { email, password: typed } });

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    published = await world.published();
  });
  after(() => world.stop());

  it('is made once by replicas that start at once, by the system', async () => {
    const email = randomEmail();
    const replicas = await Promise.all(Array.from({ length: 3 }, () => world.replica(asAdministrator(email))));
    const answer = await signIn(email, 'the password of the settings');
    assert.equal(answer.status, 200);
    const { id, accessToken } = personOf(answer);
    assert.deepEqual(claimsOf(accessToken).roles, ['admin', 'member']);
    const events = await published.waitFor((event) => event.subject === `account/${id}`);
    assert.deepEqual(
      events.map((event) => [event.type, event.authtype, event.authid]),
      [['auth.account.created', 'system', undefined]],
    );
    assert.deepEqual(events[0]?.data, {
      accountId: id,
      email,
      emailVerified: true,
      name: 'Administrator',
      roles: ['admin', 'member'],
    });
    await Promise.all(replicas.map((each) => each.stop()));
  });

  it('is left alone at the next start', async () => {
    const email = randomEmail();
    for (let start = 0; start < 2; start += 1) await (await world.replica(asAdministrator(email))).stop();
    const account = await world.db.collection('accounts').findOne({ email });
    assert.equal(account?.revision, 1);
  });

  it('is nobody who has merely signed up with the address: the service does not start', async () => {
    const person = await signUp(auth);
    await assert.rejects(world.replica(asAdministrator(person.email.toUpperCase())), {
      name: 'StrangersAccount',
      message: /CAUSEWAY_ADMIN_EMAIL names the address of an account that somebody has signed up with/,
    });
    const account = await world.db.collection('accounts').findOne({ email: person.email });
    assert.deepEqual([account?.roles, account?.revision], [['member'], 1]);
    const refreshed = await auth.call('POST /v1/auth/refresh', { body: { refreshToken: person.refreshToken } });
    assert.deepEqual(claimsOf(String(refreshed.body.accessToken)).roles, ['member']);
  });

  it('keeps the account and the password that it has changed', async () => {
    const email = randomEmail();
    await (await world.replica(asAdministrator(email))).stop();
    await (await world.replica({ ...asAdministrator(email), CAUSEWAY_ADMIN_PASSWORD: 'of a later setting' })).stop();
    assert.equal((await signIn(email, 'the password of the settings')).status, 200);
    assert.equal((await signIn(email, 'of a later setting')).status, 401);
  });

  it('gets the roles where the account is there and has the password of the settings', async () => {
    const person = await signUp(auth);
    await (await world.replica({ ...asAdministrator(person.email), CAUSEWAY_ADMIN_PASSWORD: password })).stop();
    const answer = await signIn(person.email, password);
    assert.deepEqual(new Set(claimsOf(personOf(answer).accessToken).roles as string[]), new Set(['admin', 'member']));
    const [updated] = await published.waitFor(
      (event) => event.subject === `account/${person.id}` && event.type === 'auth.account.updated',
    );
    assert.deepEqual(updated?.data, {
      accountId: person.id,
      email: person.email,
      emailVerified: false,
      roles: ['member', 'admin'],
      changed: ['roles'],
    });
    // Whoever was signed in has the role with the next refresh.
    const refreshed = await auth.call('POST /v1/auth/refresh', { body: { refreshToken: person.refreshToken } });
    assert.deepEqual(claimsOf(String(refreshed.body.accessToken)).roles, ['member', 'admin']);
  });

  it('is nobody where the settings name nobody', async () => {
    assert.equal(await world.db.collection('accounts').countDocuments({ roles: 'admin', emailKey: /nobody/ }), 0);
    const quiet = await openTestAuth();
    await quiet.replica();
    assert.equal(await quiet.db.collection('accounts').countDocuments(), 0);
    await quiet.stop();
  });
});
