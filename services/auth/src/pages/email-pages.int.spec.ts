import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Browser, toldBy } from '../testing/browser.ts';
import { openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';

const foreignSite = { 'sec-fetch-site': 'cross-site' };

describe('pages to change an address, and to take that back', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let browser: Browser;
  let ada: Person;
  let target: string;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ PUBLIC_URL: 'https://causeway.example', GUESSES_PER_BLOCK: '100000' });
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    world.clock.aheadMs = 0;
    browser = new Browser(auth);
    target = randomEmail();
    ada = await signUp(auth);
    await verifyAddress(auth, mailbox, ada);
  });

  const signIn = async (as: Browser, email: string) => as.send(await as.open('/account/sign-in'), { email, password });
  /** By the form, of somebody who is signed in. */
  const linkTo = async (email: string): Promise<string> => {
    const asked = await browser.send(await browser.open('/account/email'), { email });
    assert.deepEqual([asked.status, asked.location], [303, '/account/email?done=link-sent'], toldBy(asked));
    return `/account/email/${await mailbox.tokenTo(email, 'email')}`;
  };
  const addressNow = async (): Promise<unknown> =>
    (await world.db.collection<{ _id: string; email: string }>('accounts').findOne({ _id: ada.id }))?.email;

  it('are found from the page of the account, and ask who is not signed in to sign in', async () => {
    assert.equal((await browser.open('/account/email')).location, '/account/sign-in?next=%2Faccount%2Femail');
    await signIn(browser, ada.email);
    assert.match((await browser.open('/account/security')).text, /href="\/account\/email"/);
  });

  it('ask for a recent authentication', async () => {
    await signIn(browser, ada.email);
    const form = await browser.open('/account/email');
    world.clock.aheadMs = 16 * 60_000;
    const led = await browser.send(form, { email: target });
    assert.deepEqual([led.status, led.location], [303, '/account/step-up?next=%2Faccount%2Femail']);
    assert.equal((await browser.open('/account/email')).location, '/account/step-up?next=%2Faccount%2Femail');
  });

  it('refuse what is no address, what another site sends, and a form that is not their own', async () => {
    await signIn(browser, ada.email);
    const form = await browser.open('/account/email');
    const wrong = await browser.send(form, { email: '"><script>x' });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /id="email-wrong"/);
    assert.doesNotMatch(wrong.text, /<script/);
    assert.equal((await browser.send(form, { email: target, csrf: 'nonsense' })).status, 403);
    assert.equal((await browser.send(form, { email: target }, { headers: foreignSite })).status, 403);
    const proofs = world.db.collection('proofs');
    assert.equal(await proofs.countDocuments({ accountId: ada.id, kind: 'change-email' }), 0);
  });

  it('change it by the link, once, and leave this browser signed in', async () => {
    const other = new Browser(auth);
    await signIn(other, ada.email);
    await signIn(browser, ada.email);
    const link = await linkTo(target);
    const page = await browser.open(link, foreignSite);
    assert.match(page.text, new RegExp(`<strong>${target}</strong>`));
    assert.doesNotMatch((await browser.open(link)).text, /type="password"/);
    assert.equal(await addressNow(), ada.email);
    const own = await browser.open(link);
    assert.equal((await browser.send(own, {}, { headers: foreignSite })).status, 403);
    assert.equal((await browser.send(own, { csrf: 'nonsense' })).status, 403);
    assert.equal(await addressNow(), ada.email);
    const done = await browser.send(own, {});
    assert.deepEqual([done.status, done.location], [303, '/account/security?done=email-changed'], toldBy(done));
    assert.equal(await addressNow(), target);
    const after = await browser.open('/account/security?done=email-changed');
    assert.equal(after.status, 200);
    assert.equal(toldBy(after), 'Your address is changed. All other sessions have ended.');
    assert.match(browser.jar.get('device'), /^cwd_/);
    assert.equal((await browser.send(own, {})).status, 404);
    assert.equal((await other.open('/account/security', { 'sec-fetch-site': 'same-origin' })).status, 303);
  });

  it('ask somebody who is not signed in for the password', async () => {
    await signIn(browser, ada.email);
    const link = await linkTo(target);
    const stranger = new Browser(auth);
    const page = await stranger.open(link);
    for (const [typed, status] of [
      ['', 400],
      ['wrong wrong wrong', 401],
    ] as const) {
      const refused = await stranger.send(page, { password: typed });
      assert.equal(refused.status, status);
      assert.equal(await addressNow(), ada.email);
    }
    const done = await stranger.send(page, { password });
    assert.deepEqual([done.status, done.location], [303, '/account/sign-in?done=email-changed'], toldBy(done));
    assert.equal(await addressNow(), target);
    assert.equal((await signIn(stranger, target)).status, 303);
  });

  it('tell only at the end that another account has the address', async () => {
    const taken = await signUp(auth);
    await signIn(browser, ada.email);
    const page = await browser.open(await linkTo(taken.email));
    const refused = await browser.send(page, {});
    assert.equal(refused.status, 409);
    assert.equal(toldBy(refused), 'Another account has this address.');
    assert.equal(await addressNow(), ada.email);
  });

  it('take the change back, whoever is signed in, once', async () => {
    await signIn(browser, ada.email);
    await browser.send(await browser.open(await linkTo(target)), {});
    const link = `/account/undo/${await mailbox.tokenTo(ada.email, 'undo')}`;
    const victim = new Browser(auth);
    const page = await victim.open(link, foreignSite);
    assert.match(page.text, new RegExp(`<strong>${ada.email}</strong>`));
    const own = await victim.open(link);
    assert.equal((await victim.send(own, {}, { headers: foreignSite })).status, 403);
    assert.equal(await addressNow(), target);
    const done = await victim.send(own, {});
    assert.deepEqual([done.status, done.location], [303, '/account/sign-in?done=email-restored'], toldBy(done));
    assert.match(toldBy(await victim.open('/account/sign-in?done=email-restored')) ?? '', /has its address again/);
    assert.equal(await addressNow(), ada.email);
    assert.equal((await browser.open('/account/security', { 'sec-fetch-site': 'same-origin' })).status, 303);
    const again = await victim.send(own, {});
    assert.equal(again.status, 404);
    assert.match(again.text, /href="\/account\/reset"/);
    assert.match(await mailbox.tokenTo(ada.email, 'reset'), /^cwp_/);
  });

  it('open nothing with the link of another page', async () => {
    await signIn(browser, ada.email);
    const token = (await linkTo(target)).split('/').at(-1) ?? '';
    for (const page of ['undo', 'reset', 'verify'])
      assert.equal((await browser.open(`/account/${page}/${token}`)).status, 404);
    assert.equal(await addressNow(), ada.email);
  });
});
