import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { expectStatus } from '../harness/expectations.ts';
import { admin, type Person, profileOf, signIn, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';
import { rawRequest } from '../harness/raw-http.ts';

/** What servers behind a trusting gateway have been made to believe. */
const claims = (id: string): Readonly<Record<string, string>> => ({
  'X-User-Id': id,
  'X-User': id,
  'X-Auth-User': id,
  'X-Account-Id': id,
  'X-Roles': 'admin',
  'X-Forwarded-User': id,
  'X-Remote-User': id,
  'Remote-User': id,
  'X-Authenticated-Userid': id,
  'X-Original-Url': '/v1/auth/account',
  'X-Rewrite-Url': '/v1/auth/account',
  'X-Http-Method-Override': 'DELETE',
  'Causeway-Principal': id,
  'Causeway-Roles': 'admin',
  'Causeway-Internal': 'whatever',
});
const guarded = ['/v1/auth/account', '/v1/auth/sessions', '/v1/users/me', '/v1/collections'];
const services = ['gateway', 'auth', 'user', 'data'];

describe('what a caller says in headers', () => {
  let person: Person;
  let other: Person;
  let administrator: string;
  const host = (): string => new URL(addressOf('gateway')).host;
  const asPerson = (): string => `Authorization: Bearer ${person.accessToken}`;

  before(async () => {
    [person, other, administrator] = await Promise.all([signUp(), signUp(), admin()]);
    await profileOf(person);
  });

  it('of who it is opens nothing, neither at the gateway nor past it', async () => {
    for (const service of services) {
      for (const path of guarded) {
        for (const [name, value] of Object.entries(claims(person.id))) {
          const { status } = await rawRequest(addressOf(service), [
            `GET ${path} HTTP/1.1`,
            `Host: ${host()}`,
            `${name}: ${value}`,
          ]);
          assert.ok([401, 404].includes(status), `${service} ${path} with ${name}: ${status}`);
        }
      }
    }
  });

  it('of who it is makes it nobody else: a token counts, and nothing beside it', async () => {
    for (const [name, value] of Object.entries(claims(other.id))) {
      const answer = await call('GET', '/v1/auth/account', {
        token: person.accessToken,
        headers: { [name]: value },
      });
      assert.equal(expectStatus(answer, 200).json().id, person.id, name);
      const lists = await call('GET', '/v1/collections', { token: person.accessToken, headers: { [name]: value } });
      assert.equal(lists.status, 403, `${name} makes no administrator`);
    }
  });

  it('to be dropped on the way takes no credential from a call, nor what the gateway says of it', async () => {
    for (const named of ['authorization', 'causeway-internal', 'x-forwarded-for', 'x-request-id', 'content-length']) {
      const answer = await rawRequest(addressOf('gateway'), [
        'GET /v1/auth/account HTTP/1.1',
        `Host: ${host()}`,
        asPerson(),
        `Connection: close, ${named}`,
      ]);
      // A gateway that drops the credential answers 401: nobody is ever somebody else.
      assert.ok([200, 401, 400].includes(answer.status), `Connection: ${named}: ${answer.status}`);
      if (answer.status === 200) assert.match(answer.text, new RegExp(person.id));
    }
    const anonymous = await rawRequest(addressOf('gateway'), [
      'GET /v1/auth/account HTTP/1.1',
      `Host: ${host()}`,
      'Connection: close, authorization',
    ]);
    assert.equal(anonymous.status, 401);
  });

  it('twice is no credential: which of two tokens counts is nobody’s to choose', async () => {
    const answer = await rawRequest(addressOf('gateway'), [
      'GET /v1/auth/account HTTP/1.1',
      `Host: ${host()}`,
      asPerson(),
      `Authorization: Bearer ${other.accessToken}`,
    ]);
    assert.ok([400, 401].includes(answer.status) || answer.text.includes(person.id), answer.text);
    assert.ok(!answer.text.includes(other.id), 'the gateway and the service agree on the first');
  });

  it('of its address is not believed from somebody who is no proxy of ours', async () => {
    for (const [name, value] of [
      ['X-Forwarded-For', '203.0.113.7'],
      ['Forwarded', 'for=203.0.113.7'],
      ['X-Real-Ip', '203.0.113.7'],
      ['True-Client-Ip', '203.0.113.7'],
      ['Cf-Connecting-Ip', '203.0.113.7'],
    ] as const) {
      const { email, password } = await signUp();
      const json = { email, password };
      const signedIn = await call('POST', '/v1/auth/sign-in', { json, headers: { [name]: value } });
      const { accessToken: token } = expectStatus(signedIn, 200).json<{ accessToken: string }>();
      const { items } = expectStatus(await call('GET', '/v1/auth/sessions', { token }), 200).json<{
        items: { ip?: string }[];
      }>();
      assert.ok(items.length >= 2);
      assert.ok(
        items.every(({ ip }) => ip !== undefined && !ip.includes('203.0.113.7')),
        `${name}: ${JSON.stringify(items)}`,
      );
    }
  });

  it('of the host it meant is in no answer', async () => {
    for (const name of ['Host', 'X-Forwarded-Host', 'X-Host', 'X-Original-Host', 'Forwarded']) {
      const value = name === 'Forwarded' ? 'host=evil.example' : 'evil.example';
      const lines = [
        'GET /v1/auth/account HTTP/1.1',
        ...(name === 'Host' ? [] : [`Host: ${host()}`]),
        `${name}: ${value}`,
      ];
      const answer = await rawRequest(addressOf('gateway'), lines);
      assert.ok(!`${JSON.stringify(answer.headers)}${answer.text}`.includes('evil.example'), name);
    }
  });

  it('that ends one request within another leaves nothing behind for the next caller', async () => {
    const smuggled = `GET /v1/auth/sessions HTTP/1.1\r\nHost: ${host()}\r\n${asPerson()}\r\n\r\n`;
    const heads = [
      ['Content-Length: 0', `Content-Length: ${smuggled.length}`],
      ['Transfer-Encoding: chunked', 'Content-Length: 4'],
      ['Transfer-Encoding: xchunked', `Content-Length: ${smuggled.length}`],
      ['Transfer-Encoding : chunked', 'Content-Length: 0'],
      ['Content-Length: +4'],
    ];
    for (const head of heads) {
      const lines = ['POST /v1/auth/sign-out HTTP/1.1', `Host: ${host()}`, ...head, 'Content-Type: application/json'];
      const answer = await rawRequest(addressOf('gateway'), [...lines, 'Connection: close'], `0\r\n\r\n${smuggled}`);
      assert.ok([400, 401, 413].includes(answer.status), `${head.join(', ')}: ${answer.status}`);
      assert.ok(!answer.text.includes(person.id), head.join(', '));
    }
    expectStatus(await call('GET', '/v1/auth/account', { token: person.accessToken }), 200);
  });

  it('that a line break would add is refused, or stays one value', async () => {
    for (const value of ['a\r\nX-Injected: 1', 'a\nX-Injected: 1', 'a\u0000b']) {
      const answer = await rawRequest(addressOf('gateway'), [
        'GET /v1/auth/account HTTP/1.1',
        `Host: ${host()}`,
        `X-Request-Id: ${value}`,
      ]);
      assert.ok([400, 401].includes(answer.status), JSON.stringify(value));
      assert.equal(answer.headers['x-injected'], undefined);
    }
  });

  it('changes nothing for people who are signed in', async () => {
    expectStatus(await call('GET', '/v1/collections', { token: administrator }), 200);
    expectStatus(await call('GET', '/v1/auth/account', { token: other.accessToken }), 200);
    await signIn(person.email, person.password);
  });
});
