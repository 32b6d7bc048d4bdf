import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

import { claimsOf, openTestAuth, password, personOf, signIn, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestCall, TestReplica } from '../testing/test-auth.ts';
import { markVerified, refusedAsLink, sendLink } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { enrolTotp } from '../testing/test-totp.ts';

const another = 'a lantern under the harbour';
const good = { currentPassword: password, newPassword: another };

describe("changing one's password", () => {
  let world: TestAuth;
  let auth: TestReplica;
  let other: TestReplica;
  let published: PublishedEvents;
  let mailbox: TestMailbox;
  let ada: Person;

  const change = (person: Pick<Person, 'accessToken'>, body: unknown = good, more: TestCall = {}, replica = auth) =>
    replica.call('PUT /v1/auth/password', { token: person.accessToken, body, ...more });
  const refresh = (refreshToken: string) => auth.call('POST /v1/auth/refresh', { body: { refreshToken } });
  const isIn = async (token: string, replica = auth): Promise<boolean> =>
    (await replica.call('GET /v1/auth/account', { token })).status === 200;
  const signInWith = ({ email }: Person, typed: string): Promise<Answered> =>
    auth.call('POST /v1/auth/sign-in', { body: { email, password: typed } });
  const recorded = (subject: string, type: string): Promise<EventEnvelope[]> =>
    published.waitFor((event) => event.subject === subject && event.type === type);

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    other = await world.replica();
    published = await world.published();
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    world.clock.aheadMs = 0;
    ada = await signUp(auth);
  });

  it('ends all other sessions, gives this one its next tokens, and is told to its owner', async () => {
    await markVerified(world, ada);
    const second = await signIn(auth, ada.email);
    const answer = await change(ada);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { status, accessToken, refreshToken, tokenType } = answer.body as unknown as Person & Record<string, string>;
    assert.deepEqual([status, tokenType], ['password-changed', 'Bearer']);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.deepEqual([claimsOf(accessToken).sid, claimsOf(accessToken).av], [ada.sessionId, 2]);
    assert.equal(await isIn(accessToken), true);
    for (const over of [ada.accessToken, second.accessToken]) assert.equal(await isIn(over), false);
    assert.equal((await refresh(second.refreshToken)).status, 401);
    assert.equal((await refresh(refreshToken)).status, 200);
    assert.equal((await signInWith(ada, password)).status, 401);
    assert.equal((await signInWith(ada, another)).status, 200);
    const [ended] = await recorded(`session/${second.sessionId}`, 'auth.session.ended');
    assert.ok(['password-changed', 'revoked'].includes((ended?.data as { reason: string }).reason));
    const [updated] = await recorded(`account/${ada.id}`, 'auth.account.updated');
    const [moved] = await recorded(`session/${ada.sessionId}`, 'auth.session.refreshed');
    assert.equal(answer.headers.get('causeway-event'), `${updated?.id}, ${moved?.id}`);
    assert.deepEqual((updated?.data as { changed: string[] }).changed, ['password']);
    await mailbox.mailAbout(ada.email, 'Your password for 127.0.0.1:8080 was changed');
  });

  it('is found out by whoever has a copy of the refresh token of before', async () => {
    const { refreshToken } = (await change(ada)).body as unknown as Person;
    world.clock.aheadMs = 31_000;
    const stolen = await refresh(ada.refreshToken);
    assert.deepEqual([stolen.status, stolen.body.code], [401, 'refresh-reused']);
    assert.equal((await refresh(refreshToken)).status, 401);
  });

  it('takes the password that there is, which is guessed at with all other guesses', async () => {
    const missing = await change(ada, { newPassword: another });
    assert.deepEqual([missing.status, missing.body.code], [401, 'invalid-credentials']);
    const wrong = { currentPassword: 'not the right one', newPassword: another };
    let answer = await change(ada, wrong);
    assert.deepEqual([answer.status, answer.body.code], [401, 'invalid-credentials']);
    for (let count = 1; answer.status === 401 && count < 40; count += 1) answer = await change(ada, wrong);
    assert.deepEqual([answer.status, answer.body.code], [429, 'too-many-attempts']);
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    // The right one does not pass either until then.
    assert.equal((await change(ada)).status, 429);
    assert.equal(await isIn(ada.accessToken), true);
  });

  it('is refused without a session, with one that is over, and for a password that is guessed first', async () => {
    assert.equal((await auth.call('PUT /v1/auth/password', { body: good })).status, 401);
    const common = await change(ada, { currentPassword: password, newPassword: 'password123' });
    assert.deepEqual([common.status, common.body.code], [422, 'password-common']);
    assert.deepEqual((common.body.errors as unknown as { pointer: string }[])[0]?.pointer, '/newPassword');
    for (const bad of [
      ...[{}, { ...good, newPassword: 'short' }, { ...good, newPassword: { $gt: '' } }, { ...good, newPassword: 7 }],
      ...[
        { ...good, currentPassword: { $ne: null } },
        { ...good, accountId: 'usr_1' },
        { ...good, roles: ['admin'] },
      ],
    ])
      assert.equal((await change(ada, bad)).status, 400, JSON.stringify(bad));
    assert.equal((await change(ada, { ...good, newPassword: 'x'.repeat(1_000_000) })).status, 413);
    assert.equal((await auth.call('POST /v1/auth/sign-out', { token: ada.accessToken })).status, 204);
    assert.equal((await change(ada)).status, 401);
    assert.equal((await signInWith(ada, password)).status, 200);
  });

  it('is made once by any number at once with the same password, in two sessions and two replicas', async () => {
    const second = await signIn(auth, ada.email);
    const tries = Array.from({ length: 4 }, (_, index) => {
      const by = index % 2 === 0 ? ada : second;
      const chosen = `${another} number ${index}`;
      return change(by, { currentPassword: password, newPassword: chosen }, {}, index < 2 ? auth : other);
    });
    const answers = await Promise.all(tries);
    const made = answers.filter(({ status }) => status === 200);
    assert.equal(made.length, 1, JSON.stringify(answers.map(({ status, body }) => [status, body.code])));
    const { accessToken } = made[0]?.body as unknown as Person;
    assert.equal(await isIn(accessToken), true);
    const winner = answers.findIndex(({ status }) => status === 200);
    assert.equal((await signInWith(ada, `${another} number ${winner}`)).status, 200);
  });

  it('shuts out whoever signs in beside it with the password of before', async () => {
    const [changed, ...entered] = await Promise.all([
      change(ada),
      ...Array.from({ length: 3 }, () => signInWith(ada, password)),
    ]);
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
    for (const answer of entered) {
      if (answer.status !== 200) continue;
      const person = personOf(answer);
      assert.equal(await isIn(person.accessToken), false);
      assert.equal((await refresh(person.refreshToken)).status, 401);
    }
  });

  it('voids links by which somebody could sign in or change it back', async () => {
    await sendLink(auth, '/v1/auth/sign-in/link', ada.email);
    await sendLink(auth, '/v1/auth/password/reset', ada.email);
    const link = await mailbox.tokenTo(ada.email, 'link');
    const token = await mailbox.tokenTo(ada.email, 'reset');
    assert.equal((await change(ada)).status, 200);
    refusedAsLink(await auth.call('POST /v1/auth/sign-in/link/redeem', { body: { token: link } }));
    refusedAsLink(await auth.call('POST /v1/auth/password/reset/confirm', { body: { token, password } }));
  });

  it('takes a session that has used the second factor, where there is one: older ones go on, and may not', async () => {
    const totp = await enrolTotp(world, auth, ada);
    // Begun before there was a second factor: it goes on, by one proof.
    const pair = await refresh(ada.refreshToken);
    assert.equal(pair.status, 200);
    const older = pair.body as unknown as Person;
    assert.equal(claimsOf(older.accessToken).acr, 'aal1');
    const refused = await change(older);
    assert.deepEqual([refused.status, refused.body.code], [401, 'insufficient-authentication']);
    assert.match(
      String(refused.headers.get('www-authenticate')),
      /insufficient_user_authentication.*acr_values="aal2"/,
    );
    const first = await signInWith(ada, password);
    const { mfaToken } = first.body as unknown as { mfaToken: string };
    const body = { mfaToken, totp: await totp.code() };
    const sure = personOf(await auth.call('POST /v1/auth/sign-in/second-factor', { body }));
    assert.equal((await change(sure)).status, 200);
    assert.equal(await isIn(older.accessToken), false);
  });

  it('takes a recent authentication of whoever has no password', async () => {
    const enter = async (count: number): Promise<Person> => {
      await sendLink(auth, '/v1/auth/sign-in/link', ada.email);
      const token = await mailbox.tokenTo(ada.email, 'link', count);
      return personOf(await auth.call('POST /v1/auth/sign-in/link/redeem', { body: { token } }));
    };
    world.clock.aheadMs = -16 * 60_000;
    // Nobody had confirmed the address: the link takes the password away.
    const early = await enter(1);
    world.clock.aheadMs = 0;
    const later = (await refresh(early.refreshToken)).body as unknown as Person;
    const refused = await change(later, { newPassword: another });
    assert.deepEqual([refused.status, refused.body.code], [401, 'insufficient-authentication']);
    assert.equal((await change(await enter(2), { newPassword: another })).status, 200);
    assert.equal((await signInWith(ada, another)).status, 200);
  });

  it('answers in cookies whom cookies have let in', async () => {
    const secured = await world.replica({ PUBLIC_URL: 'https://causeway.example' });
    const cookie = `__Host-causeway-access=${ada.accessToken}`;
    const call = (headers: Record<string, string>) =>
      secured.call('PUT /v1/auth/password', { body: good, headers: { cookie, ...headers } });
    assert.equal((await call({ 'sec-fetch-site': 'cross-site' })).body.code, 'cross-site');
    const answer = await call({ 'sec-fetch-site': 'same-origin' });
    assert.deepEqual([answer.status, Object.keys(answer.body).sort()], [200, ['expiresIn', 'status']]);
    const names = answer.headers.getSetCookie().map((each) => each.slice(0, each.indexOf('=')));
    assert.deepEqual(names, ['__Host-causeway-access', '__Host-causeway-refresh']);
    await secured.stop();
  });
});
