import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { eventsOf, handledBy } from '../testing/handled-by.ts';
import { openTestAuth, password, personOf, randomEmail, signIn, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { markVerified } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { enrolTotp } from '../testing/test-totp.ts';

describe('what an account owner is told by mail', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let ada: Person;
  let mailbox: TestMailbox;

  const told = async ({ id: accountId }: Person, template: string): Promise<number> =>
    world.db.collection('mails').countDocuments({ accountId, template });
  const refresh = (refreshToken: string): Promise<Answered> =>
    auth.call('POST /v1/auth/refresh', { body: { refreshToken } });
  /** Has the first token of a session come back after the second exchange. */
  const reuse = async ({ refreshToken }: Person): Promise<void> => {
    const next = await refresh(refreshToken);
    assert.equal((await refresh((next.body as unknown as Person).refreshToken)).status, 200);
    const answer = await refresh(refreshToken);
    assert.equal(answer.body.code, 'refresh-reused');
    await handledBy(world, 'mail-of-reuse', eventsOf(answer));
  };
  /** Changes the password to another and another. */
  const changePassword = async ({ accessToken }: Person, times: number): Promise<void> => {
    let [token, currentPassword] = [accessToken, password];
    for (let count = 0; count < times; count += 1) {
      const body = { currentPassword, newPassword: `a lantern under harbour ${count}` };
      const answer = await auth.call('PUT /v1/auth/password', { token, body });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      await handledBy(world, 'mail-of-password', eventsOf(answer));
      [token, currentPassword] = [(answer.body as unknown as Person).accessToken, body.newPassword];
    }
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
  });
  after(() => world.stop());
  beforeEach(async () => {
    world.clock.aheadMs = 0;
    ada = await signUp(auth);
    mailbox = await openTestMailbox(world);
  });

  it('goes to no address that nobody has verified, whatever is done in the account', async () => {
    await reuse(await signIn(auth, ada.email));
    await changePassword(ada, 2);
    await mailbox.tokenTo(ada.email, 'verify');
    assert.deepEqual(await world.db.collection('mails').distinct('template', { accountId: ada.id }), ['verify-email']);
  });

  it('is not lost where the mails of a kind are used up: one says that there was more, and where to look', async () => {
    await markVerified(world, ada);
    await changePassword(ada, 8);
    assert.equal(await told(ada, 'password-changed'), 5);
    const look = 'Look at your account at 127.0.0.1:8080';
    const { text } = await mailbox.mailAbout(ada.email, look);
    const words =
      /Your password was changed at 127\.0\.0\.1:8080 more than five times within an hour, the last time at \d{4}-/;
    assert.match(text, words);
    for (const page of ['activity', 'reset', 'security'])
      assert.ok(text.includes(`http://127.0.0.1:8080/account/${page}\n`), page);
    assert.equal(await told(ada, 'more-changes'), 1, 'once for all that follow');
    // Of another kind there are all, and their own end.
    for (let count = 1; count <= 7; count += 1) {
      const answer = await auth.call('POST /v1/auth/sign-in', {
        body: { email: ada.email, password: 'a lantern under harbour 7' },
      });
      await reuse(personOf(answer));
    }
    assert.equal(await told(ada, 'refresh-reused'), 5);
    assert.equal(await told(ada, 'more-changes'), 2);
    world.clock.aheadMs = 3_600_000 + 60_000;
    const later = await auth.call('POST /v1/auth/sign-in', {
      body: { email: ada.email, password: 'a lantern under harbour 7' },
    });
    await reuse(personOf(later));
    assert.equal(await told(ada, 'refresh-reused'), 6);
  });

  it('is an authenticator app that was removed, however many passkeys were', async () => {
    await markVerified(world, ada);
    const totp = await enrolTotp(world, auth, ada);
    const proof = { token: ada.accessToken, body: { totp: await totp.code() } };
    const { accessToken: token } = (await auth.call('POST /v1/auth/step-up', proof)).body as unknown as Person;
    const passkeys = Array.from({ length: 5 }, (_, index) => ({
      ...{
        _id: `mal_${ada.id}_${index}`,
        accountId: ada.id,
        to: ada.email,
        template: 'factor-removed',
        status: 'sent',
      },
      ...{ params: { factor: 'a passkey' }, createdAt: new Date() },
    }));
    await world.db.collection<{ _id: string }>('mails').insertMany(passkeys);
    const gone = await auth.call(`DELETE /v1/auth/factors/${totp.id}`, { token });
    assert.equal(gone.status, 204);
    const { text } = await mailbox.mailAbout(
      ada.email,
      'A second factor was removed from your account at 127.0.0.1:8080',
    );
    assert.match(text, /an authenticator app/);
    assert.equal(await told(ada, 'factor-removed'), 6);
    assert.equal(await told(ada, 'more-changes'), 0);
  });

  it('is a token that came back, five times an hour at most', async () => {
    await markVerified(world, ada);
    await reuse(ada);
    for (let count = 1; count < 7; count += 1) await reuse(await signIn(auth, ada.email));
    assert.equal(await told(ada, 'refresh-reused'), 5);
    world.clock.aheadMs = 3_600_000 + 60_000;
    await reuse(await signIn(auth, ada.email));
    assert.equal(await told(ada, 'refresh-reused'), 6);
  });

  it('is another password, five times an hour at most, whatever else was told', async () => {
    await markVerified(world, ada);
    await reuse(await signIn(auth, ada.email));
    await changePassword(ada, 7);
    assert.equal(await told(ada, 'password-changed'), 5);
    assert.equal(await told(ada, 'refresh-reused'), 1);
  });

  it('is other recovery codes, five times an hour at most', async () => {
    await markVerified(world, ada);
    const totp = await enrolTotp(world, auth, ada);
    const proof = { token: ada.accessToken, body: { totp: await totp.code() } };
    const sure = await auth.call('POST /v1/auth/step-up', proof);
    const by = { token: (sure.body as unknown as Person).accessToken };
    for (let count = 0; count < 7; count += 1) {
      const answer = await auth.call('POST /v1/auth/factors/recovery-codes', by);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      await handledBy(world, 'mail-of-factor', eventsOf(answer));
    }
    assert.equal(await told(ada, 'recovery-codes-renewed'), 5);
  });

  it('is counted by address: what a thief was told at another uses up none of the owner’s', async () => {
    await markVerified(world, ada);
    const thief = Array.from({ length: 5 }, (_, index) => ({
      ...{ _id: `mal_${ada.id}_${index}`, accountId: ada.id, to: randomEmail(), template: 'password-changed' },
      ...{ status: 'sent', params: {}, createdAt: new Date() },
    }));
    await world.db.collection<{ _id: string }>('mails').insertMany(thief);
    await changePassword(ada, 1);
    assert.equal(await told(ada, 'password-changed'), 6);
    assert.equal(await told(ada, 'more-changes'), 0);
  });
});
