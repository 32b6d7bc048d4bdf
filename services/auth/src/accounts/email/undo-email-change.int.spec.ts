import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { lockAccount } from '../../testing/lock-account.ts';
import { openTestAuth, password, personOf, randomEmail, signUp } from '../../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../../testing/test-auth.ts';
import { changeAddress, forgedFrom, refusedAsLink, verifyAddress } from '../../testing/test-links.ts';
import { openTestMailbox } from '../../testing/test-mailbox.ts';
import type { TestMailbox } from '../../testing/test-mailbox.ts';
import { enrolTotp } from '../../testing/test-totp.ts';

describe("undoing the change of an account's address", () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let ada: Person;

  const undo = (token: unknown) => auth.call('POST /v1/auth/email/undo', { body: { token } });
  const change = (person: Person, email: string): Promise<Person> => changeAddress(auth, mailbox, person, email);
  const signUpWith = (email: string) => auth.call('POST /v1/auth/sign-up', { body: { email, password } });
  const keysOf = async ({ id }: Person): Promise<string[] | undefined> =>
    (await world.db.collection<{ _id: string; emailKeys: string[] }>('accounts').findOne({ _id: id }))?.emailKeys;

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

  it('gives the account back to the one of before, whatever was done to it meanwhile', async () => {
    const thief = await change(ada, randomEmail());
    const stolen = 'a password that nobody else knows';
    const body = { currentPassword: password, newPassword: stolen };
    assert.equal((await auth.call('PUT /v1/auth/password', { body, token: thief.accessToken })).status, 200);
    const pending = randomEmail();
    const entered = await auth.call('POST /v1/auth/sign-in', { body: { email: thief.email, password: stolen } });
    const { accessToken } = personOf(entered);
    assert.equal(
      (await auth.call('POST /v1/auth/email', { body: { email: pending }, token: accessToken })).status,
      202,
    );
    const next = await mailbox.tokenTo(pending, 'email');
    const token = await mailbox.tokenTo(ada.email, 'undo');
    const answer = await undo(token);
    assert.deepEqual([answer.status, answer.body], [200, { status: 'email-restored' }]);
    assert.equal((await auth.call('GET /v1/auth/account', { token: accessToken })).status, 401);
    for (const email of [ada.email, thief.email])
      for (const typed of [password, stolen])
        assert.equal((await auth.call('POST /v1/auth/sign-in', { body: { email, password: typed } })).status, 401);
    refusedAsLink(await auth.call('POST /v1/auth/email/confirm', { body: { token: next, password: stolen } }));
    const reset = await mailbox.tokenTo(ada.email, 'reset');
    const chosen = { token: reset, password: 'a lantern under the harbour' };
    assert.equal((await auth.call('POST /v1/auth/password/reset/confirm', { body: chosen })).status, 200);
    const back = await auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password: chosen.password } });
    assert.equal(personOf(back).id, ada.id);
    assert.deepEqual(await keysOf(ada), [ada.email]);
    refusedAsLink(await undo(token));
    await mailbox.mailAbout(ada.email, 'Your account at 127.0.0.1:8080 has this address again');
    await mailbox.mailAbout(thief.email, 'An account at 127.0.0.1:8080 has this address no longer');
    assert.equal((await signUpWith(thief.email)).status, 201);
  });

  it('takes second factors away that were set up since the change, and none that were there', async () => {
    const thief = await change(ada, randomEmail());
    const begun = await auth.call('POST /v1/auth/factors/totp', { body: {}, token: thief.accessToken });
    assert.equal(begun.status, 201, JSON.stringify(begun.body));
    assert.equal((await undo(await mailbox.tokenTo(ada.email, 'undo'))).status, 200);
    assert.equal(await world.db.collection('factors').countDocuments({ accountId: ada.id }), 0);
  });

  it('forgives what was guessed, but where a second factor is left, which is guessed at too', async () => {
    const eve = await signUp(auth);
    await verifyAddress(auth, mailbox, eve);
    const totp = await enrolTotp(world, auth, eve);
    // Long before the change: later ones are not trusted with it.
    const long = new Date(Date.now() - 30 * 24 * 3_600_000);
    const factors = world.db.collection('factors');
    await factors.updateMany({ accountId: eve.id }, { $set: { createdAt: long } });
    await factors.updateMany({ accountId: eve.id, codesAt: { $exists: true } }, { $set: { codesAt: long } });
    const proof = { token: eve.accessToken, body: { totp: await totp.code() } };
    const stepped = (await auth.call('POST /v1/auth/step-up', proof)).body as unknown as Person;
    for (const [person, expected] of [
      [ada, 401],
      [{ ...eve, accessToken: stepped.accessToken }, 429],
    ] as const) {
      await change(person, randomEmail());
      const token = await mailbox.tokenTo(person.email, 'undo');
      await lockAccount(world, auth, person.email);
      assert.equal((await undo(token)).status, 200);
      const body = { email: person.email, password: 'not the right one' };
      assert.equal((await auth.call('POST /v1/auth/sign-in', { body })).status, expected);
    }
  });

  it('is done once by any number at once', async () => {
    await change(ada, randomEmail());
    const token = await mailbox.tokenTo(ada.email, 'undo');
    const answers = await Promise.all(Array.from({ length: 12 }, () => undo(token)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 11 }, () => 404)]);
  });

  it('undoes all that came after it, by the first of a chain; the last undoes itself alone', async () => {
    const [second, third] = [randomEmail(), randomEmail()];
    await change(await change(ada, second), third);
    assert.deepEqual(await keysOf(ada), [third, second, ada.email]);
    const [early, late] = [await mailbox.tokenTo(ada.email, 'undo'), await mailbox.tokenTo(second, 'undo')];
    assert.equal((await undo(late)).status, 200);
    assert.deepEqual(await keysOf(ada), [second, ada.email]);
    assert.equal((await undo(early)).status, 200);
    assert.deepEqual(await keysOf(ada), [ada.email]);

    const eve = await signUp(auth);
    await verifyAddress(auth, mailbox, eve);
    const others = [randomEmail(), randomEmail()] as const;
    await change(await change(eve, others[0]), others[1]);
    const [first, last] = [await mailbox.tokenTo(eve.email, 'undo'), await mailbox.tokenTo(others[0], 'undo')];
    assert.equal((await undo(first)).status, 200);
    assert.deepEqual(await keysOf(eve), [eve.email]);
    refusedAsLink(await undo(last));
  });

  it('is refused for what is no such link', async () => {
    await change(ada, randomEmail());
    const token = await mailbox.tokenTo(ada.email, 'undo');
    const eve = await signUp(auth);
    await verifyAddress(auth, mailbox, eve);
    await change(eve, randomEmail());
    for (const text of forgedFrom(token, await mailbox.tokenTo(eve.email, 'undo'))) refusedAsLink(await undo(text));
    for (const bad of [undefined, 7, null, { $gt: '' }, [token]]) assert.equal((await undo(bad)).status, 400);
    world.clock.aheadMs = 3 * 24 * 3_600_000 + 1_000;
    refusedAsLink(await undo(token));
  });
});
