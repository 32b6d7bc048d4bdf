import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';
import { BSON } from 'mongodb';

import { claimsOf, openTestAuth, password, personOf, randomEmail, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';

describe('POST /v1/auth/sign-up', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    auth.call('POST /v1/auth/sign-up', { body, headers });
  const accountsNow = () => world.db.collection('accounts').countDocuments();

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    published = await world.published();
  });
  after(() => world.stop());

  it('makes an account, signs in, and says so in two events of one cause', async () => {
    const answer = await post({ email: 'Ada.Lovelace@Example.COM', password, name: ' Ada ' });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const { account, accessToken, refreshToken, expiresIn, ...rest } = answer.body as unknown as {
      account: { id: string };
      expiresIn: number;
      accessToken: string;
      refreshToken: string;
    };
    // No device token: whose the address is has nobody shown.
    assert.deepEqual(rest, { status: 'signed-in', tokenType: 'Bearer' });
    // A second may have gone by since it was issued.
    assert.ok(expiresIn > 290 && expiresIn <= 300, String(expiresIn));
    const { id, ...facts } = account;
    assert.match(id, /^usr_[0-9A-Z]{26}$/);
    assert.deepEqual(facts, { email: 'Ada.Lovelace@example.com', emailVerified: false, roles: ['member'] });
    assert.equal(claimsOf(accessToken).sub, id);
    assert.match(refreshToken, /^cwr_/);

    const [created] = await published.waitFor((event) => event.subject === `account/${id}`);
    const sessionId = claimsOf(accessToken).sid as string;
    const [started] = await published.waitFor((event) => event.subject === `session/${sessionId}`);
    assert.equal(created?.type, 'auth.account.created');
    assert.deepEqual(created.data, {
      accountId: id,
      email: 'Ada.Lovelace@example.com',
      emailVerified: false,
      name: 'Ada',
      roles: ['member'],
    });
    assert.equal(started?.type, 'auth.session.started');
    assert.deepEqual(started.data, {
      sessionId,
      accountId: id,
      method: 'sign-up',
      amr: ['pwd'],
      acr: 'aal1',
      ip: '127.0.0.1',
      userAgent: 'node',
    });
    assert.equal(answer.headers.get('causeway-event'), `${created.id}, ${started.id}`);
    for (const event of [created, started]) {
      assert.equal(event.correlationid, answer.headers.get('x-request-id'));
      assert.deepEqual([event.authtype, event.authid], ['app_user', id]);
      assert.equal(Number(event.sequence), 1);
    }
  });

  it('keeps no password, token or key in clear, in the database or in events', async () => {
    const secret = `secret ${randomUUID()}`;
    const answer = await post({ email: randomEmail(), password: secret }, { 'Idempotency-Key': randomUUID() });
    const person = personOf(answer);
    await published.waitFor((event) => event.subject === `session/${person.sessionId}`);
    let stored = JSON.stringify(published.all);
    for (const { name } of await world.db.listCollections().toArray()) {
      for (const row of await world.db.collection(name).find().toArray()) {
        stored += Buffer.from(BSON.serialize(row)).toString('latin1');
      }
    }
    assert.ok(stored.includes(person.id));
    for (const each of [secret, person.accessToken, person.refreshToken, '"d":']) assert.ok(!stored.includes(each));
    assert.ok(!JSON.stringify(published.all).includes('argon2'));
  });

  it('refuses an address that is taken, in any spelling', async () => {
    const { email } = await signUp(auth, `jos\u00e9.${randomUUID()}@m\u00fcnchen.example`);
    const before = await accountsNow();
    for (const twin of [email.toUpperCase(), email.normalize('NFD'), email.replace('münchen', 'xn--mnchen-3ya')]) {
      const answer = await post({ email: twin, password });
      assert.equal(answer.status, 409, twin);
      assert.equal(answer.body.code, 'email-taken');
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    }
    assert.equal(await accountsNow(), before);
  });

  it('refuses an address that an account keeps beside its own', async () => {
    const person = await signUp(auth);
    const kept = randomEmail();
    await world.db
      .collection<{ _id: string; emailKeys: string[] }>('accounts')
      .updateOne({ _id: person.id }, { $push: { emailKeys: kept } });
    const before = await accountsNow();
    const answer = await post({ email: kept, password });
    assert.deepEqual([answer.status, answer.body.code], [409, 'email-taken']);
    assert.equal(await accountsNow(), before);
  });

  it('refuses a password that is guessed first, and one that is the person’s own name or address; and makes nothing', async () => {
    const before = await accountsNow();
    const email = `ada.lovelace.${randomUUID().slice(0, 4)}@example.com`;
    const wanted = [
      { email, password: 'Password123!' },
      { email, password: email },
      { email, password: email.slice(0, email.indexOf('@')) },
      { email, password: 'adalovelace1', name: 'Ada Lovelace' },
    ];
    for (const body of wanted) {
      const { status, body: problem } = await post(body);
      assert.equal(status, 422, body.password);
      assert.equal(problem.code, 'password-common');
      assert.deepEqual(
        (problem.errors as unknown as { readonly pointer: string }[]).map(({ pointer }) => pointer),
        ['/password'],
      );
      assert.ok(!JSON.stringify(problem).includes(body.password), 'it is not said again');
    }
    assert.equal(await accountsNow(), before);
    assert.equal((await post({ email, password })).status, 201);
  });

  it('gives an address to one of twenty who want it at once', async () => {
    const email = randomEmail();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post({ email, password })));
    const statuses = answers.map((each) => each.status).sort();
    assert.deepEqual(statuses, [201, ...Array.from({ length: 19 }, () => 409)]);
    const winner = answers.find((each) => each.status === 201)!;
    const { id } = personOf(winner);
    assert.equal(await world.db.collection('sessions').countDocuments({ accountId: id }), 1);
    const isCreation = ({ type, data }: EventEnvelope) =>
      type === 'auth.account.created' && JSON.stringify(data).includes(email);
    assert.equal((await published.waitFor(isCreation)).length, 1);
  });

  it('gives the first answer again for the same key and body', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const body = { email: randomEmail(), password, name: 'Ada' };
    const first = await post(body, headers);
    const again = await post({ name: 'Ada', password, email: body.email }, headers);
    assert.deepEqual([first.status, again.status], [201, 201]);
    assert.deepEqual(again.body, first.body);
    assert.equal(first.headers.get('idempotency-replayed'), null);
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assert.equal(again.headers.get('causeway-event'), first.headers.get('causeway-event'));
    assert.equal(again.headers.get('cache-control'), 'no-store');
    assert.equal(await world.db.collection('sessions').countDocuments({ accountId: personOf(first).id }), 1);
  });

  it('lets nobody in by a repetition whom a password alone would not let in any more', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const body = { email: randomEmail(), password };
    const { id: accountId } = personOf(await post(body, headers));
    const accounts = world.db.collection<{ _id: string }>('accounts');
    for (const change of [{ hasSecondFactor: true }, { hasSecondFactor: false, disabledAt: new Date() }]) {
      await accounts.updateOne({ _id: accountId }, { $set: change });
      const again = await post(body, headers);
      assert.deepEqual([again.status, again.body.code], [409, 'email-taken']);
      assert.doesNotMatch(JSON.stringify(again.body), /cwr_|cwd_/);
    }
  });

  it('refuses the same key with another body', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const body = { email: randomEmail(), password };
    await post(body, headers);
    for (const other of [
      { ...body, password: `${password}!` },
      { ...body, name: 'Ada' },
      { ...body, email: randomEmail() },
    ]) {
      const answer = await post(other, headers);
      assert.equal(answer.status, 422);
      assert.equal(answer.body.code, 'idempotency-key-reused');
    }
  });

  it('takes effect once for ten calls with one key at once', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const body = { email: randomEmail(), password };
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(body, headers)));
    const good = answers.filter((each) => each.status === 201);
    const fresh = good.filter((each) => each.headers.get('idempotency-replayed') === null);
    assert.equal(fresh.length, 1);
    assert.equal(new Set(good.map((each) => JSON.stringify(each.body))).size, 1);
    for (const each of answers) {
      if (each.status === 201) continue;
      assert.deepEqual([each.status, each.body.code], [409, 'idempotency-key-in-use']);
      assert.equal(each.headers.get('retry-after'), '1');
    }
  });

  it('lets the key try again after a refusal', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const taken = await signUp(auth);
    assert.equal((await post({ email: taken.email, password }, headers)).status, 409);
    const answer = await post({ email: randomEmail(), password }, headers);
    assert.equal(answer.status, 201);
  });

  const good = { email: 'someone@example.com', password };
  for (const [what, body, pointer] of [
    ['no e-mail address', { password }, '/email'],
    ['an operator object as address', { ...good, email: { $gt: '' } }, '/email'],
    ['an array as address', { ...good, email: ['someone@example.com'] }, '/email'],
    ['a text that is no address', { ...good, email: 'someone' }, '/email'],
    ['an address with a line end', { ...good, email: 'someone@example.com\r\nBcc: x@y.z' }, '/email'],
    ['an operator object as password', { ...good, password: { $ne: '' } }, '/password'],
    ['a password of 9 characters', { ...good, password: 'a'.repeat(9) }, '/password'],
    ['a password of 257 characters', { ...good, password: 'a'.repeat(257) }, '/password'],
    ['an empty name', { ...good, name: ' ' }, '/name'],
    ['a name of two lines', { ...good, name: 'a\nb' }, '/name'],
    ['a role of its own choice', { ...good, roles: ['admin'] }, '/roles'],
    ['an id of its own choice', { ...good, id: 'usr_1' }, '/id'],
    ['a verified address of its own choice', { ...good, emailVerified: true }, '/emailVerified'],
    ['a list', [good], ''],
    ['a null', null, ''],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const before = await accountsNow();
      const answer = await post(body);
      assert.equal(answer.status, 400);
      assert.equal(answer.body.code, 'invalid-request');
      const errors = answer.body.errors as unknown as { pointer: string }[];
      assert.deepEqual(
        errors.map((each) => each.pointer),
        [pointer],
      );
      assert.equal(await accountsNow(), before);
    });
  }

  for (const [what, body, status] of [
    ['what is no JSON', '{"email":', 400],
    ['a __proto__ key', `{"__proto__":{"roles":["admin"]},"email":"a@example.com","password":"${password}"}`, 400],
    ['a password of a megabyte', JSON.stringify({ ...good, password: 'a'.repeat(1024 * 1024) }), 413],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const before = await accountsNow();
      assert.equal((await post(body)).status, status);
      assert.equal(await accountsNow(), before);
    });
  }

  it('refuses a malformed Idempotency-Key', async () => {
    const answer = await post(good, { 'Idempotency-Key': 'x'.repeat(256) });
    assert.equal(answer.status, 400);
    assert.equal((answer.body.errors as unknown as { parameter: string }[])[0]?.parameter, 'Idempotency-Key');
  });
});

