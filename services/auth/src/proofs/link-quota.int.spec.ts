import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { openTestAuth, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { sendLink, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';

const hourMs = 3_600_000;
const path = '/v1/auth/sign-in/link';

describe('how many links go to an address', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let other: TestReplica;
  let mailbox: TestMailbox;
  const calls = [path, '/v1/auth/password/reset', '/v1/auth/email/verification'];
  const ask = async (call: string, email: string, replica = auth): Promise<boolean> =>
    (await sendLink(replica, call, email)).headers.get('causeway-event') !== null;
  const askTimes = async (call: string, email: string, times: number): Promise<boolean[]> => {
    const sent: boolean[] = [];
    for (let count = 0; count < times; count += 1) sent.push(await ask(call, email));
    return sent;
  };

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
      const sent = answers.filter(({ headers }) => headers.get('causeway-event') !== null).length;
      assert.ok(sent >= 1 && sent <= 5, `${sent} of ${call}`);
      const proofs = world.db.collection('proofs');
      assert.equal(await proofs.countDocuments({ emailKey: email }), sent);
      assert.ok((await proofs.countDocuments({ emailKey: email, status: 'open' })) <= 1);
      assert.equal(await ask(call, email), false);
    }
  });

  it('is five more in the next hour', async () => {
    const email = randomEmail();
    assert.deepEqual(await askTimes(path, email, 6), [true, true, true, true, true, false]);
    world.clock.aheadMs = hourMs;
    assert.deepEqual(await askTimes(path, email, 6), [true, true, true, true, true, false]);
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
    const change = async ({ accessToken: token }: Person, email: string): Promise<boolean> => {
      const answer = await auth.call('POST /v1/auth/email', { body: { email }, token });
      assert.equal(answer.status, 202, JSON.stringify(answer.body));
      return answer.headers.get('causeway-event') !== null;
    };
    for (let count = 0; count < 5; count += 1) assert.equal(await change(eve, randomEmail()), true);
    const email = randomEmail();
    for (let count = 0; count < 5; count += 1) assert.equal(await change(eve, email), false);
    assert.equal(await change(bob, email), true);
  });

  it('is counted under names that name nobody', async () => {
    const email = randomEmail();
    await ask(path, email);
    const rows = await world.db.collection('link-quotas').find({}).toArray();
    assert.ok(rows.length > 0);
    assert.ok(!JSON.stringify(rows).includes(email));
  });
});
