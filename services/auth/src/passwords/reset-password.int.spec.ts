import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

import { accountUpdate } from '../testing/account-update.ts';
import { lockAccount } from '../testing/lock-account.ts';
import { administratorSettings, signInAdministrator } from '../testing/test-administrator.ts';
import { openTestAuth, password, personOf, randomEmail, signIn, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { alike, forgedFrom, refusedAsLink, sendLink, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { enrolTotp } from '../testing/test-totp.ts';

const another = 'a lantern under the harbour';

describe('setting a new password by a mailed link', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let other: TestReplica;
  let published: PublishedEvents;
  let mailbox: TestMailbox;
  let ada: Person;

  const confirm = (body: unknown, replica = auth) => replica.call('POST /v1/auth/password/reset/confirm', { body });
  const linkTo = async ({ email }: Person, count?: number): Promise<string> => {
    await sendLink(auth, '/v1/auth/password/reset', email);
    return mailbox.tokenTo(email, 'reset', count);
  };
  const signInWith = ({ email }: Person, typed: string, more: object = {}): Promise<Answered> =>
    auth.call('POST /v1/auth/sign-in', { body: { email, password: typed, ...more } });
  const recorded = (subject: string, type: string): Promise<EventEnvelope[]> =>
    published.waitFor((event) => event.subject === subject && event.type === type);
  const refreshed = async ({ refreshToken }: Person): Promise<Answered> =>
    auth.call('POST /v1/auth/refresh', { body: { refreshToken } });
  const revisionOf = async ({ id }: Person) =>
    (await world.db.collection<{ _id: string; revision: number }>('accounts').findOne({ _id: id }))?.revision;

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

  it('ends all sessions, signs nobody in, and is told to its owner', async () => {
    const second = await signIn(auth, ada.email);
    const answer = await confirm({ token: await linkTo(ada), password: another });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(Object.keys(answer.body).sort(), ['deviceToken', 'status']);
    assert.equal(answer.body.status, 'password-changed');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.deepEqual(answer.headers.getSetCookie(), []);
    for (const person of [ada, second]) {
      assert.equal((await auth.call('GET /v1/auth/account', { token: person.accessToken })).status, 401);
      const over = await refreshed(person);
      assert.deepEqual([over.status, over.body.code], [401, 'invalid-refresh-token']);
      const [ended] = await recorded(`session/${person.sessionId}`, 'auth.session.ended');
      assert.ok(['password-changed', 'revoked'].includes((ended?.data as { reason: string }).reason));
    }
    assert.equal((await signInWith(ada, password)).status, 401);
    assert.equal((await signInWith(ada, another)).status, 200);
    const proof = await world.db.collection('proofs').findOne({ emailKey: ada.email, kind: 'reset-password' });
    const [used] = await recorded(`proof/${String(proof?._id)}`, 'auth.proof.used');
    const updated = await accountUpdate(published, ada.id, 'password');
    assert.equal(answer.headers.get('causeway-event'), `${used?.id}, ${updated.id}`);
    assert.deepEqual(updated.data, {
      ...{ accountId: ada.id, email: ada.email, emailVerified: true, roles: ['member'], changed: ['password'] },
      ...{ accessVersion: 2, sessionsFrom: 2 },
    });
    const told = await mailbox.mailAbout(ada.email, 'Your password for 127.0.0.1:8080 was changed');
    assert.ok(told.text.includes('http://127.0.0.1:8080/account/reset\n'));
  });

  it('is done once by any number at once, in two replicas, and never again', async () => {
    const token = await linkTo(ada);
    const before = (await revisionOf(ada)) ?? 0;
    const chosen = Array.from({ length: 20 }, (_, index) => `${another} number ${index}`);
    const answers = await Promise.all(
      chosen.map((each, index) => confirm({ token, password: each }, index % 2 === 0 ? auth : other)),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 19 }, () => 404)]);
    assert.equal(await revisionOf(ada), before + 1);
    const winner = chosen[answers.findIndex(({ status }) => status === 200)] ?? '';
    assert.equal((await signInWith(ada, winner)).status, 200);
    refusedAsLink(await confirm({ token, password: another }));
  });

  it('is of no use to a refresh that goes on beside it', async () => {
    const token = await linkTo(ada);
    const [reset, ...pairs] = await Promise.all([
      confirm({ token, password: another }),
      ...Array.from({ length: 8 }, () => refreshed(ada)),
    ]);
    assert.equal(reset.status, 200);
    for (const pair of pairs) {
      if (pair.status === 401) continue;
      const { accessToken, refreshToken } = pair.body as unknown as Person;
      assert.equal((await auth.call('GET /v1/auth/account', { token: accessToken })).status, 401);
      assert.equal((await auth.call('POST /v1/auth/refresh', { body: { refreshToken } })).status, 401);
    }
  });

  it('keeps the link where the password is refused, and judges it as at sign-up', async () => {
    const token = await linkTo(ada);
    const common = await confirm({ token, password: 'password123' });
    assert.deepEqual([common.status, common.body.code], [422, 'password-common']);
    assert.deepEqual((common.body.errors as unknown as { pointer: string }[])[0]?.pointer, '/password');
    assert.equal((await confirm({ token, password: ada.email })).status, 422);
    for (const bad of ['short', 7, null, { $gt: '' }, [another], 'x'.repeat(300)])
      assert.equal((await confirm({ token, password: bad })).status, 400, JSON.stringify(bad));
    assert.equal((await confirm({ token, password: 'x'.repeat(1_000_000) })).status, 413);
    assert.equal((await confirm({ token, password: another })).status, 200);
  });

  it('is refused alike for a link that is unknown, forged, of another kind, replaced or over', async () => {
    const first = await linkTo(ada);
    const token = await linkTo(ada, 2);
    refusedAsLink(await confirm({ token: first, password: another }));
    const eve = await signUp(auth);
    for (const text of forgedFrom(token, await linkTo(eve)))
      refusedAsLink(await confirm({ token: text, password: another }));
    refusedAsLink(await confirm({ token: await mailbox.tokenTo(eve.email, 'verify'), password: another }));
    await sendLink(auth, '/v1/auth/sign-in/link', ada.email);
    refusedAsLink(await confirm({ token: await mailbox.tokenTo(ada.email, 'link'), password: another }));
    world.clock.aheadMs = 15 * 60_000 + 1_000;
    refusedAsLink(await confirm({ token, password: another }));
    world.clock.aheadMs = 0;
    for (const bad of [undefined, 7, null, { $gt: '' }, [token]])
      assert.equal((await confirm({ token: bad, password: another })).status, 400, JSON.stringify(bad));
    assert.equal((await signInWith(ada, password)).status, 200);
  });

  it('is for the account of the link, whomever else a caller names; without a link it is for nobody', async () => {
    const eve = await signUp(auth);
    const token = await linkTo(ada);
    for (const more of [{ email: eve.email }, { accountId: eve.id }, { id: eve.id }, { emailKey: eve.email }])
      assert.equal((await confirm({ token, password: another, ...more })).status, 400, JSON.stringify(more));
    assert.equal((await confirm({ password: another })).status, 400);
    assert.equal((await confirm({ token, password: another })).status, 200);
    assert.equal((await signInWith(eve, password)).status, 200);
    assert.equal((await signInWith(eve, another)).status, 401);
  });

  it('leaves the second factor: it is asked for as ever', async () => {
    const totp = await enrolTotp(world, auth, ada);
    const reset = await confirm({ token: await linkTo(ada), password: another });
    assert.equal(reset.status, 200);
    const first = await signInWith(ada, another);
    assert.equal(first.body.status, 'mfa-required');
    const { mfaToken } = first.body as unknown as { mfaToken: string };
    const body = { mfaToken, totp: await totp.code() };
    assert.equal((await auth.call('POST /v1/auth/sign-in/second-factor', { body })).status, 200);
  });

  it('lets in whom strangers have locked out: by the device that has set it', async () => {
    const totp = await enrolTotp(world, auth, ada);
    await lockAccount(world, auth, ada.email);
    const { deviceToken } = (await confirm({ token: await linkTo(ada), password: another })).body as unknown as {
      deviceToken: string;
    };
    assert.equal((await signInWith(ada, another)).status, 429);
    const first = await signInWith(ada, another, { deviceToken });
    assert.equal(first.body.status, 'mfa-required');
    const { mfaToken } = first.body as unknown as { mfaToken: string };
    const body = { mfaToken, totp: await totp.code(), deviceToken };
    assert.equal((await auth.call('POST /v1/auth/sign-in/second-factor', { body })).status, 200);
    assert.equal((await signInWith(ada, 'not the right one')).status, 401);
  });

  it('gives an account that nobody had confirmed to whoever reads the mail, without the factors of whoever had made it', async () => {
    const eve = await signUp(auth);
    await enrolTotp(world, auth, eve);
    assert.equal((await confirm({ token: await linkTo(eve), password: another })).status, 200);
    const owner = personOf(await signInWith(eve, another));
    const account = await auth.call('GET /v1/auth/account', { token: owner.accessToken });
    assert.deepEqual([account.body.emailVerified, account.body.hasSecondFactor], [true, false]);
    assert.equal(await world.db.collection('factors').countDocuments({ accountId: eve.id }), 0);
  });

  it('voids the other links of the account, and is no way around an administrator', async () => {
    await sendLink(auth, '/v1/auth/sign-in/link', ada.email);
    const link = await mailbox.tokenTo(ada.email, 'link');
    assert.equal((await confirm({ token: await linkTo(ada), password: another })).status, 200);
    refusedAsLink(await auth.call('POST /v1/auth/sign-in/link/redeem', { body: { token: link } }));
    const token = await linkTo(ada, 2);
    const by = { token: (await signInAdministrator(auth)).accessToken };
    const path = `/v1/auth/accounts/${ada.id}`;
    assert.equal((await auth.call(`POST ${path}/disable`, { ...by, body: {} })).status, 200);
    const answer = await confirm({ token, password });
    assert.deepEqual([answer.status, answer.body.code], [403, 'account-disabled']);
    assert.equal((await auth.call(`POST ${path}/enable`, by)).status, 200);
    assert.equal((await signInWith(ada, another)).status, 200);
  });

  it('is answered alike for an address that nobody has, and mailed to nobody', async () => {
    const nobody = randomEmail();
    const answers = [nobody, ada.email].map((email) => sendLink(auth, '/v1/auth/password/reset', email));
    const told = (await Promise.all(answers)).map(({ headers }) => alike(headers));
    assert.deepEqual(told[0], told[1]);
    const proof = await world.db.collection('proofs').findOne({ emailKey: nobody });
    await recorded(`proof/${String(proof?._id)}`, 'auth.proof.withdrawn');
    assert.equal(await world.db.collection('mails').countDocuments({ to: nobody }), 0);
  });

  it('leaves neither link nor password in a row or an event', async () => {
    const token = await linkTo(ada);
    assert.equal((await confirm({ token, password: another })).status, 200);
    await mailbox.mailAbout(ada.email, 'Your password for 127.0.0.1:8080 was changed');
    const secrets = [token.slice(-43), another];
    for (const name of ['proofs', 'accounts', 'mails', 'mailbox', 'events', 'handled', 'audit', 'link-quotas']) {
      const rows = JSON.stringify(await world.db.collection(name).find({}).toArray());
      for (const secret of secrets) assert.ok(!rows.includes(secret), name);
    }
    for (const secret of secrets) assert.ok(!JSON.stringify(published.all).includes(secret));
  });
});
