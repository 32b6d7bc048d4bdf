import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';

import { openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { sendLink, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { createLinkQuota } from './link-quota.ts';

const hourMs = 3_600_000;
const path = '/v1/auth/sign-in/link';

describe('how many links go to an address', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let other: TestReplica;
  let mailbox: TestMailbox;
  const calls = [path, '/v1/auth/password/reset', '/v1/auth/email/verification'];
  const madeFor = (emailKey: string): Promise<number> => world.db.collection('proofs').countDocuments({ emailKey });
  /** Whether a link is made. No answer says it. */
  const makes = async (emailKey: string, call: () => Promise<Answered>): Promise<boolean> => {
    const before = await madeFor(emailKey);
    const answer = await call();
    assert.deepEqual([answer.status, answer.body], [202, { status: 'link-sent' }], JSON.stringify(answer.body));
    assert.equal(answer.headers.get('causeway-event'), null, 'it tells whether others have asked');
    return (await madeFor(emailKey)) > before;
  };
  const ask = (call: string, email: string, replica = auth): Promise<boolean> =>
    makes(email, () => sendLink(replica, call, email));
  const askTimes = async (call: string, email: string, times: number): Promise<boolean[]> => {
    const sent: boolean[] = [];
    for (let count = 0; count < times; count += 1) sent.push(await ask(call, email));
    return sent;
  };

  const change = ({ accessToken: token }: Person, email: string): Promise<boolean> =>
    makes(email, () => auth.call('POST /v1/auth/email', { body: { email }, token }));

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    other = await world.replica();
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  afterEach(() => {
    world.clock.aheadMs = 0;
  });

  it('is five an hour of a kind, however many ask at once and of whom', async () => {
    for (const call of calls) {
      const email = randomEmail();
      const body = { email };
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, each) => (each % 2 === 0 ? auth : other).call(`POST ${call}`, { body })),
      );
      // On a machine with much else to do, some of those that make a link at once are told to come again.
      for (const { status } of answers) assert.ok([202, 503].includes(status), `${status}`);
      const sent = await madeFor(email);
      assert.ok(sent >= 1 && sent <= 5, `${sent} of ${call}`);
      const proofs = world.db.collection('proofs');
      assert.ok((await proofs.countDocuments({ emailKey: email, status: 'open' })) <= 1);
      assert.equal(await ask(call, email), false);
    }
  });

  it('is five more as soon as these are dead: while all places are taken, one that was mailed works', async () => {
    const lifetimesMs = [hourMs / 4, hourMs / 4, hourMs];
    for (const [index, call] of calls.entries()) {
      world.clock.aheadMs = 0;
      const email = randomEmail();
      assert.deepEqual(await askTimes(call, email, 6), [true, true, true, true, true, false]);
      world.clock.aheadMs = (lifetimesMs[index] ?? 0) - 60_000;
      assert.equal(await ask(call, email), false);
      const alive = { emailKey: email, expiresAt: { $gt: new Date(Date.now() + world.clock.aheadMs) } };
      assert.ok((await world.db.collection('proofs').countDocuments(alive)) > 0);
      world.clock.aheadMs = lifetimesMs[index] ?? 0;
      assert.deepEqual(await askTimes(call, email, 6), [true, true, true, true, true, false]);
    }
  });

  it('is twenty an hour, however soon they are dead', async () => {
    const hasty = await world.replica({ RESET_LIFETIME: '1m' });
    const email = randomEmail();
    for (let minute = 0; minute < 60; minute += 5) {
      world.clock.aheadMs = minute * 60_000;
      for (let count = 0; count < 6; count += 1) await ask(path, email, hasty);
    }
    assert.equal(await madeFor(email), 20);
    await hasty.stop();
  });

  it('is five more for devices that were signed in from: strangers use up none of theirs, nor they of strangers', async () => {
    const [ada, eve] = [await signUp(auth), await signUp(auth)];
    const tokenOf = async (person: Person): Promise<string> => {
      await verifyAddress(auth, mailbox, person);
      const answer = await auth.call('POST /v1/auth/sign-in', { body: { email: person.email, password } });
      return String(answer.body.deviceToken);
    };
    const [own, others] = [await tokenOf(ada), await tokenOf(eve)];
    for (const call of calls.slice(0, 2)) {
      const from = (deviceToken: string) =>
        makes(ada.email, () => auth.call(`POST ${call}`, { body: { email: ada.email, deviceToken } }));
      assert.deepEqual(await askTimes(call, ada.email, 6), [true, true, true, true, true, false]);
      for (const token of [others, '', `${own}x`]) assert.equal(await from(token), false, token);
      const headers = { cookie: `causeway-device=${own}` };
      assert.equal(
        await makes(ada.email, () => auth.call(`POST ${call}`, { body: { email: ada.email }, headers })),
        true,
      );
      const sent: boolean[] = [];
      for (let count = 0; count < 5; count += 1) sent.push(await from(own));
      assert.deepEqual(sent, [true, true, true, true, false]);
    }
    for (const bad of [7, null, { $gt: '' }, 'x'.repeat(300)])
      assert.equal((await auth.call(`POST ${path}`, { body: { email: ada.email, deviceToken: bad } })).status, 400);
  });

  it('tells nobody who has an account, and is not used up by strangers before its owner signs up', async () => {
    const [early, late, nobody] = [randomEmail(), randomEmail(), randomEmail()];
    const call = '/v1/auth/email/verification';
    const expected = [true, true, true, true, true, false, false];
    assert.deepEqual(await askTimes(call, early, 7), expected);
    const person = await signUp(auth, early);
    await verifyAddress(auth, mailbox, person);
    await signUp(auth, late);
    await mailbox.tokenTo(late, 'verify');
    assert.deepEqual(await askTimes(call, late, 7), expected);
    assert.deepEqual(await askTimes(call, nobody, 7), expected);
  });

  it('is counted by account first: one that has had its links takes none from other addresses', async () => {
    const [eve, bob] = [await signUp(auth), await signUp(auth)];
    for (let count = 0; count < 5; count += 1) assert.equal(await change(eve, randomEmail()), true);
    const email = randomEmail();
    for (let count = 0; count < 5; count += 1) assert.equal(await change(eve, email), false);
    assert.equal(await change(bob, email), true);
  });

  it('is counted by account: none keeps another from an address, and all of them have twenty an hour of it', async () => {
    const email = randomEmail();
    const strangers = [await signUp(auth), await signUp(auth), await signUp(auth)];
    for (let count = 0; count < 5; count += 1) assert.equal(await change(strangers[0]!, email), true);
    assert.equal(await change(strangers[0]!, email), false);
    const [bob, late] = [await signUp(auth), await signUp(auth)];
    assert.equal(await change(bob, email), true);
    for (const stranger of strangers.slice(1))
      for (let count = 0; count < 5; count += 1) assert.equal(await change(stranger, email), true);
    for (let count = 0; count < 4; count += 1) assert.equal(await change(bob, email), true);
    assert.equal(await change(late, email), false);
    assert.equal(await madeFor(email), 20);
  });

  it('is one for whoever asks again by the same, as a handler does that is run again', async () => {
    const quota = createLinkQuota({ db: world.db, secret: randomBytes(32), now: () => new Date() });
    const two = { name: ['owner', 'verify-email', randomEmail()], places: 2, windowMs: hourMs } as const;
    const takes = (by: string): Promise<boolean> => quota.take([two], by);
    assert.deepEqual([await takes('one'), await takes('one'), await takes('one')], [true, true, true]);
    assert.deepEqual([await takes('two'), await takes('three'), await takes('one')], [true, false, true]);
    const once = { ...two, name: ['owner', 'verify-email', randomEmail()] } as const;
    const answers = await Promise.all(Array.from({ length: 8 }, () => quota.take([once], 'one')));
    assert.deepEqual(new Set(answers), new Set([true]));
  });

  it('is counted under names that name nobody', async () => {
    const email = randomEmail();
    await ask(path, email);
    const rows = await world.db.collection('link-quotas').find({}).toArray();
    assert.ok(rows.length > 0);
    assert.ok(!JSON.stringify(rows).includes(email));
  });
});
