import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

import { accountUpdate } from '../testing/account-update.ts';
import { lockAccount } from '../testing/lock-account.ts';
import { administratorSettings, signInAdministrator } from '../testing/test-administrator.ts';
import { claimsOf, openTestAuth, password, personOf, randomEmail, signIn, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { alike, forgedFrom, refusedAsLink, sendLink, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { enrolTotp } from '../testing/test-totp.ts';

const minuteMs = 60_000;
const path = '/v1/auth/sign-in/link';

describe('signing in by a mailed link', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let other: TestReplica;
  let published: PublishedEvents;
  let mailbox: TestMailbox;
  let ada: Person;

  const send = (email: unknown) => sendLink(auth, path, email);
  const redeem = (token: unknown, more: object = {}, replica = auth) =>
    replica.call('POST /v1/auth/sign-in/link/redeem', { body: { token, ...more } });
  const linkTo = async ({ email }: Person, count?: number): Promise<string> => {
    await send(email);
    return mailbox.tokenTo(email, 'link', count);
  };
  const recorded = (subject: string, type: string): Promise<EventEnvelope[]> =>
    published.waitFor((event) => event.subject === subject && event.type === type);
  const guess = () => auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password: 'not the right one' } });
  const sessionsOf = (accountId: string) => world.db.collection('sessions').countDocuments({ accountId });

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica(administratorSettings);
    other = await world.replica();
    published = await world.published();
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    world.clock.aheadMs = 0;
    ada = await signUp(auth);
    await verifyAddress(auth, mailbox, ada);
  });

  it('begins a session that says how, and leaves the others', async () => {
    const token = await linkTo(ada);
    const [mail] = await mailbox.mailsTo(ada.email);
    assert.equal(mail?.subject, 'Sign in to 127.0.0.1:8080');
    assert.ok(mail.text.includes(`http://127.0.0.1:8080/account/link/${token}\n`));
    const answer = await redeem(token);
    assert.deepEqual([answer.status, answer.body.status], [200, 'signed-in'], JSON.stringify(answer.body));
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const person = personOf(answer);
    const { acr, amr, sub } = claimsOf(person.accessToken);
    assert.deepEqual([acr, amr, sub], ['aal1', ['link'], ada.id]);
    const proof = await world.db.collection('proofs').findOne({ emailKey: ada.email, kind: 'sign-in-link' });
    const [used] = await recorded(`proof/${String(proof?._id)}`, 'auth.proof.used');
    const [started] = await recorded(`session/${person.sessionId}`, 'auth.session.started');
    assert.equal(answer.headers.get('causeway-event'), `${used?.id}, ${started?.id}`);
    assert.equal((started?.data as { method: string }).method, 'link');
    assert.deepEqual([started?.authtype, started?.authid], ['app_user', ada.id]);
    const asked = await auth.call('GET /v1/auth/account', { token: ada.accessToken });
    assert.equal(asked.status, 200);
    // The password is what it was.
    await signIn(auth, ada.email);
  });

  it('lets one in of any number at once, in two replicas, and never again', async () => {
    const token = await linkTo(ada);
    const before = await sessionsOf(ada.id);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => redeem(token, {}, index % 2 === 0 ? auth : other)),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 19 }, () => 404)]);
    assert.equal(await sessionsOf(ada.id), before + 1);
    refusedAsLink(await redeem(token));
  });

  it('asks for the second factor where there is one: the link is one proof', async () => {
    const totp = await enrolTotp(world, auth, ada);
    const token = await linkTo(ada);
    const before = await sessionsOf(ada.id);
    const first = await redeem(token);
    assert.deepEqual([first.status, first.body.status], [200, 'mfa-required'], JSON.stringify(first.body));
    assert.deepEqual(Object.keys(first.body).sort(), ['methods', 'mfaToken', 'status']);
    assert.equal(await sessionsOf(ada.id), before, 'no session is begun');
    refusedAsLink(await redeem(token));
    const { mfaToken } = first.body as unknown as { mfaToken: string };
    assert.equal((await auth.call('GET /v1/auth/account', { token: mfaToken })).status, 401);
    const body = { mfaToken, totp: await totp.code() };
    const second = await auth.call('POST /v1/auth/sign-in/second-factor', { body });
    assert.equal(second.status, 200, JSON.stringify(second.body));
    const { acr, amr } = claimsOf(personOf(second).accessToken);
    assert.deepEqual([acr, amr], ['aal2', ['link', 'otp', 'mfa']]);
  });

  it('lets in whom strangers have locked out by guessing, second factor included', async () => {
    const totp = await enrolTotp(world, auth, ada);
    await lockAccount(world, auth, ada.email);
    const first = await redeem(await linkTo(ada));
    // That somebody reads the mail forgives no guesses at the second factor.
    assert.equal((await guess()).status, 429);
    const { mfaToken } = first.body as unknown as { mfaToken: string };
    const body = { mfaToken, totp: await totp.code() };
    assert.equal((await auth.call('POST /v1/auth/sign-in/second-factor', { body })).status, 200);
    assert.equal((await guess()).status, 401);
  });

  it('forgives what strangers have guessed, where the link is all that is asked for', async () => {
    await lockAccount(world, auth, ada.email);
    assert.equal((await redeem(await linkTo(ada))).status, 200);
    assert.equal((await guess()).status, 401);
  });

  it('gives an account that nobody had confirmed to whoever reads the mail: what was set before is gone', async () => {
    const eve = await signUp(auth);
    const totp = await enrolTotp(world, auth, eve);
    const answer = await redeem(await linkTo(eve));
    assert.deepEqual([answer.status, answer.body.status], [200, 'signed-in'], JSON.stringify(answer.body));
    const owner = personOf(answer);
    assert.equal(owner.id, eve.id);
    const account = await auth.call('GET /v1/auth/account', { token: owner.accessToken });
    assert.deepEqual([account.body.emailVerified, account.body.hasSecondFactor], [true, false]);
    const before = { email: eve.email, password };
    assert.equal((await auth.call('POST /v1/auth/sign-in', { body: before })).status, 401);
    assert.equal((await auth.call('GET /v1/auth/account', { token: eve.accessToken })).status, 401);
    const refresh = { body: { refreshToken: eve.refreshToken } };
    assert.equal((await auth.call('POST /v1/auth/refresh', refresh)).status, 401);
    assert.equal(await world.db.collection('factors').countDocuments({ accountId: eve.id }), 0);
    const [removed] = await recorded(`factor/${totp.id}`, 'auth.factor.removed');
    assert.equal((removed?.data as { reason: string }).reason, 'reset');
    const updated = await accountUpdate(published, eve.id, 'password');
    assert.deepEqual((updated.data as { changed: string[] }).changed, ['password', 'emailVerified', 'factors']);
    const [ended] = await recorded(`session/${eve.sessionId}`, 'auth.session.ended');
    assert.equal((ended?.data as { reason: string }).reason, 'password-changed');
    await mailbox.mailAbout(eve.email, 'Your account at 127.0.0.1:8080 is yours: choose a password');
  });

  it('is refused alike for a link that is unknown, forged, of another kind, replaced, over, or of another address by now', async () => {
    const first = await linkTo(ada);
    const token = await linkTo(ada, 2);
    refusedAsLink(await redeem(first));
    const eve = await signUp(auth);
    for (const text of forgedFrom(token, await linkTo(eve))) refusedAsLink(await redeem(text));
    refusedAsLink(await redeem(await mailbox.tokenTo(eve.email, 'verify')));
    await sendLink(auth, '/v1/auth/password/reset', ada.email);
    refusedAsLink(await redeem(await mailbox.tokenTo(ada.email, 'reset')));
    for (const bad of [undefined, 7, null, { $gt: '' }, [token]])
      assert.equal((await redeem(bad)).status, 400, JSON.stringify(bad));
    for (const more of [{ email: eve.email }, { accountId: eve.id }, { roles: ['admin'] }])
      assert.equal((await redeem(token, more)).status, 400, JSON.stringify(more));
    assert.equal((await redeem('x'.repeat(1_000_000))).status, 413);
    // What it opens is its own account, and it has not been used up by any of these.
    assert.equal(personOf(await redeem(token)).id, ada.id);
    const late = await linkTo(ada, 2);
    world.clock.aheadMs = 15 * minuteMs + 1_000;
    refusedAsLink(await redeem(late));
    world.clock.aheadMs = 0;
  });

  it('is no way around an administrator: a disabled account stays shut, and gets no link', async () => {
    const token = await linkTo(ada);
    const by = { token: (await signInAdministrator(auth)).accessToken };
    const disabled = await auth.call(`POST /v1/auth/accounts/${ada.id}/disable`, { ...by, body: {} });
    assert.equal(disabled.status, 200, JSON.stringify(disabled.body));
    const answer = await redeem(token);
    assert.deepEqual([answer.status, answer.body.code], [403, 'account-disabled']);
    await send(ada.email);
    const ofAda = { emailKey: ada.email, kind: 'sign-in-link' };
    const proof = await world.db.collection('proofs').findOne(ofAda, { sort: { createdAt: -1 } });
    const [withdrawn] = await recorded(`proof/${String(proof?._id)}`, 'auth.proof.withdrawn');
    assert.equal((withdrawn?.data as { reason: string }).reason, 'account-disabled');
  });

  it('is answered alike for an address that nobody has, and mailed to nobody', async () => {
    const nobody = randomEmail();
    const answers = [await send(nobody), await send(ada.email)];
    const told = answers.map(({ status, body, headers }) => JSON.stringify({ status, body, headers: alike(headers) }));
    assert.equal(new Set(told).size, 1, told.join('\n'));
    const proof = await world.db.collection('proofs').findOne({ emailKey: nobody });
    const [withdrawn] = await recorded(`proof/${String(proof?._id)}`, 'auth.proof.withdrawn');
    assert.equal((withdrawn?.data as { reason: string }).reason, 'unknown-address');
    assert.equal(await world.db.collection('mails').countDocuments({ to: nobody }), 0);
  });

  it('leads where the platform is, whatever host a caller names', async () => {
    const { port } = new URL(auth.service.url);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const spoofed = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
      const headers = { ...spoofed, 'x-forwarded-proto': 'https', 'content-type': 'application/json' };
      const asked = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.on('error', reject);
      asked.end(JSON.stringify({ email: ada.email }));
    });
    assert.equal(status, 202);
    await mailbox.tokenTo(ada.email, 'link');
    const mails = await mailbox.mailsTo(ada.email);
    const mail = mails.find(({ subject }) => subject.startsWith('Sign in'));
    assert.ok(mail?.text.includes('http://127.0.0.1:8080/account/link/'));
    assert.ok(!JSON.stringify(mails).includes('evil'));
  });

  it('hands its tokens over in cookies to pages of its own origin alone', async () => {
    const token = await linkTo(ada);
    const body = { token, delivery: 'cookies' };
    const call = 'POST /v1/auth/sign-in/link/redeem';
    const foreign = await auth.call(call, { body, headers: { 'sec-fetch-site': 'cross-site' } });
    assert.deepEqual([foreign.status, foreign.body.code], [403, 'cross-site']);
    const answer: Answered = await auth.call(call, { body, headers: { 'sec-fetch-site': 'same-origin' } });
    assert.deepEqual(Object.keys(answer.body).sort(), ['account', 'expiresIn', 'status']);
    assert.equal(answer.headers.getSetCookie().length, 3);
  });
});
