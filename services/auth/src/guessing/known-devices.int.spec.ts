import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { openCountedGuesses } from '../testing/counted-guesses.ts';
import type { CountedGuesses } from '../testing/counted-guesses.ts';
import { openTestAuth, password, personOf, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { changeAddress, sendLink, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';

describe('devices that an account knows', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let counted: CountedGuesses;
  let ada: Person;
  let deviceToken: string;

  const signIn = (typed: string, token = deviceToken) =>
    auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password: typed, deviceToken: token } });
  /** Whether guesses from there are looked at while strangers are locked out. */
  const isKnown = async (token = deviceToken): Promise<boolean> => {
    const { status } = await signIn('not the right one', token);
    assert.ok([401, 429].includes(status), `${status}`);
    return status === 401;
  };

  const lock = async (): Promise<void> => {
    assert.equal((await signIn('not the right one', '')).status, 401);
    await counted.lock(ada.email);
    assert.equal((await signIn('not the right one', '')).status, 429);
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ GUESSES_PER_BLOCK: '100000' });
    mailbox = await openTestMailbox(world);
    counted = await openCountedGuesses(world);
  });
  after(async () => {
    counted.stop();
    await world.stop();
  });
  beforeEach(async () => {
    ada = await signUp(auth);
    await verifyAddress(auth, mailbox, ada);
    deviceToken = String((await signIn(password, '')).body.deviceToken);
  });

  it('are strangers once a change of its address was undone: a thief was signed in from theirs', async () => {
    await changeAddress(auth, mailbox, ada, randomEmail());
    const body = { token: await mailbox.tokenTo(ada.email, 'undo') };
    assert.equal((await auth.call('POST /v1/auth/email/undo', { body })).status, 200);
    await lock();
    assert.equal(await isKnown(), false);
  });

  it('are strangers once it was claimed by whoever reads the mail, who has the first that is known', async () => {
    await world.db
      .collection<{ _id: string }>('accounts')
      .updateOne({ _id: ada.id }, { $set: { emailVerified: false } });
    await sendLink(auth, '/v1/auth/sign-in/link', ada.email);
    const body = { token: await mailbox.tokenTo(ada.email, 'link') };
    const answer = await auth.call('POST /v1/auth/sign-in/link/redeem', { body });
    assert.equal(personOf(answer).id, ada.id);
    await lock();
    assert.equal(await isKnown(), false);
    assert.equal(await isKnown(String(answer.body.deviceToken)), true);
  });

  it('are strangers once its password was set by a link: whoever knew the one of before was signed in from theirs', async () => {
    await sendLink(auth, '/v1/auth/password/reset', ada.email);
    const body = {
      token: await mailbox.tokenTo(ada.email, 'reset'),
      password: 'a lantern under the harbour',
      deviceToken,
    };
    const answer = await auth.call('POST /v1/auth/password/reset/confirm', { body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    await lock();
    assert.equal(await isKnown(), false);
    assert.equal(await isKnown(String(answer.body.deviceToken)), true);
  });

  it('are strangers once its password was changed, but for the one that has changed it', async () => {
    const body = { currentPassword: password, newPassword: 'a lantern under the harbour' };
    const changed = await auth.call('PUT /v1/auth/password', { token: ada.accessToken, body });
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
    await lock();
    assert.equal(await isKnown(), false);
    assert.equal(await isKnown(String(changed.body.deviceToken)), true);
  });

  it('have places of their own: one that somebody else has got hold of uses up no other', async () => {
    const other = String((await signIn(password, '')).body.deviceToken);
    await lock();
    const statuses: number[] = [];
    for (let index = 0; index < 6; index += 1) statuses.push((await signIn('not the right one', other)).status);
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
    assert.equal((await signIn(password)).status, 200);
  });

  it('stay where nothing of that has come', async () => {
    await lock();
    assert.equal(await isKnown(), true);
    const rows = await world.db.collection('strange-devices').find({}).toArray();
    assert.ok(!JSON.stringify(rows).includes(ada.email));
  });
});