/** A read, as MongoDB's profiler keeps it. */
interface ReadCommand {
  readonly readConcern?: { readonly afterClusterTime?: { readonly t: number; readonly i: number } };
}

describe('GET /v1/auth/account', () => {
  let world: TestAuth;
  let auth: TestReplica;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
  });
  after(() => world.stop());

  it('gives the account of the caller', async () => {
    const person = await signUp(auth);
    const answer = await auth.call('GET /v1/auth/account', { token: person.accessToken });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('etag'), '"1"');
    const { createdAt, updatedAt, ...account } = answer.body;
    assert.match(String(createdAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(updatedAt, createdAt);
    assert.deepEqual(account, {
      id: person.id,
      email: person.email,
      emailVerified: false,
      hasSecondFactor: false,
      roles: ['member'],
      revision: 1,
    });
  });

  it('says 304 for the revision that the caller has', async () => {
    const { accessToken: token } = await signUp(auth);
    const get = (tag: string) => auth.call('GET /v1/auth/account', { token, headers: { 'if-none-match': tag } });
    const answer = await get('W/"9", "1"');
    assert.equal(answer.status, 304);
    assert.equal(answer.headers.get('etag'), '"1"');
    assert.deepEqual(answer.body, {});
    assert.equal((await get('"2"')).status, 200);
    assert.equal((await get('nonsense')).status, 400);
  });

  it('reads nothing older than the caller has seen, as its sessions', async () => {
    const { accessToken: token } = await signUp(auth);
    await world.db.command({ profile: 2 });
    for (const [call, collection] of [
      ['GET /v1/auth/account', 'accounts'],
      ['GET /v1/auth/sessions', 'sessions'],
    ] as const) {
      const seen = (await auth.call(call, { token })).headers.get('causeway-position') ?? '';
      const at = (position: string) => auth.call(call, { token, headers: { 'causeway-after': position } });
      assert.equal((await at(seen)).status, 200);
      const [t, i] = seen.split('.').map(Number);
      const reads = await world.db.collection('system.profile').find({ 'command.find': collection }).toArray();
      const after = reads.map((each) => (each.command as ReadCommand).readConcern?.afterClusterTime);
      assert.ok(
        after.some((each) => each?.t === t && each?.i === i),
        `${call}: MongoDB is told of ${seen}`,
      );
      assert.equal((await at('4294967295.1')).status, 200, 'a position of another database is nothing to wait for');
      const malformed = await at('yesterday');
      assert.equal(malformed.status, 400);
      assert.equal((malformed.body.errors as unknown as { parameter: string }[])[0]?.parameter, 'Causeway-After');
    }
  });

  it('asks to sign in', async () => {
    for (const token of [undefined, 'nonsense', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSJ9.']) {
      const answer = await auth.call('GET /v1/auth/account', token === undefined ? {} : { token });
      assert.equal(answer.status, 401);
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
      assert.equal(answer.body.code, 'unauthenticated');
    }
  });

  it('takes no refresh token for an access token', async () => {
    const person = await signUp(auth);
    assert.equal((await auth.call('GET /v1/auth/account', { token: person.refreshToken })).status, 401);
  });
});
