import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { generate } from 'otplib';

import { Browser, toldBy } from '../testing/browser.ts';
import { claimsOf, openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';

const foreignSite = { 'sec-fetch-site': 'cross-site' };
const signOut = { to: '/account/sign-out' };
const ownSite = { 'sec-fetch-site': 'same-origin' };

describe('pages of the account', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let browser: Browser;
  let email: string;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({
      PUBLIC_URL: 'https://causeway.example',
      GUESSES_PER_BLOCK: '100000',
      GUESSES_OVERALL: '100000',
    });
  });
  after(() => world.stop());
  beforeEach(() => {
    browser = new Browser(auth);
    email = randomEmail();
  });

  const signIn = async (typed: Record<string, string> = {}, next = '') =>
    browser.send(await browser.open(`/account/sign-in${next}`), { email, password, ...typed });

  it('sign somebody up, show the account, and sign out, without a script', async () => {
    assert.equal((await browser.open('/account')).location, '/account/security');
    assert.equal((await browser.open('/account/security')).location, '/account/sign-in?next=%2Faccount%2Fsecurity');
    const done = await browser.send(await browser.open('/account/sign-up'), { name: '', email, password });
    assert.deepEqual([done.status, done.location], [303, '/account/security']);
    const account = await browser.open('/account/security');
    assert.match(account.text, new RegExp(`You are signed in as\\s*<strong>${email}</strong>`));
    const access = browser.jar.get('access');
    const out = await browser.send(account, {}, signOut);
    assert.deepEqual([out.status, out.location], [303, '/account/sign-in?done=signed-out']);
    assert.equal(browser.jar.get('refresh'), '');
    assert.equal((await auth.call('GET /v1/auth/account', { token: access })).status, 401);
    const again = await signIn();
    assert.deepEqual([again.status, again.location], [303, '/account/security']);
  });

  it('are HTML under a strict policy, with nothing inline, and kept by nobody', async () => {
    for (const path of ['/account/sign-in', '/account/sign-up', '/account/nothing']) {
      const page = await browser.open(path);
      assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.equal(page.headers.get('cache-control'), 'no-store');
      assert.doesNotMatch(page.headers.get('content-security-policy') ?? 'unsafe', /unsafe|\*|https?:/);
      // The one script is a file of this origin: the policy lets no other in.
      const text = page.text.replace('<script src="/account/assets/passkeys.js" defer></script>', '');
      assert.doesNotMatch(text, /<script|<style|\sstyle=|\son[a-z]+=|javascript:/i);
    }
    assert.equal((await browser.open('/account/nothing')).status, 404);
    const style = await browser.open('/account/assets/account.css');
    assert.equal(style.headers.get('content-type'), 'text/css; charset=utf-8');
    const etag = style.headers.get('etag') ?? '';
    assert.equal((await browser.open('/account/assets/account.css', { 'if-none-match': etag })).status, 304);
  });

  it('tell what each field is for, to people and to password managers', async () => {
    for (const [path, fields] of [
      ['/account/sign-in', { email: 'username', password: 'current-password' }],
      ['/account/sign-up', { name: 'name', email: 'username', password: 'new-password' }],
    ] as const) {
      const { text } = await browser.open(path);
      for (const [name, autocomplete] of Object.entries(fields)) {
        const [input = ''] = new RegExp(`<input[^>]*id="${name}"[^>]*>`).exec(text) ?? [];
        assert.match(input, new RegExp(`autocomplete="${autocomplete}"`));
        assert.match(text, new RegExp(`<label for="${name}">`));
      }
    }
  });

  it('say the same of an address that nobody has and of a wrong password', async () => {
    const { email: known } = await signUp(auth);
    const told: string[] = [];
    for (const address of [known, email]) {
      const page = await signIn({ email: address, password: 'wrong wrong wrong' });
      assert.equal(page.status, 401);
      assert.equal(toldBy(page), 'The e-mail address or the password is not right.');
      told.push(page.text.replaceAll(address, '…').replaceAll(/name="csrf"\s+value="[^"]*"/g, ''));
    }
    assert.equal(told[0], told[1]);
  });

  it('keep what was typed but the password, and say at the field what is wrong', async () => {
    const form = await browser.open('/account/sign-up');
    const page = await browser.send(form, { name: '<i>Ada</i>', email: 'no "address"', password: 'short' });
    assert.equal(page.status, 400);
    assert.equal(toldBy(page), 'Some of this cannot be right. Look at the fields below.');
    assert.match(page.text, /value="no &quot;address&quot;"/);
    assert.match(page.text, /value="&lt;i&gt;Ada&lt;\/i&gt;"/);
    assert.doesNotMatch(page.text, /short"/);
    assert.match(page.text, /<p class="wrong" id="email-wrong">\s*Must be an e-mail address/);
    assert.match(page.text, /id="password-wrong">\s*Must have at least 10 characters/);
    assert.match(page.text, /aria-describedby="password-hint password-wrong"\s+aria-invalid="true"/);
  });

  it('say what is wrong with a password that everybody tries, and with an address that is taken', async () => {
    const common = await browser.send(await browser.open('/account/sign-up'), { email, password: 'password1234' });
    assert.equal(common.status, 422);
    assert.match(toldBy(common) ?? '', /guessed first/);
    const { email: taken } = await signUp(auth);
    const conflict = await browser.send(common, { email: taken, password });
    assert.equal(conflict.status, 409);
    assert.match(toldBy(conflict) ?? '', /There is an account/);
  });

  it('ask to wait where there were too many attempts', async () => {
    const { email: known } = await signUp(auth);
    // Each wait is twice the one before: in the end it is longer than the machine takes for a guess.
    let page = await signIn({ email: known, password: 'wrong wrong wrong' });
    for (let times = 1; times < 20 && page.status === 401; times += 1)
      page = await signIn({ email: known, password: 'wrong wrong wrong' });
    assert.equal(page.status, 429);
    assert.match(toldBy(page) ?? '', /^Too many attempts\. Try again in \d+ (second|minute)s?\.$/);
    assert.match(page.headers.get('retry-after') ?? '', /^\d+$/);
  });

  it('lead on to where somebody wanted to go, and never out of our origin', async () => {
    ({ email } = await signUp(auth));
    for (const [next, leads] of [
      ['/docs', '/docs'],
      ['/v1/users/me?x=1', '/v1/users/me?x=1'],
      ['//evil.example', '/account/security'],
      ['/\\evil.example', '/account/security'],
      ['/%09/evil.example', '/account/security'],
      ['https://evil.example', '/account/security'],
      ['javascript:alert(1)', '/account/security'],
    ] as const) {
      assert.equal((await signIn({}, `?next=${encodeURIComponent(next)}`)).location, leads, next);
      // A form that was changed on its way says nothing else.
      assert.equal((await signIn({ next })).location, leads, next);
    }
  });

  it('ask for a second factor where there is one, and begin nothing before it', async () => {
    const ada = await signUp(auth);
    ({ email } = ada);
    const { accessToken: token } = ada;
    const enrolment = await auth.call('POST /v1/auth/factors/totp', { token, body: {} });
    const { id, secret } = enrolment.body as unknown as { id: string; secret: string };
    const codeOf = (steps: number) => generate({ secret, epoch: Math.floor(Date.now() / 1000) + 30 * steps });
    const body = { code: await codeOf(0) };
    const confirmed = await auth.call(`POST /v1/auth/factors/totp/${id}/confirm`, { token, body });
    const [paper = ''] = (confirmed.body as unknown as { recoveryCodes: string[] }).recoveryCodes;

    const asked = await signIn({}, '?next=/docs');
    assert.equal(asked.status, 200);
    assert.match(asked.text, /<h1>Second factor<\/h1>/);
    assert.match(asked.text, /<input[^>]*id="code"[^>]*autocomplete="one-time-code"/);
    assert.equal(browser.jar.get('refresh'), '');
    assert.equal((await browser.open('/account/security')).location, '/account/sign-in?next=%2Faccount%2Fsecurity');

    const short = await browser.send(asked, { code: '12' });
    assert.equal(short.status, 401);
    const former = await browser.send(asked, { code: '12', methods: '' });
    assert.equal(former.status, 401);
    assert.match(former.text, /name="code"/, 'a form of an earlier release does not say what there is');
    assert.match(former.text, /data-passkey="second-factor"/);
    const used = await browser.send(short, { code: body.code });
    assert.equal(used.status, 401);
    assert.match(toldBy(used) ?? '', /The code is not right/);
    const code = await codeOf(1);
    assert.equal((await browser.send(used, { code, csrf: 'nonsense' })).status, 403);
    const done = await browser.send(used, { code });
    assert.deepEqual([done.status, done.location], [303, '/docs'], toldBy(done));
    assert.equal(claimsOf(browser.jar.get('access')).acr, 'aal2');
    const over = await browser.send(used, { code });
    assert.equal(over.status, 404);
    assert.match(toldBy(over) ?? '', /Start again/);
    assert.equal((await browser.open('/account/second-factor')).location, '/account/sign-in');
    assert.equal((await browser.send(await signIn(), { code: paper })).status, 303);
  });

  it('take no form of another site, nor of another browser, nor one without cookies', async () => {
    ({ email } = await signUp(auth));
    const sessions = () => world.db.collection('sessions').countDocuments();
    const before = await sessions();
    const form = await browser.open('/account/sign-in');
    const foreign = await browser.send(form, { email, password }, { headers: foreignSite });
    assert.equal(foreign.status, 403);
    assert.match(foreign.text, /This came from a page of another site/);
    for (const csrf of ['', 'nonsense', '1z141z4.AAAA']) {
      const page = await browser.send(form, { email, password, csrf });
      assert.equal(page.status, 403);
      assert.match(toldBy(page) ?? '', /open for too long/);
    }
    const other = new Browser(auth);
    await other.open('/account/sign-in');
    assert.equal((await other.send(form, { email, password })).status, 403);
    const forgetful = new Browser(auth);
    assert.equal((await forgetful.send(form, { email, password })).status, 403);
    assert.equal(await sessions(), before);
    assert.equal((await browser.send(form, { email, password })).status, 303);
  });

  it('refuse fields that nobody asked for', async () => {
    const form = await browser.open('/account/sign-up');
    const page = await browser.send(form, { email, password, roles: 'admin', emailVerified: 'true' });
    assert.equal(page.status, 400);
    assert.equal(await world.db.collection('accounts').countDocuments({ email }), 0);
  });

  it('keep somebody signed in whose access token has expired', async () => {
    ({ email } = await signUp(auth));
    await signIn();
    const before = browser.jar.get('refresh');
    browser.jar.forget('access');
    const page = await browser.open('/account/security', ownSite);
    assert.equal(page.status, 200);
    assert.notEqual(browser.jar.get('refresh'), before);
    assert.equal((await auth.call('GET /v1/auth/account', { token: browser.jar.get('access') })).status, 200);
  });

  it('exchange no refresh token because another site led here, and know the visitor all the same', async () => {
    ({ email } = await signUp(auth));
    await signIn();
    const before = browser.jar.get('refresh');
    const _id = claimsOf(browser.jar.get('access')).sid as string;
    // Without what is still to be published: that goes by itself.
    const session = () =>
      world.db.collection<{ _id: string }>('sessions').findOne({ _id }, { projection: { outbox: 0 } });
    const stood = await session();
    browser.jar.forget('access');
    for (const headers of [foreignSite, { 'sec-fetch-site': 'same-site' }, {}]) {
      const page = await browser.open('/account/security', headers);
      assert.equal(page.status, 200);
      assert.match(page.text, new RegExp(email));
      assert.deepEqual(
        page.headers.getSetCookie().filter((each) => each.includes('causeway-refresh')),
        [],
      );
    }
    assert.equal(browser.jar.get('refresh'), before);
    assert.deepEqual(await session(), stood);
    // Of the session itself, whatever was done to it meanwhile, it says what is so.
    const { body } = await auth.call('POST /v1/auth/refresh', { body: { refreshToken: before } });
    assert.equal((await browser.open('/account/security', foreignSite)).status, 200);
    const token = (body as unknown as { accessToken: string }).accessToken;
    await auth.call('POST /v1/auth/sign-out', { token });
    assert.equal((await browser.open('/account/security', foreignSite)).status, 303);
  });

  it('ask to sign in again where the session is over, and take its cookies away', async () => {
    ({ email } = await signUp(auth));
    await signIn();
    const sid = claimsOf(browser.jar.get('access')).sid as string;
    await auth.call(`DELETE /v1/auth/sessions/${sid}`, { token: browser.jar.get('access') });
    assert.equal((await browser.open('/account/security', ownSite)).status, 303);
    assert.deepEqual([browser.jar.get('access'), browser.jar.get('refresh')], ['', '']);
  });

  it('sign nobody out because another site wants it', async () => {
    ({ email } = await signUp(auth));
    await signIn();
    const account = await browser.open('/account/security');
    assert.equal((await browser.send(account, {}, { ...signOut, headers: foreignSite })).status, 403);
    assert.equal((await browser.send(account, { csrf: 'nonsense' }, signOut)).status, 403);
    assert.match((await browser.open('/account/security')).text, /You are signed in as/);
  });
});
