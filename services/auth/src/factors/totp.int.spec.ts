import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';
import { openCountedGuesses } from '../testing/counted-guesses.ts';
import { claimsOf, openTestAuth, password, personOf, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { totpOf } from '../testing/test-totp.ts';

interface Enrolment {
  readonly id: string;
  readonly secret: string;
  readonly uri: string;
  readonly qr: string;
}

describe('an authenticator app as second factor', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let other: TestReplica;
  let published: PublishedEvents;
  let ada: Person;
  let totp: Enrolment;

  /** A code of the app, some steps from now. */
  const codeOf = (secret: string, steps = 0): Promise<string> => totpOf(secret, steps, world.clock.aheadMs);
  const begin = (person: Person, body: object = {}) =>
    auth.call('POST /v1/auth/factors/totp', { token: person.accessToken, body });
  const confirm = (person: Person, id: string, code: string) =>
    auth.call(`POST /v1/auth/factors/totp/${id}/confirm`, { token: person.accessToken, body: { code } });
  const enrol = async (person: Person): Promise<Enrolment> => {
    const begun = await begin(person);
    assert.equal(begun.status, 201, JSON.stringify(begun.body));
    const enrolment = begun.body as unknown as Enrolment;
    const confirmed = await confirm(person, enrolment.id, await codeOf(enrolment.secret, -1));
    assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
    return enrolment;
  };
  const firstStep = async (person: Person, replica = auth): Promise<string> => {
    const answer = await replica.call('POST /v1/auth/sign-in', { body: { email: person.email, password } });
    assert.deepEqual([answer.status, answer.body.status], [200, 'mfa-required'], JSON.stringify(answer.body));
    return (answer.body as unknown as { mfaToken: string }).mfaToken;
  };
  const secondStep = (mfaToken: string, code: string, replica = auth) =>
    replica.call('POST /v1/auth/sign-in/second-factor', { body: { mfaToken, totp: code } });
  const told = ({ status, body }: Answered) => [status, body.code];
  const sessionsOf = (accountId: string) => world.db.collection('sessions').countDocuments({ accountId });

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    other = await world.replica();
    published = await world.published();
  });
  after(() => world.stop());
  beforeEach(async () => {
    ada = await signUp(auth);
    totp = await enrol(ada);
    // The code that has confirmed it was of the step before: the next one is new.
  });

  it('is asked for at the next sign-in, whose session says so', async () => {
    const before = await sessionsOf(ada.id);
    const first = await auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password } });
    assert.deepEqual(Object.keys(first.body).sort(), ['methods', 'mfaToken', 'status']);
    assert.deepEqual(first.body.methods, ['totp', 'recovery-codes']);
    assert.equal(first.headers.get('cache-control'), 'no-store');
    assert.equal(await sessionsOf(ada.id), before, 'no session is begun');
    const second = await secondStep(String(first.body.mfaToken), await codeOf(totp.secret));
    assert.equal(second.status, 200, JSON.stringify(second.body));
    const person = personOf(second);
    assert.equal(person.id, ada.id);
    const { acr, amr } = claimsOf(person.accessToken);
    assert.deepEqual([acr, amr], ['aal2', ['pwd', 'otp', 'mfa']]);
    const [used] = await published.waitFor(
      ({ subject, type }) => subject === `factor/${totp.id}` && type.endsWith('used'),
    );
    assert.deepEqual(used?.data, { factorId: totp.id, accountId: ada.id, kind: 'totp' });
    const [started] = await published.waitFor(({ subject }) => subject === `session/${person.sessionId}`);
    assert.equal(second.headers.get('causeway-event'), `${used.id}, ${started?.id}`);
    assert.equal(started?.correlationid, second.headers.get('x-request-id'));
  });

  it('tells its secret once, as text, URI and picture, and keeps it encrypted', async () => {
    const bob = await signUp(auth);
    const { body, headers } = await begin(bob, { name: 'My telephone' });
    const begun = body as unknown as Enrolment & { name: string; status: string };
    assert.deepEqual([begun.name, begun.status], ['My telephone', 'pending']);
    assert.equal(new URL(begun.uri).searchParams.get('secret'), begun.secret);
    assert.match(Buffer.from(begun.qr.replace('data:image/svg+xml;base64,', ''), 'base64').toString(), /^<svg /);
    assert.equal(headers.get('cache-control'), 'no-store');
    const row = await world.db.collection('factors').findOne({ accountId: bob.id });
    assert.equal(JSON.stringify(row).includes(begun.secret), false);
    const events = await published.waitFor(({ subject }) => subject === `factor/${begun.id}`);
    assert.equal(JSON.stringify(events).includes(begun.secret), false);
    // Until it is confirmed, nobody is asked.
    const answer = await auth.call('POST /v1/auth/sign-in', { body: { email: bob.email, password } });
    assert.equal(answer.body.status, 'signed-in');
    const confirmed = await confirm(bob, begun.id, await codeOf(begun.secret));
    assert.deepEqual(Object.keys(confirmed.body).includes('secret'), false);
  });

  it('lets one in of any number who come with the same code and the same token', async () => {
    const mfaToken = await firstStep(ada);
    const code = await codeOf(totp.secret);
    const before = await sessionsOf(ada.id);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => secondStep(mfaToken, code, index % 2 === 0 ? auth : other)),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const each of answers) assert.ok([200, 401, 404, 429].includes(each.status), `${each.status}`);
    assert.equal(await sessionsOf(ada.id), before + 1);
  });

  it('takes a code once, whichever tokens it comes with', async () => {
    const tokens = [await firstStep(ada), await firstStep(ada), await firstStep(ada)];
    const code = await codeOf(totp.secret);
    const answers = await Promise.all(
      tokens.map((mfaToken, index) => secondStep(mfaToken, code, index % 2 === 0 ? auth : other)),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1, JSON.stringify(answers.map(told)));
    const unused = tokens.filter((_, index) => answers[index]?.status !== 200);
    assert.deepEqual(told(await secondStep(unused[0] ?? assert.fail(), code)), [401, 'invalid-code']);
    // The token is not used up by a wrong code.
    assert.equal((await secondStep(unused[0] ?? assert.fail(), await codeOf(totp.secret, 1))).status, 200);
    assert.deepEqual(told(await secondStep(unused[0] ?? assert.fail(), code)), [404, 'ticket-invalid']);
  });

  it('opens nothing else with the token of the first step', async () => {
    const mfaToken = await firstStep(ada);
    for (const call of [
      'GET /v1/auth/account',
      'GET /v1/auth/sessions',
      'POST /v1/auth/sign-out',
      'DELETE /v1/auth/sessions',
      'POST /v1/auth/factors/totp',
    ]) {
      const body = call.startsWith('POST /v1/auth/factors') ? { body: {} } : {};
      assert.deepEqual((await auth.call(call, { token: mfaToken, ...body })).status, 401, call);
    }
    const refreshed = await auth.call('POST /v1/auth/refresh', { body: { refreshToken: mfaToken } });
    assert.deepEqual(told(refreshed), [401, 'invalid-refresh-token']);
  });

  it('refuses what is no token of a first step, or is over', async () => {
    const code = await codeOf(totp.secret);
    for (const token of ['', 'cwm_', ada.accessToken, ada.refreshToken, `cwm_${'A'.repeat(43)}`]) {
      const answer = await secondStep(token, code);
      assert.ok([400, 404].includes(answer.status), token);
    }
    const mfaToken = await firstStep(ada);
    world.clock.aheadMs += 10 * 60_000;
    try {
      assert.deepEqual(told(await secondStep(mfaToken, await codeOf(totp.secret))), [404, 'ticket-invalid']);
    } finally {
      world.clock.aheadMs = 0;
    }
    for (const body of [
      { mfaToken, totp: { $gt: '' } },
      { mfaToken: { $ne: '' }, totp: code },
      { mfaToken, totp: [code] },
      { mfaToken },
      { mfaToken, totp: code, accountId: ada.id },
    ]) {
      const answer = await auth.call('POST /v1/auth/sign-in/second-factor', { body });
      assert.deepEqual(told(answer), [400, 'invalid-request'], JSON.stringify(body));
    }
  });

  it('counts wrong codes with wrong passwords, and the first step alone forgives none', async () => {
    const mfaToken = await firstStep(ada);
    for (let index = 0; index < 3; index += 1) {
      assert.deepEqual(told(await secondStep(mfaToken, '000000')), [401, 'invalid-code']);
    }
    await firstStep(ada);
    const counted = await openCountedGuesses(world);
    await counted.prolong(ada.email).finally(() => counted.stop());
    assert.deepEqual(told(await secondStep(mfaToken, await codeOf(totp.secret))), [429, 'too-many-attempts']);
    const signIn = { email: ada.email, password };
    assert.equal((await auth.call('POST /v1/auth/sign-in', { body: signIn })).status, 429);
  });

  it('lets nobody in whose account was disabled between the steps', async () => {
    const mfaToken = await firstStep(ada);
    const disabled = { disabledAt: new Date(), accessVersion: 2, sessionsFrom: 2 };
    await world.db.collection<{ _id: string }>('accounts').updateOne({ _id: ada.id }, { $set: disabled });
    const answer = await secondStep(mfaToken, await codeOf(totp.secret));
    assert.deepEqual(told(answer), [404, 'ticket-invalid']);
    const live = { accountId: ada.id, status: 'live', accountVersion: 1, method: 'password' };
    assert.equal(await world.db.collection('sessions').countDocuments(live), 0);
  });

  it('is enrolled by its own account alone, once, with a code of its own', async () => {
    const bob = await signUp(auth);
    const begun = (await begin(bob)).body as unknown as Enrolment;
    const eve = await signUp(auth);
    assert.deepEqual(told(await confirm(eve, begun.id, await codeOf(begun.secret))), [404, 'not-found']);
    assert.deepEqual(told(await confirm(bob, begun.id, '000000')), [401, 'invalid-code']);
    assert.deepEqual(told(await confirm(bob, begun.id, await codeOf(totp.secret))), [401, 'invalid-code']);
    // A new one takes the place of one that was not confirmed.
    const again = (await begin(bob)).body as unknown as Enrolment;
    assert.deepEqual(told(await confirm(bob, begun.id, await codeOf(begun.secret))), [404, 'not-found']);
    assert.equal((await confirm(bob, again.id, await codeOf(again.secret))).status, 200);
    // With a second factor, whoever changes factors has to have shown it.
    assert.deepEqual(told(await begin(bob)), [401, 'insufficient-authentication']);
    const stepUp = { token: bob.accessToken, body: { totp: await codeOf(again.secret, 1) } };
    const sure = { ...bob, ...((await auth.call('POST /v1/auth/step-up', stepUp)).body as unknown as Partial<Person>) };
    assert.deepEqual(told(await confirm(sure, again.id, await codeOf(again.secret, 1))), [409, 'factor-exists']);
    assert.deepEqual(told(await begin(sure)), [409, 'factor-exists']);
    const [updated] = await published.waitFor(
      ({ subject, type }) => subject === `account/${bob.id}` && type === 'auth.account.updated',
    );
    assert.deepEqual((updated?.data as { changed: string[] }).changed, ['factors']);
  });

  it('is no place to guess codes at: many tries at once are not looked at', async () => {
    const bob = await signUp(auth);
    const begun = (await begin(bob)).body as unknown as Enrolment;
    const tries = Array.from({ length: 40 }, () => confirm(bob, begun.id, '000000'));
    const answers = (await Promise.all(tries)).map(told);
    const looked = answers.filter(([status]) => status === 401);
    assert.ok(looked.length > 0 && looked.length <= 20, `${looked.length} were looked at`);
    assert.deepEqual(
      answers.filter(([status]) => status !== 401).map(([, code]) => code),
      Array<string>(answers.length - looked.length).fill('too-many-attempts'),
    );
  });

  it('is too late to be confirmed after a quarter of an hour', async () => {
    const bob = await signUp(auth);
    const begun = (await begin(bob)).body as unknown as Enrolment;
    const factors = world.db.collection<{ _id: string }>('factors');
    await factors.updateOne({ _id: begun.id }, { $set: { createdAt: new Date(Date.now() - 15 * 60_000) } });
    assert.deepEqual(told(await confirm(bob, begun.id, await codeOf(begun.secret))), [404, 'not-found']);
  });
});
