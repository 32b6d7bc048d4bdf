import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Browser, toldBy } from '../testing/browser.ts';
import { claimsOf, openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';

const foreignSite = { 'sec-fetch-site': 'cross-site' };
const another = 'another horse, another staple';

describe('pages of mailed links, and of the password', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let browser: Browser;
  let email: string;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ PUBLIC_URL: 'https://causeway.example', GUESSES_PER_BLOCK: '100000' });
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    browser = new Browser(auth);
    ({ email } = await signUp(auth));
  });

  const linkTo = async (page: 'reset' | 'link', count = 1): Promise<string> => {
    const asked = await browser.send(await browser.open(`/account/${page}`), { email });
    assert.deepEqual([asked.status, asked.location], [303, `/account/${page}?done=link-sent`]);
    return `/account/${page}/${await mailbox.tokenTo(email, page, count)}`;
  };
  const signIn = async (as: Browser, typed: string) =>
    as.send(await as.open('/account/sign-in'), { email, password: typed });
  const statusOf = async (link: string) => {
    const _id = `prf_${link.split('_')[1] ?? ''}`;
    return (await world.db.collection<{ _id: string; status: string }>('proofs').findOne({ _id }))?.status;
  };

  it('are found from the page to sign in', async () => {
    const { text } = await browser.open('/account/sign-in');
    for (const path of ['/account/reset', '/account/link']) assert.match(text, new RegExp(`href="${path}"`));
  });

  it('say the same of an address that nobody has', async () => {
    for (const page of ['reset', 'link']) {
      const told: string[] = [];
      for (const address of [email, randomEmail()]) {
        const sent = await browser.send(await browser.open(`/account/${page}`), { email: address });
        assert.equal(sent.status, 303);
        told.push((await browser.open(sent.location ?? '')).text.replaceAll(/name="csrf"\s+value="[^"]*"/g, ''));
      }
      assert.equal(told[0], told[1]);
    }
  });

  it('have links left for a browser that was signed in from, whatever strangers ask for', async () => {
    const made = (kind: string): Promise<number> =>
      world.db.collection('proofs').countDocuments({ emailKey: email, kind });
    const askBy = async (as: Browser, page: string): Promise<void> => {
      const asked = await as.send(await as.open(`/account/${page}`), { email });
      assert.deepEqual([asked.status, asked.location], [303, `/account/${page}?done=link-sent`]);
    };
    await world.db.collection('accounts').updateOne({ emailKey: email }, { $set: { emailVerified: true } });
    await signIn(browser, password);
    assert.match(browser.jar.get('device'), /^cwd_/);
    for (const [page, kind] of [
      ['reset', 'reset-password'],
      ['link', 'sign-in-link'],
    ] as const) {
      for (let count = 0; count < 6; count += 1) await askBy(new Browser(auth), page);
      assert.equal(await made(kind), 5);
      await askBy(browser, page);
      assert.equal(await made(kind), 6);
    }
  });

  it('set a new password: opening the link uses nothing, a bad password leaves it open, and it works once', async () => {
    const other = new Browser(auth);
    await signIn(other, password);
    const link = await linkTo('reset');
    const page = await browser.open(link, foreignSite);
    assert.match(page.text, new RegExp(`<strong>${email}</strong>`));
    assert.match(page.text, /autocomplete="new-password"/);
    assert.equal(await statusOf(link), 'open');
    for (const [typed, status, words] of [
      ['short', 400, /id="password-wrong">\s*Must have at least 10 characters/],
      ['password1234', 422, /guessed first/],
      ['', 400, /id="password-wrong"/],
    ] as const) {
      const refused = await browser.send(page, { password: typed });
      assert.equal(refused.status, status);
      assert.match(refused.text, words);
      assert.equal(await statusOf(link), 'open');
    }
    for (const sent of [
      await browser.send(page, { password: another, csrf: 'nonsense' }),
      await browser.send(page, { password: another }, { headers: foreignSite }),
    ])
      assert.equal(sent.status, 403);
    const done = await browser.send(page, { password: another });
    assert.deepEqual([done.status, done.location], [303, '/account/sign-in?done=password-reset'], toldBy(done));
    assert.match(browser.jar.get('device'), /^cwd_/);
    assert.equal(browser.jar.get('access'), '');
    const again = await browser.send(page, { password: another });
    assert.equal(again.status, 404);
    assert.match(again.text, /<h1>This link does not work<\/h1>[\s\S]*href="\/account\/reset"/);
    assert.equal((await other.open('/account/security', { 'sec-fetch-site': 'same-origin' })).status, 303);
    assert.equal((await signIn(browser, password)).status, 401);
    assert.equal((await signIn(browser, another)).status, 303);
  });

  it('sign in by a link, once, and end the session that the browser had', async () => {
    const link = await linkTo('link');
    const page = await browser.open(link);
    await browser.open(link, foreignSite);
    assert.equal(await statusOf(link), 'open');
    assert.equal((await browser.send(page, {}, { headers: foreignSite })).status, 403);
    assert.equal((await browser.send(page, { csrf: 'nonsense' })).status, 403);
    assert.equal(await statusOf(link), 'open');
    const done = await browser.send(page, {});
    assert.deepEqual([done.status, done.location], [303, '/account/security'], toldBy(done));
    assert.deepEqual(claimsOf(browser.jar.get('access')).amr, ['link']);
    assert.equal((await browser.send(page, {})).status, 404);

    const former = browser.jar.get('access');
    ({ email } = await signUp(auth));
    const next = await browser.open(await linkTo('link'));
    assert.match(next.text, /that session ends/);
    assert.equal((await browser.send(next, {})).status, 303);
    assert.equal((await auth.call('GET /v1/auth/account', { token: former })).status, 401);
  });

  it('open nothing with the link of another page', async () => {
    const link = await linkTo('link');
    const token = link.split('/').at(-1) ?? '';
    for (const page of ['reset', 'verify']) assert.equal((await browser.open(`/account/${page}/${token}`)).status, 404);
    assert.equal(await statusOf(link), 'open');
  });

  it('change the password of whoever is signed in and knows it, and leave them signed in', async () => {
    const other = new Browser(auth);
    await signIn(other, password);
    await signIn(browser, password);
    assert.match((await browser.open('/account/security')).text, /href="\/account\/password"/);
    const page = await browser.open('/account/password');
    const fields = { currentPassword: password, newPassword: another };
    const wrong = await browser.send(page, { ...fields, currentPassword: 'wrong wrong wrong' });
    assert.equal(wrong.status, 401);
    assert.equal(toldBy(wrong), 'The current password is not right.');
    const both = await browser.send(page, { currentPassword: '', newPassword: 'short' });
    assert.match(both.text, /id="currentPassword-wrong"/);
    assert.match(both.text, /id="newPassword-wrong">\s*Must have at least 10 characters/);
    const common = await browser.send(page, { ...fields, newPassword: 'password1234' });
    assert.equal(common.status, 422);
    assert.match(common.text, /id="newPassword-wrong"/);
    assert.equal((await browser.send(page, { ...fields, csrf: 'nonsense' })).status, 403);
    assert.equal((await browser.send(page, fields, { headers: foreignSite })).status, 403);
    const done = await browser.send(page, fields);
    assert.deepEqual([done.status, done.location], [303, '/account/security?done=password-changed'], toldBy(done));
    assert.equal((await browser.open('/account/security')).status, 200);
    assert.equal((await other.open('/account/security', { 'sec-fetch-site': 'same-origin' })).status, 303);
    assert.equal((await signIn(other, another)).status, 303);
  });
});
