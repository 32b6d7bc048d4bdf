import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';
import { hash } from '@node-rs/argon2';
import { createRemoteJWKSet, jwtVerify } from 'jose';

import { openTestAuth, password, personOf, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';

describe('POST /v1/auth/sign-in', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  let ada: Person;
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    auth.call('POST /v1/auth/sign-in', { body, headers });
  const sessionsNow = () => world.db.collection('sessions').countDocuments();

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    published = await world.published();
    ada = await signUp(auth);
  });
  after(() => world.stop());

  it('begins a session, and says so in an event', async () => {
    const answer = await post({ email: ada.email.toUpperCase(), password }, { 'user-agent': 'A browser' });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.status, 'signed-in');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const person = personOf(answer);
    assert.equal(person.id, ada.id);
    assert.notEqual(person.sessionId, ada.sessionId);
    const [started] = await published.waitFor((event) => event.subject === `session/${person.sessionId}`);
    assert.equal(started?.type, 'auth.session.started');
    assert.deepEqual(started.data, {
      sessionId: person.sessionId,
      accountId: ada.id,
      method: 'password',
      amr: ['pwd'],
      acr: 'aal1',
      ip: '127.0.0.1',
      userAgent: 'A browser',
    });
    assert.equal(answer.headers.get('causeway-event'), started.id);
    assert.equal(started.correlationid, answer.headers.get('x-request-id'));
  });

  it('gives a token that verifies against the published keys', async () => {
    const { accessToken } = personOf(await post({ email: ada.email, password }));
    const keys = createRemoteJWKSet(new URL(`${auth.service.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(accessToken, keys, {
      issuer: 'causeway',
      audience: 'causeway',
      typ: 'at+jwt',
      algorithms: ['EdDSA'],
      requiredClaims: ['sub', 'sid', 'jti', 'client_id', 'iat', 'exp', 'roles', 'scope'],
    });
    assert.equal(payload.sub, ada.id);
    assert.equal(payload.exp! - payload.iat!, 300);
    assert.deepEqual([payload.acr, payload.amr, payload.av], ['aal1', ['pwd'], 1]);
    assert.equal(payload.auth_time, payload.iat);
    assert.ok(protectedHeader.kid);
  });

  it('answers alike for an unknown address and a wrong password', async () => {
    const before = await sessionsNow();
    const unknown = await post({ email: randomEmail(), password });
    const wrong = await post({ email: ada.email, password: `${password}!` });
    for (const answer of [unknown, wrong]) {
      assert.equal(answer.status, 401);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    }
    const { requestId: _one, ...unknownBody } = unknown.body;
    const { requestId: _two, ...wrongBody } = wrong.body;
    assert.equal(wrongBody.code, 'invalid-credentials');
    assert.deepEqual(unknownBody, wrongBody);
    assert.deepEqual([...unknown.headers.keys()].sort(), [...wrong.headers.keys()].sort());
    assert.equal(await sessionsNow(), before);
  });

  it('tells of a disabled account only whoever has its password', async () => {
    const bob = await signUp(auth);
    const accounts = world.db.collection<{ _id: string; disabledAt?: Date }>('accounts');
    await accounts.updateOne({ _id: bob.id }, { $set: { disabledAt: new Date() } });
    const before = await sessionsNow();
    const wrong = await post({ email: bob.email, password: `${password}!` });
    assert.deepEqual([wrong.status, wrong.body.code], [401, 'invalid-credentials']);
    const right = await post({ email: bob.email, password });
    assert.deepEqual([right.status, right.body.code], [403, 'account-disabled']);
    assert.equal(await sessionsNow(), before);
  });

  it('takes the password typed in another Unicode form', async () => {
    const email = randomEmail();
    const composed = 'caf\u00e9 au lait';
    await auth.call('POST /v1/auth/sign-up', { body: { email, password: composed } });
    assert.equal((await post({ email, password: composed.normalize('NFD') })).status, 200);
    assert.equal((await post({ email, password: ` ${composed}` })).status, 401);
  });

  it('believes the address of the client only from the gateway', async () => {
    const spoofed = personOf(await post({ email: ada.email, password }, { 'x-forwarded-for': '203.0.113.9' }));
    const passedOn = personOf(
      await post({ email: ada.email, password }, { 'x-forwarded-for': '203.0.113.9', ...auth.service.internalHeaders }),
    );
    const ipOf = async (_id: string) =>
      (await world.db.collection<{ _id: string; ip: string }>('sessions').findOne({ _id }))?.ip;
    assert.equal(await ipOf(spoofed.sessionId), '127.0.0.1');
    assert.equal(await ipOf(passedOn.sessionId), '203.0.113.9');
  });

  it('hashes a password anew whose hash took less work than one takes now, once, and says so', async () => {
    const bob = await signUp(auth);
    const accounts = world.db.collection<{ _id: string; passwordHash: string }>('accounts');
    const weak = await hash(password, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    await accounts.updateOne({ _id: bob.id }, { $set: { passwordHash: weak } });
    assert.equal((await post({ email: bob.email, password: 'not the password' })).status, 401);
    const hashNow = async () => (await accounts.findOne({ _id: bob.id }))?.passwordHash ?? '';
    assert.equal(await hashNow(), weak);

    const answers = await Promise.all(Array.from({ length: 4 }, () => post({ email: bob.email, password })));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    assert.match(await hashNow(), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const [event, ...others] = await published.waitFor(
      ({ type, subject }) => type === 'auth.account.updated' && subject === `account/${bob.id}`,
    );
    assert.deepEqual(others, []);
    assert.deepEqual((event?.data as { changed: string[] }).changed, ['passwordParameters']);
    assert.ok(answers.some(({ headers }) => headers.get('causeway-event')?.includes(event?.id ?? 'none')));
    assert.equal((await post({ email: bob.email, password })).status, 200);
    assert.equal((await accounts.findOne({ _id: bob.id }))?.passwordHash, await hashNow());
  });

  it('cuts a user agent that is too long', async () => {
    const person = personOf(await post({ email: ada.email, password }, { 'user-agent': 'x'.repeat(4000) }));
    const session = await world.db.collection<{ _id: string }>('sessions').findOne({ _id: person.sessionId });
    assert.equal((session as unknown as { userAgent: string }).userAgent.length, 512);
  });

  for (const [what, body] of [
    ['an operator object as address', { email: { $gt: '' }, password }],
    ['an operator object as password', { email: 'a@example.com', password: { $gt: '' } }],
    ['an array as address', { email: ['a@example.com'], password }],
    ['a number as password', { email: 'a@example.com', password: 1234567890 }],
    ['no password', { email: 'a@example.com' }],
    ['a field that there is not', { email: 'a@example.com', password, remember: true }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const before = await sessionsNow();
      const answer = await post(body);
      assert.equal(answer.status, 400);
      assert.equal(answer.body.code, 'invalid-request');
      assert.equal(await sessionsNow(), before);
    });
  }

  it('answers 503 with Retry-After once too many wait, while other calls go on', async () => {
    const narrow = await world.replica({ PASSWORD_QUEUE_LIMIT: '1', GUESSES_PER_BLOCK: '100000' });
    // Of nobody: as much is hashed, and of one account so many at once would be taken for guesses.
    const attempts = Array.from({ length: 150 }, (_, index) =>
      narrow.call('POST /v1/auth/sign-in', { body: { email: `nobody-${index}@example.com`, password } }),
    );
    const meanwhile = await narrow.call('GET /.well-known/jwks.json');
    const answers = await Promise.all(attempts);
    assert.equal(meanwhile.status, 200);
    const refused = answers.filter((each) => each.status === 503);
    assert.ok(refused.length > 0);
    assert.equal(answers.filter((each) => each.status === 401).length, answers.length - refused.length);
    for (const each of refused) {
      assert.equal(each.body.code, 'unavailable');
      assert.match(each.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    }
    await narrow.stop();
  });
});
