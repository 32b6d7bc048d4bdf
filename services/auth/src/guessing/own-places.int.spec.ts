import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Browser } from '../testing/browser.ts';
import { openCountedGuesses } from '../testing/counted-guesses.ts';
import type { CountedGuesses } from '../testing/counted-guesses.ts';
import { openTestAuth, password, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { sendLink, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { addPasskey } from '../testing/test-passkey.ts';
import { enrolTotp } from '../testing/test-totp.ts';
import type { TestTotp } from '../testing/test-totp.ts';
import { guessRules } from './guess-rules.ts';

const another = 'a lantern under the harbour';
const rules = guessRules({ perBlock: 1, overall: 1 });

describe('an account whose mail somebody else reads, and whose second factor is an app', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let counted: CountedGuesses;
  let ada: Person;
  let totp: TestTotp;
  /** Of the device that has set the app up. */
  let own: string;

  const post = (path: string, body: object) => auth.call(`POST /v1/auth/${path}`, { body });
  const enter = (typed: string, deviceToken?: string) =>
    post('sign-in', { email: ada.email, password: typed, ...(deviceToken !== undefined && { deviceToken }) });
  const prove = (mfaToken: unknown, code: string, deviceToken?: string) =>
    post('sign-in/second-factor', { mfaToken, totp: code, ...(deviceToken !== undefined && { deviceToken }) });
  const linkTo = async (path: string, page: string, count = 1): Promise<string> => {
    await sendLink(auth, `/v1/auth/${path}`, ada.email);
    return mailbox.tokenTo(ada.email, page, count);
  };
  /** Guesses until nothing is looked at any more, and gives how many were. */
  const exhaust = async (guess: () => Promise<Answered>): Promise<number> => {
    for (let count = 0; count < 100; count += 1) {
      const { status } = await guess();
      if (status === 429) return count;
      assert.equal(status, 401);
    }
    return assert.fail('there is no end of it');
  };
  const lockStrangers = async (): Promise<void> => {
    assert.equal((await enter('not the right one')).status, 401);
    await counted.lock(ada.email);
    assert.equal((await enter('not the right one')).status, 429);
  };
  const isIn = async (deviceToken: string, typed = password, steps = 0): Promise<Answered> => {
    const first = await enter(typed, deviceToken);
    assert.deepEqual([first.status, first.body.status], [200, 'mfa-required'], JSON.stringify(first.body));
    const second = await prove(first.body.mfaToken, await totp.code(steps), deviceToken);
    assert.equal(second.status, 200, JSON.stringify(second.body));
    return second;
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ GUESSES_PER_BLOCK: '100000', PUBLIC_URL: 'https://causeway.example' });
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
    totp = await enrolTotp(world, auth, ada);
    own = totp.deviceToken ?? assert.fail('the device is not known by it');
  });

  it('lets its own device in, though all that the mail opens and strangers have is used up', async () => {
    await lockStrangers();
    const { mfaToken } = (await post('sign-in/link/redeem', { token: await linkTo('sign-in/link', 'link') })).body;
    assert.equal(await exhaust(() => prove(mfaToken, '000000')), rules.mailed.perDevice);
    const reset = await post('password/reset/confirm', {
      token: await linkTo('password/reset', 'reset'),
      password: another,
    });
    const mailed = String(reset.body.deviceToken);
    assert.equal(await exhaust(() => enter('not the right one', mailed)), rules.mailed.perDevice);
    const third = await post('password/reset/confirm', {
      token: await linkTo('password/reset', 'reset', 2),
      password: another,
    });
    assert.equal(await exhaust(() => enter('not the right one', String(third.body.deviceToken))), 0, 'all are taken');
    // What is more, none of it has made a stranger of it.
    await isIn(own, another);
    assert.equal((await enter('not the right one')).status, 401, 'and all is forgiven');
  });

  it('takes from a device no places for what is guessed from another, such as one that was stolen', async () => {
    const stolen = String((await isIn('')).body.deviceToken);
    await lockStrangers();
    const { mfaToken } = (await enter(password, stolen)).body;
    // The right password has taken one.
    assert.equal(await exhaust(() => prove(mfaToken, '000000', stolen)), (rules.proven.perDevice ?? 0) - 1);
    assert.equal((await enter(password, stolen)).status, 429);
    await isIn(own, password, 1);
  });

  it('forgets what is known by one proof at a reset; and by two once its owner is in again', async () => {
    const other = String((await isIn('')).body.deviceToken);
    const reset = { token: await linkTo('password/reset', 'reset'), password: another };
    assert.equal((await post('password/reset/confirm', { ...reset, deviceToken: other })).body.deviceToken, other);
    await lockStrangers();
    const anew = String((await isIn(own, another, 1)).body.deviceToken);
    await lockStrangers();
    for (const token of [own, other]) assert.equal((await enter('not the right one', token)).status, 429);
    assert.equal((await enter('not the right one', anew)).status, 401);
  });

  it('leaves a device the token that says since when it is trusted, however somebody signs in from there', async () => {
    assert.equal((await isIn(own)).body.deviceToken, own);
    const by = { token: ada.accessToken, body: { recoveryCode: totp.recoveryCodes[0] } };
    const sure = (await auth.call('POST /v1/auth/step-up', by)).body as Partial<Person>;
    const site = { origin: 'https://causeway.example', rpId: 'causeway.example' };
    const key = await addPasskey(auth, { ...ada, ...sure }, site);
    assert.equal((await key.signIn(own)).body.deviceToken, own);
    assert.notEqual((await key.signIn()).body.deviceToken, own);
    const browser = new Browser(auth);
    browser.jar.plant('device', own);
    const asked = await browser.send(await browser.open('/account/sign-in'), { email: ada.email, password });
    const done = await browser.send(asked, { code: String(totp.recoveryCodes[1]) });
    assert.deepEqual([done.status, done.location], [303, '/account/security']);
    assert.equal(browser.jar.get('device'), own);
  });

  it('keeps the cookie of a browser that says more than a link does', async () => {
    const browser = new Browser(auth);
    browser.jar.plant('device', own);
    const page = await browser.open(`/account/reset/${await linkTo('password/reset', 'reset')}`);
    const done = await browser.send(page, { password: another });
    assert.equal(done.location, '/account/sign-in?done=password-reset');
    assert.equal(browser.jar.get('device'), own);
    const stranger = new Browser(auth);
    const again = await stranger.open(`/account/reset/${await linkTo('password/reset', 'reset', 2)}`);
    await stranger.send(again, { password });
    assert.match(stranger.jar.get('device'), /^cwd_.*_0_/);
  });
});
