import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { generate } from 'otplib';

import { Browser, toldBy } from '../testing/browser.ts';
import type { Seen } from '../testing/browser.ts';
import { claimsOf, openTestAuth, password, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { addPasskey } from '../testing/test-passkey.ts';

const foreignSite = { 'sec-fetch-site': 'cross-site' };
const hour = 3_600_000;

describe('pages of second factors', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let browser: Browser;
  let person: Person;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ PUBLIC_URL: 'https://causeway.example', GUESSES_PER_BLOCK: '100000' });
  });
  after(() => world.stop());
  beforeEach(async () => {
    world.clock.aheadMs = 0;
    browser = new Browser(auth);
    person = await signUp(auth);
    const done = await browser.send(await browser.open('/account/sign-in'), { email: person.email, password });
    assert.equal(done.status, 303, toldBy(done));
  });

  const codeOf = (secret: string, steps = 0) =>
    generate({ secret, epoch: Math.floor((Date.now() + world.clock.aheadMs) / 1000) + 30 * steps });
  const secretIn = ({ text }: Seen): string =>
    (/<code class="key">([A-Z2-7 ]+)<\/code>/.exec(text)?.[1] ?? '').replaceAll(' ', '');
  const codesIn = ({ text }: Seen): string[] => {
    const [list = ''] = /<ol class="codes">[\s\S]*?<\/ol>/.exec(text) ?? [];
    return [...list.matchAll(/<li>([^<]+)<\/li>/g)].map(([, code]) => code ?? '');
  };
  const begin = async () => browser.send(await browser.open('/account/authenticator'), {});
  const enrol = async (): Promise<{ secret: string; codes: string[] }> => {
    const begun = await begin();
    const secret = secretIn(begun);
    const done = await browser.send(begun, { code: await codeOf(secret) });
    assert.equal(done.status, 200, toldBy(done));
    return { secret, codes: codesIn(done) };
  };
  /** As if somebody had proved who they are an hour ago, and refreshed their tokens since. */
  const grow = async (): Promise<void> => {
    const _id = claimsOf(browser.jar.get('access')).sid as string;
    const authTime = new Date(Date.now() - hour);
    await world.db.collection<{ _id: string; authTime: Date }>('sessions').updateOne({ _id }, { $set: { authTime } });
    browser.jar.forget('access');
  };
  const account = () =>
    world.db.collection<{ _id: string; hasSecondFactor: boolean }>('accounts').findOne({ _id: person.id });
  const factors = (status = 'active') =>
    world.db
      .collection<{ _id: string; kind: string; name: string }>('factors')
      .find({ accountId: person.id, status })
      .toArray();
  /** As the pages ask for it, by a code on paper: none that an app shows is good twice. */
  const stepUp = async (to: string, fields: Record<string, string>): Promise<void> => {
    const asked = await browser.open(to);
    assert.equal(asked.location, `/account/step-up?next=${encodeURIComponent(to)}`);
    const done = await browser.send(await browser.open(asked.location), fields);
    assert.deepEqual([done.status, done.location], [303, to], toldBy(done));
  };

  it('add an authenticator app: a picture, a key to type, and recovery codes that are shown once', async () => {
    const begun = await begin();
    assert.equal(begun.status, 200);
    assert.equal(begun.headers.get('cache-control'), 'no-store');
    const [image = ''] = /<img[^>]*>/.exec(begun.text) ?? [];
    assert.match(image, /src="data:image\/svg\+xml;base64,[\w+/=]+"/);
    assert.match(image, /alt="QR code\. The key below it says the same\."/);
    const secret = secretIn(begun);
    assert.match(begun.text, new RegExp(`href="otpauth://totp/[^"]*secret=${secret}`));
    assert.equal((await account())?.hasSecondFactor, false);

    for (const code of ['000000', 'abc', '<script>']) {
      const wrong = await browser.send(begun, { code });
      assert.equal(wrong.status, 401);
      assert.equal(toldBy(wrong), 'The code is not right. Take the one that the app shows now.');
      assert.doesNotMatch(wrong.text, new RegExp(secret));
    }
    const empty = await browser.send(begun, { code: '' });
    assert.equal(empty.status, 400);
    assert.match(empty.text, /aria-describedby="code-hint code-wrong"\s+aria-invalid="true"/);

    const done = await browser.send(empty, { code: await codeOf(secret) });
    assert.equal(done.status, 200, toldBy(done));
    assert.equal(codesIn(done).length, 10);
    assert.equal((await account())?.hasSecondFactor, true);
    const again = await browser.send(begun, { code: await codeOf(secret, 1) });
    // From now on such things take the second factor too.
    assert.equal(again.location, '/account/step-up?next=%2Faccount%2Fauthenticator');
    const page = await browser.open('/account/security');
    assert.match(page.text, /10 of 10 left/);
    assert.doesNotMatch(page.text, /Add an authenticator app/);
  });

  it('take no form of another site, without its token, or for a factor of somebody else', async () => {
    const first = await browser.open('/account/authenticator');
    for (const sent of [
      await browser.send(first, {}, { headers: foreignSite }),
      await browser.send(first, { csrf: 'nonsense' }),
    ]) {
      assert.equal(sent.status, 403);
      assert.equal(secretIn(sent), '');
    }
    assert.deepEqual(await factors('pending'), []);
    const begun = await begin();
    const secret = secretIn(begun);
    const other = new Browser(auth);
    const { email } = await signUp(auth);
    await other.send(await other.open('/account/sign-in'), { email, password });
    const otherBegun = await other.send(await other.open('/account/authenticator'), {});
    const [pending] = await factors('pending');
    const stolen = await other.send(otherBegun, { factor: pending?._id ?? '', code: await codeOf(secret) });
    assert.equal(stolen.status, 404);
    assert.match(toldBy(stolen) ?? '', /nothing to confirm/);
    assert.equal((await other.open(`/account/factors/${pending?._id ?? ''}`)).status, 404);
    assert.equal((await account())?.hasSecondFactor, false);
  });

  it('are refused a factor that waited for too long', async () => {
    const begun = await begin();
    const secret = secretIn(begun);
    world.clock.aheadMs = 13 * 60_000;
    const late = await browser.send(begun, { code: '123' });
    assert.equal(late.status, 401, toldBy(late));
    world.clock.aheadMs = 15.1 * 60_000;
    const over = await browser.send(late, { code: await codeOf(secret) });
    // By then the sign-in is as old.
    assert.equal(over.location, '/account/step-up?next=%2Faccount%2Fauthenticator');
    assert.equal((await account())?.hasSecondFactor, false);
  });

  it('ask once more who it is where that is long ago, and for both factors before one is taken away', async () => {
    const toStepUp = '/account/step-up?next=%2Faccount%2Fauthenticator';
    const form = await browser.open('/account/authenticator');
    await grow();
    assert.equal((await browser.send(form, {})).location, toStepUp);
    assert.deepEqual(await factors('pending'), []);
    assert.equal((await browser.open('/account/authenticator')).location, toStepUp);
    await stepUp('/account/authenticator', { password });

    await enrol();
    // In this session no second factor was shown.
    const [totp] = (await factors()).filter(({ kind }) => kind === 'totp');
    for (const path of ['/account/recovery-codes', `/account/factors/${totp?._id ?? ''}`])
      assert.equal((await browser.open(path)).location, `/account/step-up?next=${encodeURIComponent(path)}`);
    const page = await browser.open('/account/step-up');
    assert.doesNotMatch(page.text, /type="password"/);
  });

  it('take the proof of nobody but who is signed in, and of no other site, and say what is wrong with it', async () => {
    const stranger = await new Browser(auth).open('/account/step-up?next=/docs');
    assert.equal(stranger.location, `/account/sign-in?next=${encodeURIComponent('/account/step-up?next=%2Fdocs')}`);
    const authTime = () => claimsOf(browser.jar.get('access')).auth_time;
    await grow();
    const form = await browser.open('/account/step-up?next=//evil.example');
    const before = authTime();
    assert.match(form.text, /<label for="password">/);
    assert.doesNotMatch(form.text, /evil/);
    const empty = await browser.send(form, {});
    assert.equal(empty.status, 400);
    assert.match(empty.text, /id="password-wrong">\s*This is required/);
    const wrong = await browser.send(form, { password: 'wrong wrong wrong' });
    assert.equal(wrong.status, 401);
    assert.equal(toldBy(wrong), 'The password is not right.');
    assert.equal((await browser.send(form, { password, csrf: 'nonsense' })).status, 403);
    assert.equal((await browser.send(form, { password }, { headers: foreignSite })).status, 403);
    assert.equal(authTime(), before);
    const done = await browser.send(form, { password, next: '/\\evil.example' });
    assert.deepEqual([done.status, done.location], [303, '/account/security'], toldBy(done));
    assert.ok(Number(authTime()) > Number(before));
  });

  it('let a passkey prove it where there is one and a script, and a code where there is none', async () => {
    const { text: asks } = await browser.open('/account/step-up');
    assert.doesNotMatch(asks, /data-passkey/);
    const site = { origin: 'https://causeway.example', rpId: 'causeway.example' };
    const { registered } = await addPasskey(auth, { accessToken: browser.jar.get('access') }, site);
    const asked = await browser.open('/account/step-up?next=%2Faccount%2Frecovery-codes');
    assert.match(asked.text, /<div hidden data-passkey="step-up" data-next="\/account\/recovery-codes"/);
    assert.match(asked.text, /One of your recovery codes\./);
    assert.doesNotMatch(asked.text, /authenticator app/);
    const [code = ''] = (registered.body as unknown as { recoveryCodes: string[] }).recoveryCodes;
    await stepUp('/account/recovery-codes', { code });
  });

  it('add an app beside a passkey, and say that the recovery codes that there are stay good', async () => {
    const site = { origin: 'https://causeway.example', rpId: 'causeway.example' };
    const { registered } = await addPasskey(auth, { accessToken: browser.jar.get('access') }, site);
    const [code = '', next = ''] = (registered.body as unknown as { recoveryCodes: string[] }).recoveryCodes;
    await stepUp('/account/authenticator', { code });
    const begun = await begin();
    const done = await browser.send(begun, { code: await codeOf(secretIn(begun)) });
    assert.equal(done.status, 200, toldBy(done));
    assert.deepEqual(codesIn(done), []);
    assert.match(done.text, /The recovery codes that you have stay good\./);
    const other = new Browser(auth);
    const second = await other.send(await other.open('/account/sign-in'), { email: person.email, password });
    assert.equal((await other.send(second, { code: next })).status, 303);
  });

  it('make new recovery codes, and the old ones open nothing', async () => {
    const { codes } = await enrol();
    await stepUp('/account/recovery-codes', { code: codes[0] ?? '' });
    const page = await browser.open('/account/recovery-codes');
    assert.equal((await browser.send(page, { csrf: 'nonsense' })).status, 403);
    assert.equal((await browser.send(page, {}, { headers: foreignSite })).status, 403);
    const renewed = codesIn(await browser.send(page, {}));
    assert.equal(renewed.length, 10);
    assert.equal(new Set([...codes, ...renewed]).size, 20);
    const other = new Browser(auth);
    const second = await other.send(await other.open('/account/sign-in'), { email: person.email, password });
    const old = await other.send(second, { code: codes[1] ?? '' });
    assert.equal(old.status, 401);
    assert.equal((await other.send(old, { code: renewed[0] ?? '' })).status, 303);
  });

  it('name a factor, as text, and remove it: others are out, and this browser goes on', async () => {
    const { codes } = await enrol();
    const [totp] = (await factors()).filter(({ kind }) => kind === 'totp');
    const path = `/account/factors/${totp?._id ?? ''}`;
    const toName = { to: `${path}/name` };
    await stepUp(path, { code: codes[0] ?? '' });
    const empty = await browser.send(await browser.open(path), { name: ' ' }, toName);
    assert.equal(empty.status, 400);
    assert.match(empty.text, /id="name-wrong"/);
    const name = `<img src=x onerror="alert('1')">`;
    const named = await browser.send(empty, { name }, toName);
    assert.deepEqual([named.status, named.location], [303, '/account/security?done=factor-renamed']);
    const shown = await browser.open('/account/security');
    assert.match(shown.text, /<strong>&lt;img src=x onerror=&quot;alert\(&#39;1&#39;\)&quot;&gt;<\/strong>/);
    assert.doesNotMatch(shown.text, /<img/);

    const remove = { to: `${path}/remove` };
    const page = await browser.open(path);
    assert.equal((await browser.send(page, { csrf: 'nonsense' }, remove)).status, 403);
    assert.equal((await browser.send(page, {}, { ...remove, headers: foreignSite })).status, 403);
    assert.equal((await factors()).length, 2);
    const done = await browser.send(page, {}, remove);
    assert.deepEqual([done.status, done.location], [303, '/account/security?done=factor-removed']);
    assert.deepEqual(await factors(), []);
    const after = await browser.open(done.location ?? '', { 'sec-fetch-site': 'same-origin' });
    assert.equal(after.status, 200);
    assert.match(toldBy(after) ?? '', /It is removed/);
    assert.equal((await auth.call('GET /v1/auth/account', { token: person.accessToken })).status, 401);
    assert.equal(claimsOf(browser.jar.get('access')).sub, person.id);
    assert.equal((await browser.open(path)).status, 404);
    assert.equal((await browser.send(page, {}, remove)).status, 404);
  });
});
