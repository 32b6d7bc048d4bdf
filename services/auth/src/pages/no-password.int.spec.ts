import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Browser, toldBy } from '../testing/browser.ts';
import { claimsOf, openTestAuth, personOf, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { markVerified, sendLink } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { addPasskey } from '../testing/test-passkey.ts';
import { enrolTotp } from '../testing/test-totp.ts';

const publicUrl = 'https://causeway.example';

describe('pages of whoever has no password', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let browser: Browser;
  let person: Person;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ PUBLIC_URL: publicUrl, GUESSES_PER_BLOCK: '100000' });
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    browser = new Browser(auth);
    person = await signUp(auth);
    await markVerified(world, person);
    await world.db
      .collection<{ _id: string }>('accounts')
      .updateOne({ _id: person.id }, { $unset: { passwordHash: 1 } });
  });

  const enter = async (count = 1) => {
    await sendLink(auth, '/v1/auth/sign-in/link', person.email);
    return browser.send(await browser.open(`/account/link/${await mailbox.tokenTo(person.email, 'link', count)}`), {});
  };
  /** As if they had proved who they are an hour ago, and refreshed their tokens since. */
  const grow = async (): Promise<void> => {
    const _id = claimsOf(browser.jar.get('access')).sid as string;
    const authTime = new Date(Date.now() - 3_600_000);
    await world.db.collection<{ _id: string; authTime: Date }>('sessions').updateOne({ _id }, { $set: { authTime } });
    browser.jar.forget('access');
  };

  it('offer to set one, and ask for none to step up: a mailed link signs in anew', async () => {
    assert.equal((await enter()).location, '/account/security');
    assert.match((await browser.open('/account/security')).text, /href="\/account\/password">Set one</);
    await grow();
    const asked = await browser.open('/account/authenticator');
    assert.equal(asked.location, '/account/step-up?next=%2Faccount%2Fauthenticator');
    const page = await browser.open(asked.location);
    assert.doesNotMatch(page.text, /name="(password|code)"/);
    assert.match(page.text, /You have no password, so have a link mailed to you/);
    const foreign = await browser.send(page, {}, { headers: { 'sec-fetch-site': 'cross-site' } });
    assert.equal(foreign.status, 403);
    const sent = await browser.send(page, {});
    assert.equal(sent.location, '/account/step-up?done=link-sent&next=%2Faccount%2Fauthenticator');
    const waiting = await browser.open(sent.location);
    assert.match(toldBy(waiting) ?? '', /a mail is on its way/);
    assert.match(waiting.text, /name="next" value="\/account\/authenticator"/);
    const link = await browser.open(`/account/link/${await mailbox.tokenTo(person.email, 'link', 2)}`);
    assert.equal((await browser.send(link, {})).location, '/account/security');
    const free = await browser.open('/account/authenticator');
    assert.equal(free.status, 200, 'they have proved it now');
  });

  it('ask for a passkey alone where that is all there is, and say what has to come before its removal', async () => {
    const key = await addPasskey(auth, person, { origin: publicUrl, rpId: 'causeway.example' });
    const codes = (used: boolean) =>
      world.db
        .collection('factors')
        .updateMany(
          { accountId: person.id, kind: 'recovery-codes' },
          used ? { $set: { 'codes.$[].usedAt': new Date() } } : { $unset: { 'codes.$[].usedAt': 1 } },
        );
    const asked = await enter();
    assert.match(asked.text, /name="code"/);
    assert.match(asked.text, /One of your recovery codes\./);
    assert.doesNotMatch(asked.text, /authenticator app/);
    const wrong = await browser.send(asked, { code: 'XXXX-XXXX-XXXX-XXXX' });
    assert.equal(wrong.status, 401);
    assert.match(wrong.text, /data-passkey="second-factor"/);
    await codes(true);
    const bare = await enter(2);
    assert.doesNotMatch(bare.text, /name="code"/);
    assert.match(bare.text, /That takes a script/);
    assert.match(bare.text, /data-passkey="second-factor"/);
    await codes(false);
    const [code = ''] = (key.registered.body as unknown as { recoveryCodes: string[] }).recoveryCodes;
    assert.equal((await browser.send(await enter(3), { code })).status, 303);
    const page = await browser.open(`/account/factors/${key.id}`);
    assert.match(page.text, /<a href="\/account\/password">a password<\/a> has to be set first/);
    const kept = await browser.send(page, {}, { to: `/account/factors/${key.id}/remove` });
    assert.equal(kept.status, 409);
    assert.match(toldBy(kept) ?? '', /Set a password first, or add another second factor/);
    await codes(true);
    await grow();
    const again = await browser.open('/account/step-up');
    assert.doesNotMatch(again.text, /name="(password|code)"/);
    assert.match(again.text, /data-passkey="step-up"/);
    assert.doesNotMatch(again.text, /Send me a link/);
  });

  it('let a passkey go where an app is left: what a mailed link opens asks for its code', async () => {
    const key = await addPasskey(auth, person, { origin: publicUrl, rpId: 'causeway.example' });
    const totp = await enrolTotp(world, auth, personOf(await key.signIn()));
    const [code = ''] = (key.registered.body as unknown as { recoveryCodes: string[] }).recoveryCodes;
    assert.equal((await browser.send(await enter(), { code })).status, 303);
    const page = await browser.open(`/account/factors/${key.id}`);
    assert.doesNotMatch(page.text, /last second factor|has to be set first/);
    const gone = await browser.send(page, {}, { to: `/account/factors/${key.id}/remove` });
    assert.deepEqual([gone.status, gone.location], [303, '/account/security?done=factor-removed'], toldBy(gone));

    browser = new Browser(auth);
    const asked = await enter(2);
    assert.doesNotMatch(asked.text, /data-passkey/);
    assert.equal((await browser.send(asked, { code: await totp.code() })).location, '/account/security');
    await grow();
    const to = `/account/factors/${totp.id}`;
    const stepUp = await browser.open((await browser.open(to)).location ?? '');
    assert.equal((await browser.send(stepUp, { code: await totp.code(1) })).location, to);
    const last = await browser.open(to);
    assert.match(
      last.text,
      /your last second factor.*<a href="\/account\/password">a password<\/a> has to be set first/s,
    );
    const kept = await browser.send(last, {}, { to: `${to}/remove` });
    assert.equal(kept.status, 409);
    assert.match(toldBy(kept) ?? '', /no other second factor\. Set a password first/);
  });
});
