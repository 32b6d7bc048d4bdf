import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { newId } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

import { lockAccount } from '../../testing/lock-account.ts';
import { administratorSettings, signInAdministrator } from '../../testing/test-administrator.ts';
import { claimsOf, openTestAuth, password, personOf, signUp } from '../../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../../testing/test-auth.ts';
import { verifyAddress } from '../../testing/test-links.ts';
import { openTestMailbox } from '../../testing/test-mailbox.ts';
import type { TestMailbox } from '../../testing/test-mailbox.ts';
import { addPasskey } from '../../testing/test-passkey.ts';
import type { TestPasskey } from '../../testing/test-passkey.ts';
import { enrolTotp } from '../../testing/test-totp.ts';
import type { TestTotp } from '../../testing/test-totp.ts';

describe('an administrator who removes the second factors of somebody who has lost them', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let published: PublishedEvents;
  let root: Person;
  let ada: Person;
  let totp: TestTotp;
  let key: TestPasskey;

  const remove = (id: string, token = root.accessToken) =>
    auth.call(`DELETE /v1/auth/accounts/${id}/factors`, { token });
  const told = ({ status, body }: Answered) => [status, body.code];
  const enter = (deviceToken?: string) =>
    auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password, deviceToken } });
  const factors = () => world.db.collection('factors').countDocuments({ accountId: ada.id });
  const account = (id = ada.id) =>
    world.db.collection<{ _id: string; hasSecondFactor?: boolean }>('accounts').findOne({ _id: id });

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica(administratorSettings);
    mailbox = await openTestMailbox(world);
    published = await world.published();
    root = await signInAdministrator(auth);
  });
  after(() => world.stop());
  beforeEach(async () => {
    ada = await signUp(auth);
    await verifyAddress(auth, mailbox, ada);
    totp = await enrolTotp(world, auth, ada);
    const proof = { token: ada.accessToken, body: { recoveryCode: totp.recoveryCodes[0] } };
    const stepped = (await auth.call('POST /v1/auth/step-up', proof)).body as unknown as Person;
    key = await addPasskey(auth, stepped);
  });

  it('takes all of them, ends sessions and half sign-ins, and leaves the password', async () => {
    const inside = personOf(await key.signIn());
    const half = await enter();
    assert.equal(half.body.status, 'mfa-required');
    assert.equal(await factors(), 3);
    assert.equal((await remove(ada.id)).status, 204);
    assert.equal(await factors(), 0);
    assert.equal((await account())?.hasSecondFactor, false);
    for (const { accessToken, refreshToken } of [ada, inside]) {
      assert.equal((await auth.call('GET /v1/auth/account', { token: accessToken })).status, 401);
      assert.equal((await auth.call('POST /v1/auth/refresh', { body: { refreshToken } })).status, 401);
    }
    const second = { mfaToken: half.body.mfaToken, recoveryCode: totp.recoveryCodes[1] };
    const late = await auth.call('POST /v1/auth/sign-in/second-factor', { body: second });
    assert.deepEqual(told(late), [404, 'ticket-invalid']);
    assert.deepEqual(told(await key.signIn()), [401, 'passkey-invalid']);
    const anew = personOf(await enter());
    assert.deepEqual([anew.id, claimsOf(anew.accessToken).acr], [ada.id, 'aal1']);
  });

  it('is told of by events and in the audit as who has done it, and the owner by one mail', async () => {
    const answer = await remove(ada.id);
    const named = (answer.headers.get('causeway-event') ?? '').split(', ');
    assert.equal(named.length, 4);
    const events = await published.waitFor(({ id }) => named.includes(id), 4);
    for (const { authtype, authid } of events) assert.deepEqual([authtype, authid], ['app_user', root.id]);
    // Of different things, they come in any order.
    const changes = events.filter(({ type }) => type === 'auth.account.updated').map(({ data }) => data);
    const [{ accountId, changed, by }] = changes as [{ accountId: string; changed: string[]; by: string }];
    assert.deepEqual([accountId, changed, by], [ada.id, ['factors'], root.id]);
    const gone = events.filter(({ type }) => type === 'auth.factor.removed').map(({ data }) => data);
    assert.deepEqual(
      gone.map((data) => (data as { reason: string }).reason),
      ['administrator', 'administrator', 'administrator'],
    );

    const deadline = performance.now() + 60_000;
    const entries = async () => {
      const query = `account=${ada.id}&type=auth.factor.removed`;
      const { body } = await auth.call(`GET /v1/auth/audit?${query}`, { token: root.accessToken });
      return body.items as unknown as { actorId: string; facts: { reason: string } }[];
    };
    while ((await entries()).length < 3) {
      assert.ok(performance.now() < deadline, 'the audit does not have it');
      await delay(50);
    }
    for (const { actorId, facts } of await entries())
      assert.deepEqual([actorId, facts.reason], [root.id, 'administrator']);

    const subject = /The second factors of your account at .* were removed/;
    const mails = async () => (await mailbox.mailsTo(ada.email)).filter((mail) => subject.test(mail.subject));
    while ((await mails()).length === 0) {
      assert.ok(performance.now() < deadline, 'the owner is not told');
      await delay(50);
    }
    const [mail, ...others] = await mails();
    assert.deepEqual(others, []);
    assert.match(mail?.text ?? '', /administrator[\s\S]*\/account\/security[\s\S]*\/account\/reset/);
    assert.doesNotMatch(mail?.text ?? '', new RegExp(`${root.id}|${administratorSettings.CAUSEWAY_ADMIN_EMAIL}`));
  });

  it('makes strangers of its devices', async () => {
    const deviceToken = totp.deviceToken ?? assert.fail('the device is not known');
    await lockAccount(world, auth, ada.email);
    assert.equal((await enter(deviceToken)).status, 200);
    assert.equal((await remove(ada.id)).status, 204);
    assert.equal((await enter(deviceToken)).status, 429);
  });

  it('is done once by any number at once, and changes nothing where there are none', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => remove(ada.id)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(6).fill(204),
    );
    assert.equal(answers.filter(({ headers }) => headers.get('causeway-event') !== null).length, 1);
    const { accessToken: token } = personOf(await enter());
    assert.equal((await remove(ada.id)).headers.get('causeway-event'), null);
    assert.equal((await auth.call('GET /v1/auth/account', { token })).status, 200, 'nobody is signed out by it');
  });

  it('is refused to others, for nobody, and for the own account, which takes two proofs', async () => {
    assert.deepEqual(told(await remove(ada.id, ada.accessToken)), [403, 'forbidden']);
    assert.deepEqual(told(await remove(newId('usr'))), [404, 'not-found']);
    for (const id of ['x', `${ada.id}x`, 'x'.repeat(65)]) assert.ok([400, 404].includes((await remove(id)).status), id);
    const own = await remove(root.id);
    assert.deepEqual(told(own), [409, 'conflict']);
    assert.match(String(own.body.detail), /DELETE \/v1\/auth\/factors/);
    assert.equal(await factors(), 3);
  });

  it('leaves a way in to whoever has no password: a mailed link', async () => {
    await world.db.collection<{ _id: string }>('accounts').updateOne({ _id: ada.id }, { $unset: { passwordHash: 1 } });
    assert.equal((await remove(ada.id)).status, 204);
    assert.equal((await auth.call('POST /v1/auth/sign-in/link', { body: { email: ada.email } })).status, 202);
    const token = await mailbox.tokenTo(ada.email, 'link');
    const entered = await auth.call('POST /v1/auth/sign-in/link/redeem', { body: { token } });
    assert.deepEqual([entered.status, entered.body.status], [200, 'signed-in']);
  });

  it('ends nothing where there is but an app that was never confirmed', async () => {
    const bob = await signUp(auth);
    const begun = await auth.call('POST /v1/auth/factors/totp', { token: bob.accessToken, body: {} });
    assert.equal(begun.status, 201);
    const answer = await remove(bob.id);
    assert.deepEqual([answer.status, answer.headers.get('causeway-event')], [204, null]);
    assert.equal(await world.db.collection('factors').countDocuments({ accountId: bob.id, status: 'pending' }), 1);
    assert.equal((await auth.call('GET /v1/auth/account', { token: bob.accessToken })).status, 200);
  });
});
