import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { newId } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';
import { setTimeout as delay } from 'node:timers/promises';

import { openTestAuth, password, personOf, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { changeAddress, sendLink } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';

const noAccount = 'You have no account at 127.0.0.1:8080 with this address';

describe('what was mailed to an address before it was somebody’s who is erased', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  let mailbox: TestMailbox;
  let email: string;

  const verify = (token: string) => auth.call('POST /v1/auth/email/verify', { body: { token, password } });
  /** As somebody signs up who is not asked who they are. */
  const askToSignUp = async (address: string): Promise<void> => {
    const answer = await auth.call('POST /v1/auth/sign-up', { body: { email: address, password } });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
  };
  /** Somebody who has signed up and is in. */
  const enter = async (): Promise<Person> => {
    const address = randomEmail();
    await askToSignUp(address);
    return personOf(await verify(await mailbox.tokenTo(address, 'verify')));
  };
  /** Everything that there is for an address that nobody has, written as its owner does not. */
  const askAsStranger = async (address: string): Promise<void> => {
    for (const path of ['sign-in/link', 'password/reset', 'email/verification'])
      await sendLink(auth, `/v1/auth/${path}`, address.toUpperCase());
    const guess = { body: { email: address, password: 'not a password of anybody' } };
    assert.equal((await auth.call('POST /v1/auth/sign-in', guess)).status, 401);
    await askToSignUp(address.toUpperCase());
    await mailbox.tokenTo(address, 'verify');
    await mailbox.mailAbout(address, noAccount);
    await mailbox.mailsTo(address, 3);
  };
  const erase = async ({ accessToken: token }: Person): Promise<void> => {
    const answer = await auth.call('DELETE /v1/auth/account', { body: { password }, token });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
  };
  const erased = ({ id }: Person) =>
    published.waitFor(({ type, subject }) => type === 'auth.removal.completed' && subject === `removal/${id}`);
  /** Rows of every collection that name an address, however it is written. */
  const naming = async (address: string): Promise<string[]> => {
    const found: string[] = [];
    for (const { name } of await world.db.listCollections().toArray())
      for await (const row of world.db.collection(name).find()) {
        const text = JSON.stringify(row);
        if (text.toLowerCase().includes(address)) found.push(`${name} ${text}`);
      }
    return found;
  };

  before(async () => {
    world = await openTestAuth();
    const required = { EMAIL_VERIFICATION: 'required', MAIL_UNKNOWN_ADDRESSES: 'true' };
    auth = await world.replica({ ...required, ERASURE_SETTLE_TIME: '1s' });
    published = await world.published();
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(() => {
    email = randomEmail();
  });

  it('is found by the address, in every collection, and goes with them: links, mails, and what the log says', async () => {
    await askAsStranger(email);
    await askToSignUp(email);
    const person = personOf(await verify(await mailbox.tokenTo(email, 'verify', 2)));
    const next = randomEmail();
    await askAsStranger(next);
    const moved = await changeAddress(auth, mailbox, person, next);
    for (const address of [email, next]) {
      const collections = new Set((await naming(address)).map((each) => each.slice(0, each.indexOf(' '))));
      for (const name of ['accounts', 'events', 'mailbox', 'mails', 'proofs'])
        assert.ok(collections.has(name), `${name}: ${[...collections].join(' ')}`);
    }
    await mailbox.mailAbout(email, 'Your account at 127.0.0.1:8080 has another address now');
    await mailbox.mailAbout(next, 'This is your address for 127.0.0.1:8080 now');
    // What was guessed is told within seconds, and names nobody then.
    const notes = world.db.collection('guess-notes');
    const deadline = performance.now() + 60_000;
    while ((await notes.countDocuments()) > 0) {
      assert.ok(performance.now() < deadline, 'guesses are not told');
      await delay(20);
    }
    await erase(moved);
    await erased(moved);
    for (const address of [email, next]) assert.deepEqual(await naming(address), []);
    const log = world.db.collection<{ event: { type: string; dataschema: string } }>('events');
    const requested = await log.find({ 'event.type': 'auth.proof.requested' }).toArray();
    assert.ok(requested.length >= 10);
    assert.deepEqual([...new Set(requested.map(({ event }) => event.dataschema))], ['urn:causeway:redacted']);
  });

  it('is not what somebody else is mailed who signs up with it meanwhile', async () => {
    await askAsStranger(email);
    await askToSignUp(email);
    const person = personOf(await verify(await mailbox.tokenTo(email, 'verify', 2)));
    await erase(person);
    await askToSignUp(email);
    await erased(person);
    // All others are gone.
    const token = await mailbox.tokenTo(email, 'verify');
    assert.equal((await mailbox.mailsTo(email)).length, 1);
    const anew = personOf(await verify(token));
    assert.notEqual(anew.id, person.id);
    const { status } = await auth.call('POST /v1/auth/sign-in', { body: { email, password } });
    assert.equal(status, 200);
  });

  it('is what another account had sent there, to change to it: by the address, or by the link where the mail is of an earlier release', async () => {
    const [eve, old] = [await enter(), await enter()];
    for (const each of [eve, old]) {
      const asked = await auth.call('POST /v1/auth/email', { body: { email }, token: each.accessToken });
      assert.equal(asked.status, 202, JSON.stringify(asked.body));
    }
    const mails = world.db.collection('mails');
    const deadline = performance.now() + 60_000;
    while ((await mails.countDocuments({ to: email, status: 'sent' })) < 2) {
      assert.ok(performance.now() < deadline, 'they were not sent');
      await delay(20);
    }
    const noLink = await mails.findOne({ accountId: eve.id, to: email }, { projection: { proofId: 0 } });
    await mails.insertOne({ ...noLink, _id: newId('mal') as never });
    await mails.updateMany({ accountId: old.id, to: email }, { $unset: { toKey: 1 } });
    await askToSignUp(email);
    const person = personOf(await verify(await mailbox.tokenTo(email, 'verify')));
    await erase(person);
    await erased(person);
    assert.deepEqual(await naming(email), []);
    assert.equal(await mails.countDocuments({ to: eve.email }), 1, 'her own');
  });

  it('is an address too that they had before it was verified', async () => {
    const lenient = await world.replica({ MAIL_UNKNOWN_ADDRESSES: 'true', ERASURE_SETTLE_TIME: '1s' });
    await sendLink(auth, '/v1/auth/password/reset', email);
    await mailbox.mailAbout(email, noAccount);
    const person = await signUp(lenient, email);
    await mailbox.tokenTo(email, 'verify');
    const next = randomEmail();
    const moved = await changeAddress(lenient, mailbox, person, next);
    await mailbox.mailAbout(next, 'This is your address for 127.0.0.1:8080 now');
    await erase(moved);
    await erased(moved);
    assert.deepEqual(await naming(email), []);
  });
});
