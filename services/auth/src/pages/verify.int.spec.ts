import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Browser, toldBy } from '../testing/browser.ts';
import { openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';

describe('the page that verifies an e-mail address', () => {
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

  const isVerified = async (): Promise<boolean> =>
    (await world.db.collection('accounts').findOne({ email }))?.emailVerified === true;
  const statusOf = async (token: string) => {
    const _id = `prf_${token.split('_')[1] ?? ''}`;
    return (await world.db.collection<{ _id: string; status: string }>('proofs').findOne({ _id }))?.status;
  };
  const signIn = async () => browser.send(await browser.open('/account/sign-in'), { email, password });

  it('is opened as often as a program may look at it, uses nothing by that, and verifies by its button, once', async () => {
    const token = await mailbox.tokenTo(email, 'verify');
    await signIn();
    for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }])
      assert.equal((await browser.open(`/account/verify/${token}`, headers)).status, 200);
    const page = await browser.open(`/account/verify/${token}`);
    assert.equal(await statusOf(token), 'open');
    assert.equal(await isVerified(), false);
    assert.match(page.text, /<h1>Verify your address<\/h1>/);
    assert.doesNotMatch(page.text, /type="password"/);
    const done = await browser.send(page, {});
    assert.deepEqual([done.status, done.location], [303, '/account/security?done=email-verified']);
    assert.equal(await isVerified(), true);
    assert.equal(toldBy(await browser.open(done.location ?? '')), 'Your e-mail address is verified.');
    const again = await browser.send(page, {});
    assert.equal(again.status, 404);
    assert.match(again.text, /<h1>This link does not work<\/h1>/);
    assert.equal((await browser.open(`/account/verify/${token}`)).status, 404);
  });

  it('asks whoever is not signed in, or is as somebody else, for the password of the account', async () => {
    const token = await mailbox.tokenTo(email, 'verify');
    const own = email;
    ({ email } = await signUp(auth));
    await signIn();
    email = own;
    const page = await browser.open(`/account/verify/${token}`);
    assert.match(page.text, /<label for="password">/);
    const empty = await browser.send(page, {});
    assert.equal(empty.status, 400);
    assert.match(empty.text, /id="password-wrong">\s*This is required/);
    const wrong = await browser.send(empty, { password: 'wrong wrong wrong' });
    assert.equal(wrong.status, 401);
    assert.equal(toldBy(wrong), 'The password is not right.');
    assert.equal(await statusOf(token), 'open');
    const done = await browser.send(wrong, { password });
    assert.deepEqual([done.status, done.location], [303, '/account/sign-in?done=email-verified']);
    assert.equal(await isVerified(), true);
  });

  it('takes no form of another site, and none without its token', async () => {
    const token = await mailbox.tokenTo(email, 'verify');
    await signIn();
    const page = await browser.open(`/account/verify/${token}`);
    const foreign = await browser.send(page, {}, { headers: { 'sec-fetch-site': 'cross-site' } });
    assert.equal(foreign.status, 403);
    const forged = await browser.send(page, { csrf: 'nonsense' });
    assert.equal(forged.status, 403);
    assert.match(toldBy(forged) ?? '', /open for too long/);
    assert.equal(await isVerified(), false);
    assert.equal(await statusOf(token), 'open');
    assert.equal((await browser.send(forged, {})).status, 303);
  });

  it('says of a link that is malformed, too old, or replaced, only that it does not work, and where to get another', async () => {
    const old = await mailbox.tokenTo(email, 'verify');
    const asked = await browser.send(await browser.open('/account/verify'), { email });
    assert.equal(asked.location, '/account/verify?done=link-sent');
    const newest = await mailbox.tokenTo(email, 'verify', 2);
    const good = await browser.open(`/account/verify/${newest}`);
    assert.equal(good.status, 200);
    world.clock.aheadMs = 3_600_001;
    try {
      const bad = [
        old,
        newest,
        `${newest}x`,
        newest.toLowerCase(),
        'cwp_%3Cscript%3Ealert(1)%3C/script%3E'.replace('/', '%2F'),
      ];
      const told = new Set<string>();
      for (const token of bad) {
        const page = await browser.open(`/account/verify/${token}`);
        assert.equal(page.status, 404, token);
        told.add(page.text);
      }
      assert.equal(told.size, 1);
      assert.match([...told][0] ?? '', /href="\/account\/verify"/);
      assert.equal((await browser.send(good, { password })).status, 404);
    } finally {
      world.clock.aheadMs = 0;
    }
  });

  it('has a link mailed, and says the same of an address that nobody has', async () => {
    const told: string[] = [];
    for (const address of [email, randomEmail()]) {
      const sent = await browser.send(await browser.open('/account/verify'), { email: address });
      assert.equal(sent.status, 303);
      const page = await browser.open(sent.location ?? '');
      told.push(page.text.replaceAll(/name="csrf"\s+value="[^"]*"/g, ''));
    }
    assert.equal(told[0], told[1]);
    const wrong = await browser.send(await browser.open('/account/verify'), { email: '"><script>alert(1)</script>' });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /value="&quot;&gt;&lt;script&gt;alert\(1\)&lt;\/script&gt;"/);
    assert.match(wrong.text, /id="email-wrong"/);
  });

  it('shows an address as text, whatever stands in it', async () => {
    ({ email } = await signUp(auth, `o'neil&<b>${randomEmail()}`.replace('<b>', '')));
    const token = await mailbox.tokenTo(email, 'verify');
    const page = await browser.open(`/account/verify/${token}`);
    assert.match(page.text, /<strong>o&#39;neil&amp;usr_/);
  });
});
