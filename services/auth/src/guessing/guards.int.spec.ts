import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { PublishedEvents } from '@causeway/events/testing';
import { Browser } from '../testing/browser.ts';
import { openCountedGuesses } from '../testing/counted-guesses.ts';
import type { CountedGuesses } from '../testing/counted-guesses.ts';
import { openTestAuth, password, personOf, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { markVerified, refusedAsLink } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { enrolTotp } from '../testing/test-totp.ts';

const lifted = { GUESSES_PER_BLOCK: '100000', GUESSES_OVERALL: '100000' };
const administrator = { CAUSEWAY_ADMIN_EMAIL: 'root@example.com', CAUSEWAY_ADMIN_PASSWORD: 'password of the settings' };

describe('what was guessed', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let published: PublishedEvents;
  let counted: CountedGuesses;
  let ada: Person;
  let deviceToken: string;
  const post = (email: string, typed: string, more: object = {}) =>
    auth.call('POST /v1/auth/sign-in', { body: { email, password: typed, ...more } });
  const guess = async (email: string, times: number, statuses = [401]) => {
    for (let index = 0; index < times; index += 1)
      assert.ok(statuses.includes((await post(email, 'not the password')).status));
  };
  const until = async <T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> => {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      assert.ok(performance.now() < deadline, `${what} did not come`);
      await delay(50);
    }
  };
  interface Told {
    readonly type: string;
    readonly data: Readonly<Record<string, unknown>>;
  }
  const toldOf = (id: string): Told[] =>
    published.all
      .filter(({ subject }) => subject === `guard/${id}`)
      .map(({ type, data }) => ({ type, data: data as Told['data'] }));
  const told = (id: string, type: string, count = 1) =>
    until(`${count} ${type}`, () => {
      const found = toldOf(id).filter((each) => each.type === type);
      return found.length < count ? undefined : found;
    });
  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({
      ...lifted,
      ...administrator,
      PUBLIC_URL: 'https://causeway.example',
      ERASURE_SETTLE_TIME: '1s',
    });
    mailbox = await openTestMailbox(world);
    published = await world.published();
    counted = await openCountedGuesses(world);
  });
  beforeEach(async () => {
    ada = await signUp(auth);
    await markVerified(world, ada);
    deviceToken = String((await post(ada.email, password)).body.deviceToken);
  });
  after(async () => {
    counted.stop();
    await world.stop();
  });

  it('is told by events: of an account together, of addresses that nobody has in one for all', async () => {
    await guess(ada.email, 3);
    await until('three that were wrong', async () => {
      const events = toldOf(ada.id);
      const count = events.reduce((sum, { data }) => sum + Number(data.count), 0);
      assert.ok(count <= 3);
      return count === 3 ? events : undefined;
    });
    const [first] = await told(ada.id, 'auth.guard.failed');
    assert.deepEqual([first?.data.accountId, first?.data.paths], [ada.id, ['password']]);
    assert.equal((first?.data.addresses as unknown[]).length, 1);
    const nobody = randomEmail();
    const before = toldOf('unknown').length;
    await guess(nobody, 1);
    const unknown = await told('unknown', 'auth.guard.failed', before + 1);
    assert.equal(unknown.at(-1)?.data.accountId, undefined);
    assert.doesNotMatch(JSON.stringify(unknown), new RegExp(nobody, 'i'));
    assert.equal(unknown.at(-1)?.data.emails, 1);
    const entry = await until('an entry of the audit', async () => {
      const found = { type: 'auth.guard.failed', accountId: { $exists: false } };
      return (await world.db.collection('audit').findOne(found)) ?? undefined;
    });
    const { networks, emails } = entry.facts as { networks?: string[]; emails?: number };
    assert.deepEqual([entry.personal, networks, emails], [undefined, ['127.0.0.0/24'], 1]);
    assert.doesNotMatch(JSON.stringify(entry), /127\.0\.0\.1/);
    await until('no note', async () =>
      (await world.db.collection('guess-notes').countDocuments({})) === 0 ? true : undefined,
    );
  });

  it('is told to be forgiven by a sign-in, of a new device or of one that is known, and by no other', async () => {
    await guess(ada.email, 2);
    assert.equal((await post(ada.email, password)).status, 200);
    assert.deepEqual((await told(ada.id, 'auth.guard.cleared'))[0]?.data, { accountId: ada.id, by: 'sign-in' });
    assert.equal((await post(ada.email, password)).status, 200);
    await guess(ada.email, 2);
    assert.equal((await post(ada.email, password, { deviceToken })).status, 200);
    const cleared = await told(ada.id, 'auth.guard.cleared', 2);
    assert.deepEqual(
      cleared.map(({ data }) => data.by),
      ['sign-in', 'known-device'],
    );
  });

  it('locks an account to strangers once, and its owner gets a link that unlocks it once', async () => {
    await counted.lock(ada.email);
    await guess(ada.email, 3, [429]);
    assert.equal((await post(ada.email, password)).status, 429);
    await told(ada.id, 'auth.guard.locked');
    const token = await mailbox.tokenTo(ada.email, 'unlock');
    for (const bad of ['', 'x', `${token}a`, token.toLowerCase(), 'cwp_'])
      assert.equal((await auth.call('POST /v1/auth/unlock', { body: { token: bad } })).body.code, 'link-invalid', bad);
    assert.equal((await auth.call('POST /v1/auth/unlock', { body: { token: { $gt: '' } } })).status, 400);
    assert.equal((await auth.call('POST /v1/auth/email/verify', { body: { token, password } })).status, 404);
    const { text } = await mailbox.mailAbout(ada.email, 'Somebody guesses at your account at causeway.example');
    assert.doesNotMatch(text, /go on counting/);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => auth.call('POST /v1/auth/unlock', { body: { token } })),
    );
    assert.deepEqual(
      answers
        .map(({ status }) => status)
        .sort()
        .slice(0, 2),
      [200, 404],
    );
    assert.equal((await post(ada.email, password)).status, 200);
    assert.deepEqual((await told(ada.id, 'auth.guard.cleared'))[0]?.data, { accountId: ada.id, by: 'mailed-link' });
    assert.equal((await told(ada.id, 'auth.guard.locked')).length, 1);
  });

  it('is unlocked by its link for a day, and no longer', async () => {
    const bob = await signUp(auth);
    await markVerified(world, bob);
    const unlockAt = async ({ email }: Person, aheadMs: number) => {
      await guess(email, 1);
      await counted.lock(email);
      await guess(email, 1, [429]);
      const token = await mailbox.tokenTo(email, 'unlock');
      world.clock.aheadMs = aheadMs;
      return auth.call('POST /v1/auth/unlock', { body: { token } });
    };
    const [minuteMs, dayMs] = [60_000, 24 * 3_600_000];
    try {
      assert.equal((await unlockAt(ada, dayMs - minuteMs)).status, 200);
      world.clock.aheadMs = 0;
      refusedAsLink(await unlockAt(bob, dayMs + minuteMs));
    } finally {
      world.clock.aheadMs = 0;
    }
  });

  it('forgives nothing by a link where there is a second factor: whoever opens it gets in as a device that is known', async () => {
    const totp = await enrolTotp(world, auth, ada);
    await guess(ada.email, 1);
    await counted.lock(ada.email);
    await guess(ada.email, 1, [429]);
    const { text, html } = await mailbox.mailAbout(ada.email, 'Somebody guesses at your account at causeway.example');
    for (const words of [text, html]) assert.match(words, /go on counting until\s+you are in/);
    const token = await mailbox.tokenTo(ada.email, 'unlock');
    const unlocked = await auth.call('POST /v1/auth/unlock', { body: { token } });
    assert.equal(unlocked.status, 200, JSON.stringify(unlocked.body));
    assert.equal((await post(ada.email, password)).status, 429);
    const by = { deviceToken: unlocked.body.deviceToken };
    const { mfaToken } = (await post(ada.email, password, by)).body;
    const body = { mfaToken, totp: await totp.code(), ...by };
    assert.equal((await auth.call('POST /v1/auth/sign-in/second-factor', { body })).status, 200);
    assert.equal((await post(ada.email, password)).status, 200);
  });

  it('knows no device of an account whose address nobody has verified: a stranger may have signed up with it', async () => {
    const bob = await signUp(auth);
    const early = await post(bob.email, password);
    assert.deepEqual([early.status, early.body.deviceToken], [200, undefined]);
    const browser = new Browser(auth);
    const page = await browser.send(await browser.open('/account/sign-in'), { email: bob.email, password });
    assert.deepEqual([page.status, browser.jar.get('device')], [303, '']);
    await markVerified(world, bob);
    assert.match(String((await post(bob.email, password)).body.deviceToken), /^cwd_/);
  });

  it('does not lock out a device that the owner has used before, and a sign-in from there unlocks it for all', async () => {
    await counted.lock(ada.email);
    await guess(ada.email, 1, [429]);
    await told(ada.id, 'auth.guard.locked');
    assert.equal((await post(ada.email, password, { deviceToken })).status, 200);
    assert.equal((await post(ada.email, password)).status, 200);
    assert.equal((await told(ada.id, 'auth.guard.cleared'))[0]?.data.by, 'known-device');
  });

  it('opens a page by its link that does nothing until its button is pressed', async () => {
    await counted.lock(ada.email);
    await guess(ada.email, 1, [429]);
    const token = await mailbox.tokenTo(ada.email, 'unlock');
    const browser = new Browser(auth);
    const page = await browser.open(`/account/unlock/${token}`);
    assert.equal(page.status, 200);
    assert.equal(page.headers.get('referrer-policy'), 'strict-origin', 'no other site learns the link');
    assert.equal((await post(ada.email, password)).status, 429, 'looking at it does nothing');
    const foreign = await browser.send(
      { ...page, text: page.text.replace(/name="csrf" value="[^"]*"/, 'name="csrf" value=""') },
      {},
    );
    assert.equal(foreign.status, 403);
    const done = await browser.send(page, {});
    assert.equal(done.location, '/account/sign-in?done=unlocked');
    assert.match(done.headers.get('set-cookie') ?? '', /device=cwd_/);
    assert.equal((await post(ada.email, password)).status, 200);
    assert.equal((await browser.send(page, {})).status, 404);
    const odd = await browser.open(`/account/unlock/${encodeURIComponent('"><script>alert(1)</script>')}`);
    assert.doesNotMatch(odd.text, /<script/);
  });

  it('is in the audit as refused, where its person sees it, and goes with them', async () => {
    await guess(ada.email, 2);
    const { accessToken: token } = personOf(await post(ada.email, password));
    const types = (body: Readonly<Record<string, unknown>>) =>
      (body.items as { type: string; outcome: string }[]).map(({ type, outcome }) => `${type} ${outcome}`);
    const seen = await until('guesses in the audit', async () => {
      const { body } = await auth.call('GET /v1/auth/activity', { token });
      return types(body).includes('auth.guard.cleared done') ? body : undefined;
    });
    assert.ok(types(seen).includes('auth.guard.failed refused'));
    const answer = await auth.call('DELETE /v1/auth/account', { token, body: { password } });
    assert.equal(answer.status, 202);
    const gone = async () =>
      (await world.db.collection('guards').countDocuments({ _id: ada.id as never })) === 0 ? true : undefined;
    for (const service of ['user', 'data'] as const) await world.answerAs(service, ada.id);
    await until('the end of what was guessed', gone);
  });
});
