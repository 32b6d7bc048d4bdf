import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Browser, toldBy } from '../testing/browser.ts';
import type { Seen } from '../testing/browser.ts';
import { claimsOf, openTestAuth, password, randomEmail, signIn as signInByApi, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';

const foreignSite = { 'sec-fetch-site': 'cross-site' };
const ownPages = ['/account/security', '/account/sessions', '/account/activity', '/account/authenticator'] as const;

/** The one script is a file of this origin: the policy lets no other in. */
const ownScript = '<script src="/account/assets/passkeys.js" defer></script>';

describe('pages of somebody who is signed in', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let browser: Browser;
  let email: string;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ PUBLIC_URL: 'https://causeway.example', GUESSES_PER_BLOCK: '100000' });
  });
  after(() => world.stop());
  beforeEach(async () => {
    browser = new Browser(auth);
    ({ email } = await signUp(auth));
  });

  const signIn = async (): Promise<void> => {
    const done = await browser.send(await browser.open('/account/sign-in'), { email, password });
    assert.equal(done.status, 303, toldBy(done));
  };
  const sessionId = (): string => claimsOf(browser.jar.get('access')).sid as string;
  const liveSessions = (accountId: string) =>
    world.db.collection('sessions').countDocuments({ accountId, status: 'live' });
  const rowsOf = ({ text }: Seen): string[] => text.split('<li>').slice(1);

  it('are shown to nobody else, and lead back to where somebody wanted to go', async () => {
    for (const path of [...ownPages, '/account/recovery-codes', '/account/factors/fac_x']) {
      const { status, location } = await browser.open(path);
      assert.deepEqual([status, location], [303, `/account/sign-in?next=${encodeURIComponent(path)}`]);
    }
  });

  it('are under the strict policy, name the current one, and have one heading of the first level and no place twice', async () => {
    await signIn();
    for (const path of ownPages) {
      const { status, headers, text } = await browser.open(path);
      assert.equal(status, 200, path);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.doesNotMatch(headers.get('content-security-policy') ?? 'unsafe', /unsafe|\*|https?:/);
      assert.doesNotMatch(text.replace(ownScript, ''), /<script|<style|\sstyle=|\son[a-z]+=|javascript:/i);
      assert.equal(text.match(/<h1>/g)?.length, 1);
      assert.equal(text.match(/aria-current="page"/g)?.length, 1);
      const ids = [...text.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
      assert.equal(new Set(ids).size, ids.length);
      const labelled = [...text.matchAll(/aria-labelledby="([^"]*)"/g)].map(([, id]) => id);
      assert.deepEqual(
        labelled.filter((id) => !ids.includes(id)),
        [],
      );
    }
  });

  it('list sessions with their devices as text, and end one, and all others', async () => {
    const headers = { 'user-agent': '<b>Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' };
    const elsewhere = await auth.call('POST /v1/auth/sign-in', { body: { email, password }, headers });
    const token = (elsewhere.body as unknown as { accessToken: string }).accessToken;
    await signIn();
    const accountId = claimsOf(token).sub as string;
    const list = await browser.open('/account/sessions');
    assert.match(list.text, /<strong>Firefox on Linux<\/strong>/);
    assert.doesNotMatch(list.text, /<b>/);
    const [mine = ''] = rowsOf(list).filter((row) => row.includes('This one'));
    assert.doesNotMatch(mine, /<form/);
    const before = await liveSessions(accountId);
    const done = await browser.send(list, { session: claimsOf(token).sid as string }, { to: '/account/sessions' });
    assert.deepEqual([done.status, done.location], [303, '/account/sessions?done=session-ended']);
    assert.equal((await auth.call('GET /v1/auth/account', { token })).status, 401);
    assert.equal(await liveSessions(accountId), before - 1);
    const again = await browser.send(list, { session: claimsOf(token).sid as string });
    assert.equal(again.status, 404);
    assert.equal(toldBy(again), 'That session is over already.');
    const others = await browser.send(list, { session: 'others' });
    assert.equal(others.location, '/account/sessions?done=others-ended');
    const after = await browser.open('/account/sessions?done=others-ended');
    assert.equal(toldBy(after), 'You are signed out everywhere else.');
    assert.equal(rowsOf(after).filter((row) => row.includes('last used')).length, 1);
    assert.equal(await liveSessions(accountId), 1);
  });

  it("end nobody else's session, and none because another site wants it", async () => {
    const other = await signInByApi(auth, (await signUp(auth)).email);
    await signInByApi(auth, email);
    await signIn();
    const list = await browser.open('/account/sessions');
    const stolen = await browser.send(list, { session: other.sessionId });
    assert.equal(stolen.status, 404);
    assert.equal((await auth.call('GET /v1/auth/account', { token: other.accessToken })).status, 200);
    const accountId = claimsOf(browser.jar.get('access')).sub as string;
    const before = await liveSessions(accountId);
    for (const sent of [
      await browser.send(list, { session: 'others' }, { headers: foreignSite }),
      await browser.send(list, { session: 'others', csrf: 'nonsense' }),
    ])
      assert.equal(sent.status, 403);
    assert.equal(await liveSessions(accountId), before);
    for (const session of ['', '{"$gt":""}', 'x'.repeat(5_000)])
      assert.equal((await browser.send(list, { session })).status, 404);
    assert.equal(await liveSessions(accountId), before);
  });

  it('tell what happened to the account, the newest first, and no more than is its own', async () => {
    await signUp(auth);
    await browser.send(await browser.open('/account/sign-in'), { email, password: 'wrong wrong wrong' });
    await signIn();
    const look = async (): Promise<Seen> => {
      const deadline = performance.now() + 60_000;
      for (;;) {
        const page = await browser.open('/account/activity');
        // Each account is in a chain of its own, and what is known of an address too.
        const isAll = ['Signed in with the password', 'The account was made'].every((words) =>
          page.text.includes(words),
        );
        if (isAll) return page;
        assert.ok(performance.now() < deadline, page.text);
        await delay(50);
      }
    };
    const page = await look();
    assert.equal(page.text.match(/The account was made/g)?.length, 1);
    assert.ok(page.text.indexOf('Signed in with the password') < page.text.indexOf('The account was made'));
    assert.match(page.text, /<time datetime="[\d-]+T[\d:.]+Z">/);
    assert.equal((await browser.open('/account/activity?cursor=nonsense')).status, 400);
    assert.equal((await browser.open(`/account/activity?cursor=${'x'.repeat(3_000)}`)).status, 400);
  });

  it('leaf through what happened without losing or repeating any of it', async () => {
    const before = await signUp(auth, randomEmail());
    ({ email } = before);
    for (let times = 0; times < 14; times += 1) {
      const { accessToken } = await signInByApi(auth, email);
      await auth.call('POST /v1/auth/sign-out', { token: accessToken });
    }
    const all = async () => world.db.collection('audit').countDocuments({ accountId: before.id });
    const deadline = performance.now() + 60_000;
    while ((await all()) < 30) {
      assert.ok(performance.now() < deadline);
      await delay(50);
    }
    await signIn();
    const first = await browser.open('/account/activity');
    const [, older = ''] = /href="(\/account\/activity\?cursor=[^"]+)"/.exec(first.text) ?? [];
    const second = await browser.open(older);
    assert.equal(second.status, 200);
    const timesOf = ({ text }: Seen) => [...text.matchAll(/datetime="([^"]+)"/g)].map(([, at]) => at ?? '');
    const times = [...timesOf(first), ...timesOf(second)];
    assert.equal(timesOf(first).length, 25);
    assert.deepEqual(times, [...times].sort().reverse());
    assert.match(second.text, /href="\/account\/activity">Newest/);
  });

  it('have the mail sent again that verifies the address, and say when it is verified', async () => {
    await signIn();
    const page = await browser.open('/account/security');
    assert.match(page.text, /Not verified/);
    const sent = await browser.send(page, {}, { to: '/account/verify' });
    assert.deepEqual([sent.status, sent.location], [303, '/account/verify?done=link-sent']);
    await world.db.collection('accounts').updateOne({ email }, { $set: { emailVerified: true } });
    const verified = await browser.open('/account/security');
    assert.doesNotMatch(verified.text, /Not verified|action="\/account\/verify"/);
  });

  it('say nothing that a link makes up', async () => {
    await signIn();
    for (const done of ['<script>alert(1)</script>', 'constructor', '__proto__', 'unheard-of'])
      assert.equal(toldBy(await browser.open(`/account/security?done=${encodeURIComponent(done)}`)), undefined);
    assert.ok(sessionId());
  });
});
