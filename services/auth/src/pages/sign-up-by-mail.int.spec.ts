import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Browser, toldBy } from '../testing/browser.ts';
import type { Seen } from '../testing/browser.ts';
import { openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';

const settings = { PUBLIC_URL: 'https://causeway.example', GUESSES_PER_BLOCK: '100000' };

describe('the pages to sign up with, where the address has to be verified first', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let lenient: TestReplica;
  let mailbox: TestMailbox;
  let browser: Browser;
  let email: string;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ ...settings, EMAIL_VERIFICATION: 'required' });
    lenient = await world.replica(settings);
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(() => {
    browser = new Browser(auth);
    email = randomEmail();
  });

  const accounts = () => world.db.collection('accounts').countDocuments({ emailKey: email });
  const without = ({ text }: Seen): string => text.replaceAll(/name="csrf"\s+value="[^"]*"/g, '');
  const ask = async (fields: Record<string, string>): Promise<Seen> => {
    const sent = await browser.send(await browser.open('/account/sign-up'), { email, ...fields });
    assert.deepEqual([sent.status, sent.location], [303, '/account/sign-up?done=verification-sent']);
    return browser.open(sent.location ?? '');
  };
  const open = async (): Promise<Seen> => browser.open(`/account/verify/${await mailbox.tokenTo(email, 'verify')}`);

  it('say the same of an address that somebody has and one that nobody has, and sign nobody in', async () => {
    const told = await ask({ password });
    assert.match(toldBy(told) ?? '', /^A mail is on its way to your address\./);
    assert.doesNotMatch(told.text, /<script|style=|<form/, 'nothing is left to fill in');
    assert.match(told.text, /<h1>Look at your mail<\/h1>[^]*href="\/account\/sign-up"/);
    assert.deepEqual([browser.jar.get('access'), browser.jar.get('device'), await accounts()], ['', '', 0]);
    ({ email } = await signUp(lenient));
    assert.equal(without(await ask({ password })), without(told));
  });

  it('make the account by the link and the password that was chosen, by a button, and sign in', async () => {
    await ask({ password, name: 'Ada' });
    const page = await open();
    assert.equal(page.status, 200);
    assert.match(page.text, /<h1>Finish signing up<\/h1>/);
    assert.match(page.text, /<label for="password">Password<\/label>/);
    assert.ok(page.text.includes(email));
    assert.equal(await accounts(), 0, 'looking at it makes nothing');
    const empty = await browser.send(page, {});
    assert.equal(empty.status, 400);
    assert.match(empty.text, /id="password-wrong">\s*This is required/);
    const wrong = await browser.send(empty, { password: 'not the right one' });
    assert.deepEqual([wrong.status, toldBy(wrong)], [401, 'The password is not right.']);
    assert.doesNotMatch(wrong.text, /not the right one|argon2/);
    const foreign = await browser.send(wrong, { password }, { headers: { 'sec-fetch-site': 'cross-site' } });
    assert.equal(foreign.status, 403);
    assert.equal(await accounts(), 0);
    const done = await browser.send(wrong, { password });
    assert.deepEqual([done.status, done.location], [303, '/account/security?done=email-verified']);
    assert.match(browser.jar.get('device'), /^cwd_/);
    assert.match((await browser.open('/account/security')).text, new RegExp(email));
    const again = await browser.send(page, { password });
    assert.equal(again.status, 404);
    assert.match(
      again.text,
      /<h1>This link does not work<\/h1>[^]*href="\/account\/sign-in"[^]*href="\/account\/sign-up"/,
    );
    assert.doesNotMatch(again.text, /href="\/account\/verify"/, 'nothing would be mailed');
  });

  it('let whoever reads the mail choose another password than the one of the sign-up', async () => {
    await ask({ password: 'of somebody else entirely' });
    const page = await open();
    assert.match(page.text, /<label for="newPassword">Or another password<\/label>/);
    const common = await browser.send(page, { newPassword: 'Password123!' });
    assert.equal(common.status, 422);
    assert.match(common.text, /id="newPassword-wrong"/);
    const short = await browser.send(common, { newPassword: 'short' });
    assert.equal(short.status, 400);
    assert.match(short.text, /id="newPassword-wrong">\s*Must have at least 10 characters/);
    const both = await browser.send(short, { password: 'of somebody else entirely', newPassword: password });
    assert.equal(both.status, 400);
    assert.match(both.text, /id="newPassword-wrong">\s*Send either/);
    assert.equal(await accounts(), 0);
    assert.equal(
      (await browser.send(both, { newPassword: password })).location,
      '/account/security?done=email-verified',
    );
    const signIn = (typed: string) => auth.call('POST /v1/auth/sign-in', { body: { email, password: typed } });
    assert.equal((await signIn(password)).status, 200);
    assert.equal((await signIn('of somebody else entirely')).status, 401);
  });

  it('take the name over with the password of the sign-up alone, and ask for another with another', async () => {
    const nameOf = async (): Promise<unknown> => {
      const account = await world.db.collection<{ _id: string }>('accounts').findOne({ emailKey: email });
      const created = { 'event.subject': `account/${String(account?._id)}`, 'event.type': 'auth.account.created' };
      const deadline = performance.now() + 60_000;
      for (;;) {
        const row = await world.db.collection<{ event: { data: { name?: string } } }>('events').findOne(created);
        if (row !== null) return row.event.data.name;
        assert.ok(performance.now() < deadline, 'it is not in the log');
        await delay(20);
      }
    };
    await ask({ password, name: 'Eve' });
    const page = await open();
    assert.match(page.text, /<label for="name">Name \(optional\)<\/label>/);
    assert.doesNotMatch(page.text, /Eve/, 'what strangers write is not shown');
    const bad = await browser.send(page, { newPassword: password, name: 'x'.repeat(201) });
    assert.equal(bad.status, 400);
    assert.match(bad.text, /id="name-wrong">\s*Must have at most 200 characters/);
    const short = await browser.send(bad, { newPassword: 'short', name: 'Ada' });
    assert.match(short.text, /name="name"[^>]*value="Ada"/);
    assert.equal((await browser.send(short, { newPassword: password, name: 'Ada' })).status, 303);
    assert.equal(await nameOf(), 'Ada');
    [browser, email] = [new Browser(auth), randomEmail()];
    await ask({ password, name: 'Ada' });
    assert.equal((await browser.send(await open(), { password, name: ' ' })).status, 303);
    assert.equal(await nameOf(), 'Ada');
    [browser, email] = [new Browser(auth), randomEmail()];
    await ask({ name: 'Eve' });
    assert.equal((await browser.send(await open(), {})).status, 303);
    assert.equal(await nameOf(), undefined);
  });

  it('need no password: then the button is all', async () => {
    assert.match((await browser.open('/account/sign-up')).text, /<label for="password">Password \(optional\)<\/label>/);
    await ask({ password: '' });
    const page = await open();
    assert.doesNotMatch(page.text, /type="password"/);
    assert.equal((await browser.send(page, {})).location, '/account/security?done=email-verified');
    assert.equal(await accounts(), 1);
  });

  it('judge a password that is typed all the same', async () => {
    const form = await browser.open('/account/sign-up');
    const short = await browser.send(form, { email, password: 'short' });
    assert.equal(short.status, 400);
    assert.match(short.text, /id="password-wrong"/);
    assert.equal((await browser.send(short, { email, password: 'Password123!' })).status, 422);
  });

  it('demand one elsewhere', async () => {
    browser = new Browser(lenient);
    const form = await browser.open('/account/sign-up');
    assert.match(form.text, /<label for="password">Password<\/label>/);
    const empty = await browser.send(form, { email, password: '' });
    assert.equal(empty.status, 400);
    assert.match(empty.text, /id="password-wrong"/);
  });

  it('say to whoever signs in to an account of before that its address is to be verified', async () => {
    ({ email } = await signUp(lenient));
    const refused = await browser.send(await browser.open('/account/sign-in'), { email, password });
    assert.equal(refused.status, 403);
    assert.match(toldBy(refused) ?? '', /^Nobody has verified this address yet\./);
    assert.equal(browser.jar.get('access'), '');
  });
});
