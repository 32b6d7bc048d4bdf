import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';

import { accountUpdate } from '../../testing/account-update.ts';
import { claimsOf, openTestAuth, password, randomEmail, signIn, signUp } from '../../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestCall, TestReplica } from '../../testing/test-auth.ts';
import { forgedFrom, refusedAsLink, sendLink, verifyAddress } from '../../testing/test-links.ts';
import { openTestMailbox } from '../../testing/test-mailbox.ts';
import type { TestMailbox } from '../../testing/test-mailbox.ts';
import { enrolTotp } from '../../testing/test-totp.ts';

describe("changing an account's address", () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  let mailbox: TestMailbox;
  let ada: Person;
  let target: string;

  const ask = ({ accessToken: token }: Person, email: unknown) =>
    auth.call('POST /v1/auth/email', { body: { email }, token });
  const confirm = (body: unknown, options: TestCall = {}) =>
    auth.call('POST /v1/auth/email/confirm', { body, ...options });
  const linkTo = async (person: Person, email: string, count?: number): Promise<string> => {
    const answer = await ask(person, email);
    assert.deepEqual([answer.status, answer.body], [202, { status: 'link-sent' }], JSON.stringify(answer.body));
    return mailbox.tokenTo(email, 'email', count);
  };
  const accountOf = async ({ accessToken: token }: Person) => (await auth.call('GET /v1/auth/account', { token })).body;
  const rowOf = ({ id }: Person) =>
    world.db.collection<{ _id: string; emailKeys: string[]; revision: number }>('accounts').findOne({ _id: id });
  const told = ({ status, body }: Answered) => [status, body.code];

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    published = await world.published();
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    world.clock.aheadMs = 0;
    target = randomEmail();
    ada = await signUp(auth);
    await verifyAddress(auth, mailbox, ada);
  });

  it('takes the link to the new one, tells both, and ends all other sessions', async () => {
    const second = await signIn(auth, ada.email);
    const token = await linkTo(ada, target);
    const [mail] = await mailbox.mailsTo(target);
    assert.ok(mail?.text.includes(`http://127.0.0.1:8080/account/email/${token}\n`));
    assert.equal((await accountOf(ada)).email, ada.email);
    const answer = await confirm({ token }, { token: ada.accessToken });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { status, account, accessToken } = answer.body as unknown as Person & {
      status: string;
      account: { email: string; emailVerified: boolean };
    };
    assert.deepEqual([status, account.email, account.emailVerified], ['email-changed', target, true]);
    assert.deepEqual([claimsOf(accessToken).sid, claimsOf(accessToken).av], [ada.sessionId, 2]);
    assert.equal((await auth.call('GET /v1/auth/account', { token: accessToken })).status, 200);
    assert.equal((await auth.call('GET /v1/auth/account', { token: second.accessToken })).status, 401);
    const over = await auth.call('POST /v1/auth/refresh', { body: { refreshToken: second.refreshToken } });
    assert.equal(over.status, 401);
    await signIn(auth, target);
    assert.deepEqual(told(await auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password } })), [
      ...[401, 'invalid-credentials'],
    ]);
    const updated = await accountUpdate(published, ada.id, 'email');
    const { email, previousEmail, changed, sessionsFrom } = updated.data as Record<string, unknown>;
    assert.deepEqual([email, previousEmail, changed, sessionsFrom], [target, ada.email, ['email'], 2]);
    const undo = await mailbox.mailAbout(ada.email, 'Your account at 127.0.0.1:8080 has another address now');
    assert.match(undo.text, /http:\/\/127\.0\.0\.1:8080\/account\/undo\/cwp_\S+\n/);
    // Whoever reads the mail of before is not told where the account has gone.
    assert.ok(!JSON.stringify(await mailbox.mailsTo(ada.email)).includes(target));
    await mailbox.mailAbout(target, 'This is your address for 127.0.0.1:8080 now');
  });

  it('opens nothing any more once the account is claimed by whoever reads its mail, or has a second factor', async () => {
    const eve = await signUp(auth);
    const early = await linkTo(eve, target);
    const own = { token: await mailbox.tokenTo(eve.email, 'verify') };
    await sendLink(auth, '/v1/auth/sign-in/link', eve.email);
    const link = { token: await mailbox.tokenTo(eve.email, 'link') };
    assert.equal((await auth.call('POST /v1/auth/sign-in/link/redeem', { body: link })).status, 200);
    refusedAsLink(await confirm({ token: early, password }));
    refusedAsLink(await auth.call('POST /v1/auth/email/verify', { body: { ...own, password } }));

    const other = randomEmail();
    const token = await linkTo(ada, other);
    await enrolTotp(world, auth, ada);
    refusedAsLink(await confirm({ token }, { token: ada.accessToken }));
    assert.equal((await rowOf(ada))?.emailKeys[0], ada.email);
  });

  it('takes the session or the password beside the link: that does not say whose the account is', async () => {
    const token = await linkTo(ada, target);
    const eve = await signUp(auth);
    assert.deepEqual(told(await confirm({ token })), [401, 'invalid-credentials']);
    assert.deepEqual(told(await confirm({ token }, { token: eve.accessToken })), [401, 'invalid-credentials']);
    const wrong = await confirm({ token, password: 'not the right one' });
    assert.deepEqual(told(wrong), [401, 'invalid-credentials']);
    const answer = await confirm({ token, password });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(Object.keys(answer.body).sort(), ['account', 'deviceToken', 'status']);
    // No session was shown: none stays.
    assert.equal((await auth.call('GET /v1/auth/account', { token: ada.accessToken })).status, 401);
  });

  it('is asked for by whoever has proved lately who they are, and told alike whether or not somebody has the address', async () => {
    const eve = await signUp(auth);
    const free = await ask(ada, target);
    const taken = await ask(ada, eve.email);
    assert.deepEqual([taken.status, taken.body], [free.status, free.body]);
    assert.deepEqual([...taken.headers.keys()].sort(), [...free.headers.keys()].sort());
    assert.equal((await auth.call('POST /v1/auth/email', { body: { email: target } })).status, 401);
    for (const bad of ['nobody', 7, null, { $gt: '' }, [target]]) assert.equal((await ask(ada, bad)).status, 400);
    world.clock.aheadMs = -16 * 60_000;
    const early = await signIn(auth, ada.email);
    world.clock.aheadMs = 0;
    const later = await auth.call('POST /v1/auth/refresh', { body: { refreshToken: early.refreshToken } });
    const refused = await ask(later.body as unknown as Person, target);
    assert.deepEqual(told(refused), [401, 'insufficient-authentication']);
    assert.match(refused.headers.get('www-authenticate') ?? '', /max_age="900"/);
  });

  it('tells of an address that somebody has to nobody but its owner, and leaves it to them', async () => {
    const eve = await signUp(auth);
    const token = await linkTo(ada, eve.email);
    assert.deepEqual(told(await confirm({ token }, { token: ada.accessToken })), [409, 'email-taken']);
    assert.equal((await accountOf(ada)).email, ada.email);
    await signIn(auth, eve.email);
  });

  it('gives an address to one of two accounts that take it at once, and is done once by any number', async () => {
    const eve = await signUp(auth);
    const [one, other] = [await linkTo(ada, target), await linkTo(eve, target, 2)];
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, () => confirm({ token: one }, { token: ada.accessToken })),
      ...Array.from({ length: 5 }, () => confirm({ token: other }, { token: eve.accessToken })),
    ]);
    const done = answers.filter(({ status }) => status === 200);
    assert.equal(done.length, 1, JSON.stringify(answers.map(told)));
    for (const answer of answers) assert.ok([200, 401, 404, 409].includes(answer.status), JSON.stringify(answer.body));
    assert.equal(await world.db.collection('accounts').countDocuments({ emailKey: target }), 1);
  });

  it('is refused alike for a link that is unknown, forged, of another kind, replaced or over', async () => {
    const by = { token: ada.accessToken };
    const first = await linkTo(ada, target);
    const token = await linkTo(ada, randomEmail());
    refusedAsLink(await confirm({ token: first }, by));
    const eve = await signUp(auth);
    for (const text of forgedFrom(token, await linkTo(eve, randomEmail())))
      refusedAsLink(await confirm({ token: text }, by));
    refusedAsLink(await confirm({ token: await mailbox.tokenTo(eve.email, 'verify') }, by));
    const verifying = await auth.call('POST /v1/auth/email/verify', { body: { token }, ...by });
    refusedAsLink(verifying);
    for (const bad of [
      {},
      { token: 7 },
      { token: { $gt: '' } },
      { token, email: target },
      { token, emailVerified: true },
    ])
      assert.equal((await confirm(bad, by)).status, 400, JSON.stringify(bad));
    world.clock.aheadMs = 3_600_000 + 1_000;
    refusedAsLink(await confirm({ token, password }));
  });

  it('keeps nothing for an address that was never verified, and writes nothing there', async () => {
    const eve = await signUp(auth);
    // Sent by then: a link that is void already is not mailed.
    await mailbox.tokenTo(eve.email, 'verify');
    const token = await linkTo(eve, target);
    assert.equal((await confirm({ token }, { token: eve.accessToken })).status, 200);
    assert.deepEqual((await rowOf(eve))?.emailKeys, [target]);
    // Queued in one transaction with any other of this change.
    await mailbox.mailsTo(target, 2);
    assert.equal((await mailbox.mailsTo(eve.email)).length, 1, 'the link that came with the account, and no more');
    assert.equal((await signUp(auth, eve.email)).email, eve.email);
  });

  it('may write the same address otherwise, and then ends nothing', async () => {
    const written = ada.email.toUpperCase().replace('EXAMPLE.COM', 'example.com');
    const token = await linkTo(ada, written);
    assert.equal((await confirm({ token }, { token: ada.accessToken })).status, 200);
    assert.equal((await accountOf(ada)).email, written);
    assert.deepEqual((await rowOf(ada))?.emailKeys, [ada.email]);
  });
});
