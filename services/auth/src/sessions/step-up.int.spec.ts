import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';
import { administratorSettings, signInAdministrator } from '../testing/test-administrator.ts';
import { claimsOf, openTestAuth, password, signIn, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { markVerified, sendLink } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { totpOf } from '../testing/test-totp.ts';

/**
 * Calls that could do somebody harm, and how surely their caller has to be known: with the second factor where there is one (`enrolled`), or
 * with two proofs in any case (`aal2`). What they would answer to a token that is good enough does not matter: it is no 401 of this kind.
 */
const sensitive: Readonly<Record<string, 'enrolled' | 'aal2'>> = {
  'POST /v1/auth/email': 'enrolled',
  'POST /v1/auth/factors/totp': 'enrolled',
  'POST /v1/auth/factors/totp/{id}/confirm': 'enrolled',
  'POST /v1/auth/factors/passkeys': 'enrolled',
  'POST /v1/auth/factors/passkeys/options': 'enrolled',
  'PATCH /v1/auth/factors/{id}': 'enrolled',
  'DELETE /v1/auth/factors/{id}': 'aal2',
  'POST /v1/auth/factors/recovery-codes': 'aal2',
};

/** And these are administrators' own. */
const administrators: Readonly<Record<string, 'enrolled' | 'aal2'>> = {
  'POST /v1/auth/accounts/{id}/disable': 'enrolled',
  'POST /v1/auth/accounts/{id}/enable': 'enrolled',
  'PUT /v1/auth/accounts/{id}/roles': 'enrolled',
  'DELETE /v1/auth/accounts/{id}/factors': 'enrolled',
  'DELETE /v1/auth/accounts/{id}/sessions': 'enrolled',
  'DELETE /v1/auth/accounts/{id}/sessions/{sessionId}': 'enrolled',
  'GET /v1/auth/mailbox': 'enrolled',
  'GET /v1/auth/mailbox/{id}': 'enrolled',
};

/** Calls of these, about nothing that there is. */
const callsOf = (routes: object): string[] => Object.keys(routes).map((call) => call.replaceAll(/\{\w+\}/g, 'none_1'));

describe('proving once more who one is', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let other: TestReplica;
  let published: PublishedEvents;
  let mailbox: TestMailbox;
  let ada: Person;

  const stepUp = (token: string, body: object, replica = auth) =>
    replica.call('POST /v1/auth/step-up', { token, body });
  const tokenOf = ({ body }: Answered): string => (body as unknown as { accessToken: string }).accessToken;
  const told = ({ status, body }: Answered) => [status, body.code];
  const codeOf = totpOf;
  const enrol = async (token: string): Promise<{ readonly secret: string; readonly recoveryCodes: string[] }> => {
    const begun = await auth.call('POST /v1/auth/factors/totp', { token, body: {} });
    assert.equal(begun.status, 201, JSON.stringify(begun.body));
    const { id, secret } = begun.body as unknown as { id: string; secret: string };
    const body = { code: await codeOf(secret, -1) };
    const confirmed = await auth.call(`POST /v1/auth/factors/totp/${id}/confirm`, { token, body });
    assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
    return { secret, ...(confirmed.body as unknown as { recoveryCodes: string[] }) };
  };
  /** As if the session had been begun an hour ago, of which its next token tells. */
  const grownOld = async ({ sessionId, refreshToken }: Person): Promise<string> => {
    const anHourAgo = new Date(Date.now() - 3_600_000);
    const sessions = world.db.collection<{ _id: string }>('sessions');
    await sessions.updateOne({ _id: sessionId }, { $set: { authTime: anHourAgo } });
    const refreshed = await auth.call('POST /v1/auth/refresh', { body: { refreshToken } });
    assert.equal(refreshed.status, 200, JSON.stringify(refreshed.body));
    assert.equal(claimsOf(tokenOf(refreshed)).auth_time, Math.floor(anHourAgo.getTime() / 1000));
    return tokenOf(refreshed);
  };
  const challengeOf = async (call: string, token: string): Promise<string | undefined> => {
    const answer = await auth.call(call, call.startsWith('GET') ? { token } : { token, body: {} });
    if (String(answer.body.code) !== 'insufficient-authentication') return undefined;
    assert.equal(answer.status, 401, call);
    return answer.headers.get('www-authenticate') ?? '';
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica(administratorSettings);
    other = await world.replica();
    mailbox = await openTestMailbox(world);
    published = await world.published();
  });
  after(() => world.stop());
  beforeEach(async () => {
    ada = await signUp(auth);
  });

  it('gives a session whose sign-in is long ago a token that opens what the old one does not', async () => {
    const old = await grownOld(ada);
    assert.deepEqual(told(await auth.call('POST /v1/auth/factors/totp', { token: old, body: {} })), [
      401,
      'insufficient-authentication',
    ]);
    const before = Math.floor(Date.now() / 1000);
    const answer = await stepUp(old, { password });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(Object.keys(answer.body).sort(), ['accessToken', 'expiresIn', 'refreshToken', 'tokenType']);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const token = tokenOf(answer);
    const { sid, acr, amr, auth_time: authTime } = claimsOf(token);
    assert.deepEqual([sid, acr, amr], [ada.sessionId, 'aal1', ['pwd']]);
    assert.ok(Number(authTime) >= before);
    assert.equal((await auth.call('POST /v1/auth/factors/totp', { token, body: {} })).status, 201);
    const [event] = await published.waitFor(
      ({ subject, type }) => subject === `session/${ada.sessionId}` && type.endsWith('reauthenticated'),
    );
    assert.deepEqual(event?.data, { sessionId: ada.sessionId, accountId: ada.id, amr: ['pwd'], acr: 'aal1' });
    assert.equal(answer.headers.get('causeway-event'), event.id);
    // What is refreshed later is as old as what was proved.
    const { refreshToken } = answer.body as unknown as { refreshToken: string };
    const refreshed = await auth.call('POST /v1/auth/refresh', { body: { refreshToken } });
    assert.equal(claimsOf(tokenOf(refreshed)).auth_time, authTime);
  });

  it('is asked by these calls and no others: whatever declares it is tried below', () => {
    const declared = auth.routes.flatMap(({ method, path, access, recent }) =>
      recent === undefined ? [] : [{ call: `${method.toUpperCase()} ${path}`, access, ...recent }],
    );
    for (const [access, expected] of Object.entries({ 'signed-in': sensitive, admin: administrators })) {
      const own = declared.filter((each) => each.access === access);
      assert.deepEqual(Object.fromEntries(own.map(({ call, acr }) => [call, acr])), expected);
    }
    assert.equal(declared.length, callsOf(sensitive).length + callsOf(administrators).length);
    for (const { call, maxAgeMs } of declared) assert.equal(maxAgeMs, 900_000, call);
  });

  it('asks each call that could do harm for a recent token, with the second factor where there is one', async () => {
    const old = await grownOld(ada);
    const fresh = tokenOf(await stepUp(old, { password }));
    const { secret } = await enrol(fresh);
    for (const call of callsOf(sensitive)) {
      for (const token of [old, fresh]) {
        assert.match((await challengeOf(call, token)) ?? 'none', /max_age="900", acr_values="aal2"$/, call);
      }
    }
    const answer = await stepUp(fresh, { totp: await codeOf(secret) });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const sure = tokenOf(answer);
    assert.deepEqual([claimsOf(sure).acr, claimsOf(sure).amr], ['aal2', ['pwd', 'otp', 'mfa']]);
    for (const call of callsOf(sensitive)) assert.equal(await challengeOf(call, sure), undefined, call);
    const oldAndSure = await grownOld({ ...ada, ...(answer.body as unknown as Pick<Person, 'refreshToken'>) });
    for (const call of callsOf(sensitive)) assert.notEqual(await challengeOf(call, oldAndSure), undefined, call);
  });

  it('asks administrators too, before what they decide, read or take away', async () => {
    const administrator = await signInAdministrator(auth);
    for (const call of callsOf(administrators))
      assert.equal(await challengeOf(call, administrator.accessToken), undefined, call);
    const old = await grownOld(administrator);
    for (const call of callsOf(administrators))
      assert.match((await challengeOf(call, old)) ?? 'none', /max_age="900"$/, call);
    const list = (token: string, accept: string) =>
      auth.call('GET /v1/auth/audit?actor=nobody', { token, headers: { accept } });
    assert.equal((await list(old, 'application/json')).status, 200);
    assert.deepEqual(told(await list(old, 'application/x-ndjson')), [401, 'insufficient-authentication']);
    const fresh = tokenOf(await stepUp(old, { password: administratorSettings.CAUSEWAY_ADMIN_PASSWORD }));
    assert.equal((await list(fresh, 'application/x-ndjson')).status, 200);
  });

  it('lets whoever has no password erase themselves, after a recent authentication', async () => {
    const { recoveryCodes } = await enrol(ada.accessToken);
    const old = await grownOld(ada);
    const erase = (token: string) => auth.call('DELETE /v1/auth/account', { token, body: {} });
    assert.deepEqual(told(await erase(old)), [400, 'invalid-request']);
    await world.db.collection<{ _id: string }>('accounts').updateOne({ _id: ada.id }, { $unset: { passwordHash: 1 } });
    assert.deepEqual(told(await erase(old)), [401, 'insufficient-authentication']);
    assert.equal((await erase(tokenOf(await stepUp(old, { recoveryCode: recoveryCodes[0] })))).status, 202);
  });

  it('takes a code once, in whichever session, and moves none that is not its own', async () => {
    const { secret } = await enrol(ada.accessToken);
    const code = await codeOf(secret);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => stepUp(ada.accessToken, { totp: code }, index % 2 === 0 ? auth : other)),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1, JSON.stringify(answers.map(told)));
    for (const { status } of answers) assert.ok([200, 401, 429].includes(status), `${status}`);
  });

  it('takes a recovery code, and no code of somebody else', async () => {
    const { recoveryCodes } = await enrol(ada.accessToken);
    const bob = await signUp(auth);
    const { secret, recoveryCodes: codesOfBob } = await enrol(bob.accessToken);
    assert.deepEqual(told(await stepUp(ada.accessToken, { totp: await codeOf(secret) })), [401, 'invalid-code']);
    const [foreign, own] = [codesOfBob[0], recoveryCodes[0]];
    assert.deepEqual(told(await stepUp(ada.accessToken, { recoveryCode: foreign })), [401, 'invalid-code']);
    const answer = await stepUp(ada.accessToken, { recoveryCode: own });
    assert.deepEqual(claimsOf(tokenOf(answer)).amr, ['pwd', 'recovery', 'mfa']);
    assert.deepEqual(told(await stepUp(tokenOf(answer), { recoveryCode: own })), [401, 'invalid-code']);
  });

  it('takes no password where there is a second factor, and says what to send', async () => {
    await enrol(ada.accessToken);
    const answer = await stepUp(ada.accessToken, { password });
    assert.deepEqual(told(answer), [401, 'insufficient-authentication']);
    assert.match(answer.headers.get('www-authenticate') ?? '', /acr_values="aal2"$/);
  });

  it('says what the account has, and takes a mailed link of whoever has no password', async () => {
    const bob = await signUp(auth);
    const methodsOf = async ({ accessToken: token }: Pick<Person, 'accessToken'>) => {
      const answer = await auth.call('POST /v1/auth/step-up/options', { token });
      return (answer.body as unknown as { methods: string[] }).methods;
    };
    const linkOf = async ({ email }: Person): Promise<string> => {
      await sendLink(auth, '/v1/auth/sign-in/link', email);
      return mailbox.tokenTo(email, 'link');
    };
    assert.deepEqual(await methodsOf(ada), ['password']);
    const foreign = await linkOf(bob);
    const unverified = await linkOf(ada);
    assert.deepEqual(told(await stepUp(ada.accessToken, { link: unverified })), [404, 'link-invalid']);
    await markVerified(world, ada);
    assert.deepEqual(await methodsOf(ada), ['password', 'link']);
    await world.db.collection<{ _id: string }>('accounts').updateOne({ _id: ada.id }, { $unset: { passwordHash: 1 } });
    assert.deepEqual(await methodsOf(ada), ['link']);

    const old = await grownOld(ada);
    const refused = await stepUp(old, { password });
    assert.deepEqual(told(refused), [401, 'invalid-credentials']);
    assert.match(String(refused.body.detail), /no password.*sign-in\/link/);
    for (const link of [foreign, '', 'x', `${unverified}a`, unverified.toLowerCase()])
      assert.deepEqual(told(await stepUp(old, { link })), [404, 'link-invalid'], link);
    for (const body of [{ link: { $gt: '' } }, { link: unverified, password }])
      assert.deepEqual(told(await stepUp(old, body)), [400, 'invalid-request']);
    const before = Math.floor(Date.now() / 1000);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => stepUp(old, { link: unverified }, index % 2 === 0 ? auth : other)),
    );
    const [answer = assert.fail(JSON.stringify(answers.map(told))), ...others] = answers.filter(
      ({ status }) => status === 200,
    );
    assert.deepEqual(others, [], 'of any number at once one is taken');
    const { acr, amr, auth_time: authTime } = claimsOf(tokenOf(answer));
    assert.deepEqual([acr, amr], ['aal1', ['link']]);
    assert.ok(Number(authTime) >= before);
    const chosen = { token: tokenOf(answer), body: { newPassword: 'a lantern under the harbour' } };
    assert.equal((await auth.call('PUT /v1/auth/password', chosen)).status, 200, 'it is enough to set one');
  });

  it('takes no link where there is a second factor, and lists no recovery codes that are used up', async () => {
    await markVerified(world, ada);
    const { secret } = await enrol(ada.accessToken);
    await sendLink(auth, '/v1/auth/sign-in/link', ada.email);
    const link = await mailbox.tokenTo(ada.email, 'link');
    assert.deepEqual(told(await stepUp(ada.accessToken, { link })), [401, 'insufficient-authentication']);
    const methods = async () => {
      const signedIn = await auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password } });
      const options = await auth.call('POST /v1/auth/step-up/options', { token: ada.accessToken });
      return [signedIn.body.methods, options.body.methods];
    };
    assert.deepEqual(await methods(), [
      ['totp', 'recovery-codes'],
      ['totp', 'recovery-codes'],
    ]);
    await world.db
      .collection('factors')
      .updateMany({ accountId: ada.id, kind: 'recovery-codes' }, { $set: { 'codes.$[].usedAt': new Date() } });
    assert.deepEqual(await methods(), [['totp'], ['totp']]);
    assert.equal((await stepUp(ada.accessToken, { totp: await codeOf(secret) })).status, 200);
  });

  it('refuses what is wrong, and what is no proof at all', async () => {
    const { accessToken: token } = ada;
    assert.deepEqual(told(await stepUp(token, { password: 'not the password' })), [401, 'invalid-credentials']);
    assert.deepEqual(told(await stepUp(token, { totp: '000000' })), [401, 'invalid-code']);
    for (const body of [
      {},
      { password, totp: '000000' },
      { password: { $gt: '' } },
      { totp: ['000000'] },
      { acr: 'aal2' },
    ]) {
      assert.deepEqual(told(await stepUp(token, body)), [400, 'invalid-request'], JSON.stringify(body));
    }
    assert.equal((await auth.call('POST /v1/auth/step-up', { body: { password } })).status, 401);
  });

  it('brings no session back that is over', async () => {
    const one = await signIn(auth, ada.email);
    await world.db
      .collection<{ _id: string }>('sessions')
      .updateOne({ _id: one.sessionId }, { $set: { status: 'ended', endedAt: new Date(), endReason: 'revoked' } });
    assert.deepEqual(told(await stepUp(one.accessToken, { password })), [401, 'unauthenticated']);
    assert.equal((await auth.call('POST /v1/auth/refresh', { body: { refreshToken: one.refreshToken } })).status, 401);
  });

  it('counts wrong guesses with all others, and a right code forgives none of them', async () => {
    const { secret } = await enrol(ada.accessToken);
    const wrong = async () => (await stepUp(ada.accessToken, { totp: '000000' })).status;
    for (let index = 0; index < 9; index += 1) assert.equal(await wrong(), 401, `${index}`);
    assert.equal((await stepUp(ada.accessToken, { totp: await codeOf(secret) })).status, 200);
    // Ten cost no pause. On a slow machine the first pauses are over before the next guess.
    const statuses = [await wrong(), await wrong(), await wrong(), await wrong(), await wrong(), await wrong()];
    assert.equal(statuses[0], 401);
    assert.ok(statuses.includes(429), statuses.join(' '));
  });

  it('hands new tokens to a browser in its cookies', async () => {
    const signedIn = await auth.call('POST /v1/auth/sign-in', {
      body: { email: ada.email, password, delivery: 'cookies' },
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    const cookie = signedIn.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ');
    const call = (site: string) =>
      auth.call('POST /v1/auth/step-up', { body: { password }, headers: { cookie, 'sec-fetch-site': site } });
    assert.deepEqual(told(await call('cross-site')), [403, 'cross-site']);
    const answer = await call('same-origin');
    assert.equal(answer.status, 204, JSON.stringify(answer.body));
    const names = answer.headers.getSetCookie().map((each) => each.split('=')[0]);
    assert.deepEqual(names.length, 2);
    assert.notEqual(cookie.includes(answer.headers.getSetCookie()[0]?.split(';')[0] ?? assert.fail()), true);
  });

  it('is not outrun by what ends its session: whoever has changed the account has the last word', async () => {
    const accounts = world.db.collection<{ _id: string }>('accounts');
    await accounts.updateOne({ _id: ada.id }, { $set: { accessVersion: 2, sessionsFrom: 2 } });
    const answer = await stepUp(ada.accessToken, { password });
    assert.equal(answer.status, 401, JSON.stringify(answer.body));
    const row = await world.db.collection<{ _id: string; status: string }>('sessions').findOne({ _id: ada.sessionId });
    assert.equal(row?.status, 'ended');
  });
});
