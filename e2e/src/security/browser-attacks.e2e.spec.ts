import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { csrfOf, foreign, openBrowser, own } from '../harness/browser.ts';
import type { Browser, Seen } from '../harness/browser.ts';
import { call } from '../harness/client.ts';
import { expectStatus } from '../harness/expectations.ts';
import { type Person, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';
import { noteSecrets } from '../harness/secrets-used.ts';
import { verifyAddress } from '../harness/verify-address.ts';

/** Where nobody is to be led. */
const elsewhere = [
  ...['//evil.example', '///evil.example', '/\\evil.example', '\\\\evil.example', '/\\/evil.example'],
  ...['https://evil.example', 'https:evil.example', 'http:/evil.example', 'javascript:alert(1)', 'data:text/html,x'],
  ...[
    '/\t/evil.example',
    '/\n/evil.example',
    ' //evil.example',
    '/%5cevil.example',
    '/%2f/evil.example',
    '/%09/evil.example',
  ],
  ...['/./\\evil.example', '/account/..//evil.example', '//evil%E3%80%82example', '@evil.example', '.evil.example'],
];

const isHere = (location: string | null): boolean => {
  const origin = addressOf('gateway').replace(/\/$/, '');
  return (
    location !== null && new URL(location, origin).origin === new URL(origin).origin && !/^[/\\]{2}/.test(location)
  );
};

describe('a browser that somebody else leads', () => {
  let person: Person;
  before(async () => {
    person = await signUp();
    // A device is known only where the address is.
    await verifyAddress(person);
  });

  const signIn = async (browse: Browser, next?: string): Promise<Seen> => {
    const query = next === undefined ? '' : `?next=${encodeURIComponent(next)}`;
    const csrf = csrfOf(await browse(`/account/sign-in${query}`));
    const fields = { email: person.email, password: person.password, csrf, ...(next === undefined ? {} : { next }) };
    noteSecrets('a form', fields);
    return browse('/account/sign-in', { method: 'POST', headers: own, body: new URLSearchParams(fields) });
  };
  const sessionIds = async (): Promise<string[]> => {
    const answer = await call('GET', '/v1/auth/sessions', { token: person.accessToken });
    return expectStatus(answer, 200)
      .json<{ items: { id: string }[] }>()
      .items.map(({ id }) => id)
      .sort();
  };

  it('is led nowhere but here by `next`, however it is written', async () => {
    for (const next of elsewhere) {
      const answer = await signIn(openBrowser(), next);
      assert.equal(answer.status, 303, next);
      assert.ok(isHere(answer.headers.get('location')), `${JSON.stringify(next)} → ${answer.headers.get('location')}`);
      const page = await openBrowser()(`/account/sign-up?next=${encodeURIComponent(next)}`);
      assert.ok(!page.text.includes('evil.example') || page.text.includes('value=""'), next);
    }
    assert.equal((await signIn(openBrowser(), '/account/security')).headers.get('location'), '/account/security');
  });

  it('keeps its cookies from scripts, from other sites and from other hosts', async () => {
    const answer = await signIn(openBrowser());
    const set = answer.headers.getSetCookie();
    const names = set.map((each) => each.split('=')[0] ?? '');
    for (const name of ['access', 'refresh', 'device'])
      assert.ok(
        names.some((each) => each.endsWith(`causeway-${name}`)),
        `${name} is set: ${names.join()}`,
      );
    const isSecure = addressOf('gateway').startsWith('https:');
    for (const each of set) {
      const attributes = each
        .split(/;\s*/)
        .slice(1)
        .map((attribute) => attribute.toLowerCase());
      assert.ok(attributes.includes('httponly'), each);
      assert.ok(attributes.includes('samesite=lax'), each);
      assert.ok(attributes.includes('path=/'), each);
      assert.equal(attributes.includes('secure'), isSecure, each);
      assert.ok(!attributes.some((attribute) => attribute.startsWith('domain')), each);
    }
    assert.doesNotMatch(answer.text, /cwr_|eyJ/, 'no token is in a page');
  });

  it('is signed in by nothing that was planted in it, and a session that it had ends', async () => {
    const mallory = await signUp();
    const browse = openBrowser();
    await signIn(browse);
    const [access = ''] = [...browse.cookies.keys()].filter((name) => name.endsWith('causeway-access'));
    const [refresh = ''] = [...browse.cookies.keys()].filter((name) => name.endsWith('causeway-refresh'));
    const victim = openBrowser();
    victim.cookies.set(access, mallory.accessToken);
    victim.cookies.set(refresh, mallory.refreshToken);
    const before = await sessionIds();
    assert.equal((await signIn(victim)).status, 303);
    assert.notEqual(victim.cookies.get(access), mallory.accessToken);
    const me = await victim('/v1/auth/account');
    assert.match(me.text, new RegExp(person.id), 'whoever signs in is themselves');
    const ended = await call('POST', '/v1/auth/refresh', { json: { refreshToken: mallory.refreshToken } });
    expectStatus(ended, 401);
    assert.equal((await sessionIds()).length, before.length + 1, 'each sign-in is a session of its own');
    const first = victim.cookies.get(refresh);
    assert.equal((await signIn(victim)).status, 303);
    assert.notEqual(victim.cookies.get(refresh), first);
    assert.equal((await sessionIds()).length, before.length + 1, 'the one that the browser had is over');
  });

  it('sends nothing for another site, whatever kind of form that has', async () => {
    const browse = openBrowser();
    await signIn(browse);
    const before = await sessionIds();
    const json = JSON.stringify({ delivery: 'cookies' });
    const form = new URLSearchParams({ email: person.email, password: person.password, csrf: '' });
    const attempts: readonly (readonly [path: string, init: RequestInit])[] = [
      ...['application/json', 'text/plain', 'application/x-www-form-urlencoded'].flatMap((type) =>
        ['/v1/auth/sign-out', '/v1/auth/refresh', '/v1/auth/factors/totp'].map(
          (path) => [path, { method: 'POST', headers: { 'content-type': type }, body: json }] as const,
        ),
      ),
      ['/v1/auth/refresh', { method: 'POST' }],
      ['/v1/auth/sign-out', { method: 'POST' }],
      ['/v1/auth/sessions', { method: 'DELETE' }],
      ['/v1/auth/account', { method: 'DELETE', body: JSON.stringify({ password: person.password }) }],
      [
        '/v1/users/me',
        { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: '{"bio":"x"}' },
      ],
      ['/account/sign-out', { method: 'POST', body: form }],
      ['/account/sign-in', { method: 'POST', body: form }],
    ];
    const origins = [
      foreign,
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site', origin: addressOf('gateway') },
    ];
    for (const from of origins) {
      for (const [path, init] of attempts) {
        const headers = { ...(init.headers as Record<string, string> | undefined), ...from };
        const answer = await browse(path, { ...init, headers });
        // Some look at what was sent first, and nothing is done by either.
        assert.ok([400, 403, 415].includes(answer.status), `${path} from ${JSON.stringify(from)}: ${answer.status}`);
        assert.deepEqual(
          answer.headers.getSetCookie().filter((each) => /causeway-(access|refresh)/.test(each)),
          [],
        );
      }
    }
    assert.deepEqual(await sessionIds(), before);
    assert.equal((await browse('/v1/auth/account')).status, 200);
  });
});
