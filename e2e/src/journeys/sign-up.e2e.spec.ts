import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { newEmail, profileOf, signIn, type SignedIn, signUp } from '../harness/people.ts';

interface Profile {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly bio?: string;
  readonly preferences: Readonly<Record<string, unknown>>;
  readonly revision: number;
}

describe('signing up', () => {
  it('signs in at once, as a member', async () => {
    const email = newEmail();
    const json = { email, password: 'correct horse battery', name: 'Grace Hopper' };
    const answer = expectStatus(await call('POST', '/v1/auth/sign-up', { json }), 201);
    const { account, expiresIn } = answer.json<SignedIn>();
    assert.deepEqual({ ...account, id: 'usr' }, { id: 'usr', email, emailVerified: false, roles: ['member'] });
    assert.match(account.id, /^usr_/);
    // What is left of five minutes.
    assert.ok(expiresIn > 240 && expiresIn <= 300, `${expiresIn} s`);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.events.length, 2, 'an account and a session');
  });

  it('is refused for an address that is taken, however it is written', async () => {
    const { email } = await signUp();
    const json = { email: email.toUpperCase(), password: 'correct horse battery' };
    await expectProblem(await call('POST', '/v1/auth/sign-up', { json }), 409, 'email-taken');
  });

  it('makes one account for any number of calls with one Idempotency-Key', async () => {
    const json = { email: newEmail(), password: 'correct horse battery' };
    const options = { json, headers: { 'idempotency-key': randomUUID() } };
    const first = expectStatus(await call('POST', '/v1/auth/sign-up', options), 201);
    const second = expectStatus(await call('POST', '/v1/auth/sign-up', options), 201);
    assert.equal(first.headers['idempotency-replayed'], undefined);
    assert.equal(second.headers['idempotency-replayed'], 'true');
    assert.deepEqual(second.json(), first.json());
    assert.deepEqual(second.events, first.events);
    const other = { ...options, json: { ...json, email: newEmail() } };
    await expectProblem(await call('POST', '/v1/auth/sign-up', other), 422, 'idempotency-key-reused');
    await expectProblem(
      await call('POST', '/v1/auth/sign-in', { json: { email: other.json.email, password: json.password } }),
      401,
      'invalid-credentials',
    );
  });

  it('gives the person a profile, made from the account’s event', async () => {
    const person = await signUp({ name: 'Ada Lovelace' });
    const answer = await profileOf(person);
    const profile = answer.json<Profile>();
    assert.deepEqual(
      { id: profile.id, name: profile.name, email: profile.email, revision: profile.revision },
      { id: person.id, name: 'Ada Lovelace', email: person.email, revision: 1 },
    );
    assert.equal(answer.headers.etag, '"1"');
  });
});

describe('a profile', () => {
  it('is changed by a merge patch, once at each revision', async () => {
    const person = await signUp();
    const { accessToken: token } = person;
    const type = 'application/merge-patch+json';
    await profileOf(person);
    const patch = { bio: 'First programmer', preferences: { theme: 'dark' } };
    const first = await call('PATCH', '/v1/users/me', { token, type, json: patch, headers: { 'if-match': '"1"' } });
    expectStatus(first, 200);
    assert.equal(first.headers.etag, '"2"');
    assert.equal(first.events.length, 1);
    const late = await call('PATCH', '/v1/users/me', {
      token,
      type,
      json: { bio: 'x' },
      headers: { 'if-match': '"1"' },
    });
    await expectProblem(late, 412, 'precondition-failed');
    const second = await call('PATCH', '/v1/users/me', { token, type, json: { bio: null } });
    const profile = expectStatus(second, 200).json<Profile>();
    assert.equal(profile.bio, undefined);
    assert.deepEqual(profile.preferences, { theme: 'dark' });
    assert.equal(profile.revision, 3);
  });

  it('is not sent again to somebody who has it', async () => {
    const person = await signUp();
    const { headers } = await profileOf(person);
    const { accessToken: token } = person;
    const again = await call('GET', '/v1/users/me', { token, headers: { 'if-none-match': headers.etag ?? '' } });
    expectStatus(again, 304);
    assert.equal(again.text, '');
  });

  it('shows others the name and no address', async () => {
    const [one, other] = await Promise.all([signUp({ name: 'Ada' }), signUp()]);
    await profileOf(one);
    const answer = await call('GET', `/v1/users/${one.id}`, { token: other.accessToken });
    assert.deepEqual(expectStatus(answer, 200).json(), { id: one.id, name: 'Ada' });
    await expectProblem(await call('GET', `/v1/users/${one.id}`), 401, 'unauthenticated');
  });
});

describe('signing in', () => {
  it('says the same of an unknown address and a wrong password', async () => {
    const { email } = await signUp();
    const tries = [
      { email, password: 'not the password' },
      { email: newEmail(), password: 'not the password' },
    ];
    const answers = await Promise.all(tries.map((json) => call('POST', '/v1/auth/sign-in', { json })));
    for (const answer of answers) await expectProblem(answer, 401, 'invalid-credentials');
    const [known, unknown] = answers.map((each) => ({ ...each.json(), requestId: '' }));
    assert.deepEqual(known, unknown);
  });

  it('opens the account that the person made', async () => {
    const { id, email, password } = await signUp();
    const { account, accessToken: token } = await signIn(email, password);
    assert.equal(account.id, id);
    const own = expectStatus(await call('GET', '/v1/auth/account', { token }), 200);
    assert.equal(own.json().id, id);
  });
});
