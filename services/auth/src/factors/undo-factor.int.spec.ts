import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { openCountedGuesses } from '../testing/counted-guesses.ts';
import { lockAccount } from '../testing/lock-account.ts';
import { openTestAuth, password, personOf, randomEmail, signIn, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { changeAddress, forgedFrom, refusedAsLink, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { addPasskey } from '../testing/test-passkey.ts';
import { enrolTotp } from '../testing/test-totp.ts';

describe('taking a second factor back that somebody else has added', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let ada: Person;

  const undo = (token: unknown) => auth.call('POST /v1/auth/factors/undo', { body: { token } });
  const linkOf = ({ email }: Person, count = 1) => mailbox.tokenTo(email, 'take-back', count);
  const told = ({ status, body }: Answered) => [status, 'code' in body ? body.code : body.status];
  const enter = (email: string, typed = password) =>
    auth.call('POST /v1/auth/sign-in', { body: { email, password: typed } });
  const factorsOf = async ({ id: accountId }: Person): Promise<string[]> =>
    (await world.db.collection('factors').find({ accountId }).toArray()).map(({ kind }) => String(kind)).sort();
  const accountOf = ({ id }: Person) =>
    world.db.collection<{ _id: string; revision: number; hasSecondFactor?: boolean }>('accounts').findOne({ _id: id });
  const ticketsOf = ({ id: accountId }: Person) => world.db.collection('tickets').countDocuments({ accountId });
  const remove = async (id: string, token: string): Promise<void> => {
    assert.equal((await auth.call(`DELETE /v1/auth/factors/${id}`, { token })).status, 204);
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    world.clock.aheadMs = 0;
    ada = await signUp(auth);
    await verifyAddress(auth, mailbox, ada);
  });

  it('leaves nothing of it: no session, no half sign-in, no password', async () => {
    const mine = await signIn(auth, ada.email);
    const key = await addPasskey(auth, ada);
    const thief = personOf(await key.signIn());
    const half = await enter(ada.email);
    assert.equal(half.body.status, 'mfa-required');
    assert.ok((await ticketsOf(ada)) > 0);
    const token = await linkOf(ada);
    const answer = await undo(token);
    assert.deepEqual(told(answer), [200, 'factor-undone']);
    for (const { accessToken } of [ada, mine, thief])
      assert.equal((await auth.call('GET /v1/auth/account', { token: accessToken })).status, 401);
    const { refreshToken } = thief;
    assert.equal((await auth.call('POST /v1/auth/refresh', { body: { refreshToken } })).status, 401);
    assert.deepEqual(told(await key.signIn()), [401, 'passkey-invalid']);
    assert.deepEqual(told(await enter(ada.email)), [401, 'invalid-credentials']);
    const { mfaToken } = half.body;
    const second = {
      mfaToken,
      recoveryCode: (key.registered.body as unknown as { recoveryCodes: string[] }).recoveryCodes[0],
    };
    assert.equal((await auth.call('POST /v1/auth/sign-in/second-factor', { body: second })).status, 404);
    assert.equal(await ticketsOf(ada), 0);
    assert.deepEqual(await factorsOf(ada), []);
    refusedAsLink(await undo(token));

    const chosen = { token: await mailbox.tokenTo(ada.email, 'reset'), password: 'a lantern under the harbour' };
    assert.equal((await auth.call('POST /v1/auth/password/reset/confirm', { body: chosen })).status, 200);
    assert.deepEqual(told(await enter(ada.email, chosen.password)), [200, 'signed-in']);
    await mailbox.mailAbout(ada.email, 'Your account at 127.0.0.1:8080 has the second factors of before');
    const others = await world.db
      .collection('mails')
      .countDocuments({ accountId: ada.id, template: 'password-removed' });
    assert.equal(others, 0, 'it has a mail of its own');
  });

  it('leaves what there was before, with its recovery codes', async () => {
    const totp = await enrolTotp(world, auth, ada);
    await linkOf(ada);
    const by = { token: ada.accessToken, body: { totp: await totp.code() } };
    const sure = { ...ada, ...((await auth.call('POST /v1/auth/step-up', by)).body as Partial<Person>) };
    const key = await addPasskey(auth, sure);
    assert.deepEqual(told(await undo(await linkOf(ada, 2))), [200, 'factor-undone']);
    assert.deepEqual(await factorsOf(ada), ['recovery-codes', 'totp']);
    assert.equal((await accountOf(ada))?.hasSecondFactor, true);
    assert.deepEqual(told(await key.signIn()), [401, 'passkey-invalid']);
  });

  it('keeps no owner out: their device is trusted since before, though they have signed in from there meanwhile', async () => {
    const totp = await enrolTotp(world, auth, ada);
    const own = totp.deviceToken ?? assert.fail('the device is not known by it');
    await linkOf(ada);
    const by = { token: ada.accessToken, body: { totp: await totp.code() } };
    const sure = { ...ada, ...((await auth.call('POST /v1/auth/step-up', by)).body as Partial<Person>) };
    await addPasskey(auth, sure);
    const enterFrom = async (deviceToken: string | undefined, code = 0): Promise<string> => {
      const first = { email: ada.email, password, deviceToken };
      const { mfaToken } = (await auth.call('POST /v1/auth/sign-in', { body: first })).body;
      const second = { mfaToken, recoveryCode: totp.recoveryCodes[code], deviceToken };
      const answer = await auth.call('POST /v1/auth/sign-in/second-factor', { body: second });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return String(answer.body.deviceToken);
    };
    const since = await enterFrom(own);
    const stranger = await enterFrom(undefined, 1);
    assert.deepEqual(told(await undo(await linkOf(ada, 2))), [200, 'factor-undone']);
    const guess = async (deviceToken?: string): Promise<number> => {
      const body = { email: ada.email, password: 'not the right one', deviceToken };
      return (await auth.call('POST /v1/auth/sign-in', { body })).status;
    };
    assert.equal(await guess(), 401);
    const counted = await openCountedGuesses(world);
    await counted.lock(ada.email).finally(() => counted.stop());
    assert.deepEqual([await guess(), await guess(stranger), await guess(since)], [429, 429, 401]);
  });

  it('takes recovery codes away that were made anew since', async () => {
    const key = await addPasskey(auth, ada);
    await linkOf(ada);
    const thief = personOf(await key.signIn());
    await enrolTotp(world, auth, thief);
    const made = await auth.call('POST /v1/auth/factors/recovery-codes', { token: thief.accessToken });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    assert.deepEqual(told(await undo(await linkOf(ada, 2))), [200, 'factor-undone']);
    assert.deepEqual(await factorsOf(ada), ['passkey']);
    assert.equal((await key.signIn()).status, 200);
  });

  it('takes away what was added after it, though it is gone itself', async () => {
    const key = await addPasskey(auth, ada);
    const token = await linkOf(ada);
    const thief = personOf(await key.signIn());
    const other = await addPasskey(auth, thief);
    await remove(key.id, thief.accessToken);
    const second = await linkOf(ada, 2);
    assert.deepEqual(told(await undo(token)), [200, 'factor-undone']);
    assert.deepEqual(told(await other.signIn()), [401, 'passkey-invalid']);
    assert.deepEqual(await factorsOf(ada), []);
    refusedAsLink(await undo(second));
  });

  it('is no way to the last second factor of an account that had another', async () => {
    const totp = await enrolTotp(world, auth, ada);
    await linkOf(ada);
    const by = { token: ada.accessToken, body: { totp: await totp.code() } };
    const sure = { ...ada, ...((await auth.call('POST /v1/auth/step-up', by)).body as Partial<Person>) };
    const key = await addPasskey(auth, sure);
    await remove(totp.id, sure.accessToken);
    const token = await linkOf(ada, 2);
    const before = await accountOf(ada);
    assert.deepEqual(told(await undo(token)), [409, 'sole-factor']);
    assert.deepEqual((await accountOf(ada))?.revision, before?.revision);
    assert.equal((await key.signIn()).status, 200);
    assert.deepEqual(await factorsOf(ada), ['passkey', 'recovery-codes']);
  });

  it('opens nothing once the account has another address', async () => {
    const key = await addPasskey(auth, ada);
    const token = await linkOf(ada);
    const thief = { ...ada, ...personOf(await key.signIn()) };
    await changeAddress(auth, mailbox, thief, randomEmail());
    refusedAsLink(await undo(token));
    const taken = await mailbox.tokenTo(ada.email, 'undo');
    assert.equal((await auth.call('POST /v1/auth/email/undo', { body: { token: taken } })).status, 200);
    assert.deepEqual(await factorsOf(ada), []);
  });

  it('forgives no guesses', async () => {
    await addPasskey(auth, ada);
    const token = await linkOf(ada);
    await lockAccount(world, auth, ada.email);
    assert.equal((await undo(token)).status, 200);
    assert.equal((await enter(ada.email)).status, 429);
  });

  it('is done once by any number at once', async () => {
    await addPasskey(auth, ada);
    const token = await linkOf(ada);
    const answers = await Promise.all(Array.from({ length: 12 }, () => undo(token)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 11 }, () => 404)]);
  });

  it('is refused for what is no such link', async () => {
    await addPasskey(auth, ada);
    const token = await linkOf(ada);
    const eve = await signUp(auth);
    await verifyAddress(auth, mailbox, eve);
    await addPasskey(auth, eve);
    for (const text of forgedFrom(token, await linkOf(eve))) refusedAsLink(await undo(text));
    for (const bad of [undefined, 7, null, { $gt: '' }, [token]]) assert.equal((await undo(bad)).status, 400);
    refusedAsLink(await auth.call('POST /v1/auth/email/undo', { body: { token } }));
    world.clock.aheadMs = 3 * 24 * 3_600_000 + 1_000;
    refusedAsLink(await undo(token));
  });
});
