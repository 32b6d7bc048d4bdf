import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

import { openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestCall, TestReplica } from '../testing/test-auth.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';

const hourMs = 3_600_000;

describe('verifying an e-mail address', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  let mailbox: TestMailbox;
  let ada: Person;
  const verify = (body: unknown, options: TestCall = {}) =>
    auth.call('POST /v1/auth/email/verify', { body, ...options });
  const send = (email: unknown) => auth.call('POST /v1/auth/email/verification', { body: { email } });
  const isVerified = async ({ accessToken: token }: Person): Promise<unknown> =>
    (await auth.call('GET /v1/auth/account', { token })).body.emailVerified;
  const proofsOf = ({ email }: { readonly email: string }) =>
    world.db.collection('proofs').find({ emailKey: email }).sort({ createdAt: 1 }).toArray();
  const ended = (subject: string, type: string): Promise<EventEnvelope[]> =>
    published.waitFor((event) => event.subject === subject && event.type === type);
  const refused = (answer: Answered) => {
    assert.deepEqual([answer.status, answer.body.code], [404, 'link-invalid'], JSON.stringify(answer.body));
    assert.equal(answer.headers.get('causeway-event'), null);
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    published = await world.published();
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    world.clock.aheadMs = 0;
    ada = await signUp(auth);
  });

  it('is offered by mail to whoever signs up, and done by the link in a session of the account', async () => {
    const token = await mailbox.tokenTo(ada.email, 'verify');
    const [mail] = await mailbox.mailsTo(ada.email);
    assert.equal(mail?.subject, 'Is this your address for 127.0.0.1:8080?');
    assert.ok(mail.text.includes(`http://127.0.0.1:8080/account/verify/${token}\n`));
    assert.ok(mail.html.includes(`href="http://127.0.0.1:8080/account/verify/${token}"`));
    assert.equal(await isVerified(ada), false);
    const answer = await verify({ token }, { token: ada.accessToken });
    const { deviceToken, ...rest } = answer.body;
    assert.deepEqual([answer.status, rest], [200, { status: 'verified' }]);
    assert.match(String(deviceToken), /^cwd_/);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(await isVerified(ada), true);
    const [proof] = await proofsOf(ada);
    const events = await ended(`proof/${String(proof?._id)}`, 'auth.proof.used');
    const [updated] = await ended(`account/${ada.id}`, 'auth.account.updated');
    assert.deepEqual((answer.headers.get('causeway-event') ?? '').split(', '), [events[0]?.id, updated?.id]);
    assert.deepEqual(updated?.data, {
      ...{ accountId: ada.id, email: ada.email, emailVerified: true, roles: ['member'], changed: ['emailVerified'] },
    });
    assert.deepEqual([updated.authtype, updated.authid], ['app_user', ada.id]);
  });

  it('is done with the password where there is no session: the link alone does not say who made the account', async () => {
    const token = await mailbox.tokenTo(ada.email, 'verify');
    const eve = await signUp(auth);
    for (const attempt of [
      verify({ token }),
      verify({ token }, { token: eve.accessToken }),
      verify({ token, password: 'not the right one' }),
    ]) {
      const answer = await attempt;
      assert.deepEqual([answer.status, answer.body.code], [401, 'invalid-credentials']);
    }
    assert.equal(await isVerified(ada), false);
    assert.equal((await verify({ token, password })).status, 200);
    assert.equal(await isVerified(ada), true);
    assert.equal(await isVerified(eve), false);
  });

  it('is offered to the address as its owner wrote it, however whoever asks writes it', async () => {
    await mailbox.tokenTo(ada.email, 'verify');
    const [local = '', domain = ''] = ada.email.split('@');
    // One letter in full width: another mailbox to some servers, and the same account to us.
    const wide = local.replace(/[a-z]/, (each) => String.fromCodePoint((each.codePointAt(0) ?? 0) + 0xfee0));
    const twin = `${wide}@${domain}`;
    assert.notEqual(twin, ada.email);
    assert.equal((await send(twin)).status, 202);
    const mails = await mailbox.mailsTo(ada.email, 2);
    assert.deepEqual(new Set(mails.map(({ to }) => to)), new Set([ada.email]));
  });

  it('is done once by any number of uses at once, and never again', async () => {
    const token = await mailbox.tokenTo(ada.email, 'verify');
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify({ token }, { token: ada.accessToken })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 19 }, () => 404)]);
    refused(await verify({ token }, { token: ada.accessToken }));
    const account = await world.db.collection<{ _id: string }>('accounts').findOne({ _id: ada.id });
    assert.equal((account as { revision?: number } | null)?.revision, 2);
  });

  it('is refused alike for a link that is unknown, forged, over, or none', async () => {
    const token = await mailbox.tokenTo(ada.email, 'verify');
    const eve = await signUp(auth);
    const evesToken = await mailbox.tokenTo(eve.email, 'verify');
    const forged = [
      ...[
        `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
        token.toLowerCase(),
        `${token}x`,
        token.slice(4),
        '',
      ],
      `${evesToken.slice(0, 31)}${token.slice(31)}`,
      'cwp_06EXAMPLE4Y7S6W0ZQ3V5T1K2M_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    ];
    for (const text of forged) refused(await verify({ token: text, password }));
    world.clock.aheadMs = hourMs + 1_000;
    refused(await verify({ token, password }));
    for (const bad of [{}, { token: 7 }, { token: { $gt: '' } }, { token: [token] }, { token, emailVerified: true }])
      assert.equal((await verify(bad)).status, 400, JSON.stringify(bad));
    assert.equal((await verify({ token: 'x'.repeat(1_000_000) })).status, 413);
    assert.equal((await verify({ token: 'x'.repeat(3_000) })).status, 400);
    assert.equal(await isVerified(eve), false);
  });

  it('takes the newest link alone, and at most five an hour go to one address beside that of its sign-up', async () => {
    const first = await mailbox.tokenTo(ada.email, 'verify');
    for (let count = 2; count <= 6; count += 1) {
      const answer = await send(ada.email.toUpperCase());
      assert.deepEqual([answer.status, answer.body], [202, { status: 'link-sent' }]);
      await mailbox.tokenTo(ada.email, 'verify', count);
    }
    const more = await send(ada.email);
    assert.deepEqual(
      [more.status, more.body, more.headers.get('causeway-event')],
      [202, { status: 'link-sent' }, null],
    );
    const proofs = await proofsOf(ada);
    assert.deepEqual(
      proofs.map(({ status }) => status as string),
      [...Array.from({ length: 5 }, () => 'withdrawn'), 'open'],
    );
    const newest = await mailbox.tokenTo(ada.email, 'verify', 6);
    assert.notEqual(newest, first);
    refused(await verify({ token: first }, { token: ada.accessToken }));
    assert.equal((await verify({ token: newest }, { token: ada.accessToken })).status, 200);
    world.clock.aheadMs = hourMs;
    await send(ada.email);
    assert.equal((await proofsOf(ada)).length, 7);
  });

  it('is answered alike for an address that nobody has or that is verified, and mailed to neither', async () => {
    const verified = await signUp(auth);
    const token = await mailbox.tokenTo(verified.email, 'verify');
    assert.equal((await verify({ token }, { token: verified.accessToken })).status, 200);
    const nobody = { email: randomEmail() };
    const answers = [await send(nobody.email), await send(verified.email), await send(ada.email)];
    const told = answers.map(({ status, body, headers }) => {
      const names = [...headers.keys()].sort();
      return JSON.stringify({ status, body, names, cache: headers.get('cache-control') });
    });
    assert.equal(new Set(told).size, 1, told.join('\n'));
    for (const [index, each] of [nobody, verified].entries()) {
      const proof = (await proofsOf(each)).at(-1);
      const [withdrawn] = await ended(`proof/${String(proof?._id)}`, 'auth.proof.withdrawn');
      const reason = ['unknown-address', 'already-verified'][index];
      assert.equal((withdrawn?.data as { reason: string }).reason, reason);
    }
    assert.equal(await world.db.collection('mails').countDocuments({ to: nobody.email }), 0);
    assert.equal(await world.db.collection('mails').countDocuments({ to: verified.email }), 1);
    for (const bad of ['nobody', 7, null, { $gt: '' }, [ada.email]]) assert.equal((await send(bad)).status, 400);
  });

  it('leaves the link in no row, event or log', async () => {
    const token = await mailbox.tokenTo(ada.email, 'verify');
    await published.waitFor(({ type, subject }) => type === 'auth.mail.sent' && subject.startsWith('mail/'));
    const mac = token.slice(-43);
    for (const name of ['proofs', 'mails', 'mailbox', 'events', 'timers', 'handled', 'tombstones'])
      assert.ok(!JSON.stringify(await world.db.collection(name).find({}).toArray()).includes(mac), name);
    assert.ok(!JSON.stringify(published.all).includes(mac));
  });

  it('is over with the account: its link opens nothing, and nothing of it is kept', async () => {
    const token = await mailbox.tokenTo(ada.email, 'verify');
    const [proof] = await proofsOf(ada);
    await auth.stop();
    auth = await world.replica({ ERASURE_SETTLE_TIME: '1s' });
    const erased = await auth.call('DELETE /v1/auth/account', { body: { password }, token: ada.accessToken });
    assert.equal(erased.status, 202);
    const answer = await verify({ token, password });
    assert.ok([401, 404].includes(answer.status), JSON.stringify(answer.body));
    await ended(`removal/${ada.id}`, 'auth.removal.completed');
    assert.deepEqual(await proofsOf(ada), []);
    refused(await verify({ token, password }));
    const kept = await world.db
      .collection('events')
      .find({ 'event.subject': `proof/${String(proof?._id)}` })
      .toArray();
    assert.ok(kept.length > 0);
    assert.ok(!JSON.stringify(kept).includes(ada.email));
    await auth.stop();
    auth = await world.replica();
  });
});
