import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { request } from 'undici';
import { apiDocument } from '../harness/client.ts';
import { type Person, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';

/** What may be asked by anybody: it is how one gets to be somebody. */
const open = new Set([
  ...['GET /.well-known/jwks.json', 'GET /healthz', 'GET /readyz', 'GET /openapi.json', 'GET /asyncapi.json'],
  ...['GET /docs', 'GET /schemas', 'GET /schemas/{type}/{version}', 'POST /v1/auth/sign-in/passkey/options'],
]);
const services = ['auth', 'user', 'data'] as const;

interface Call {
  readonly shown: string;
  readonly method: string;
  readonly path: string;
}

describe('a service that is called past the gateway', () => {
  let person: Person;
  let calls: readonly Call[];
  before(async () => {
    person = await signUp();
    const { document } = await apiDocument();
    calls = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations)
        .map((each) => each.toUpperCase())
        .filter((method) => !open.has(`${method} ${path}`))
        .map((method) => ({ shown: `${method} ${path}`, method, path: path.replaceAll(/\{[^}]+\}/g, 'abc') })),
    );
    assert.ok(calls.length >= 30);
  });

  const send = async (service: string, { method, path }: Call, headers: Readonly<Record<string, string>>) => {
    const isBodiless = method === 'GET' || method === 'DELETE';
    const response = await request(new URL(path, addressOf(service)), {
      method: method,
      headers: { ...headers, ...(isBodiless ? {} : { 'content-type': 'application/json' }) },
      ...(isBodiless ? {} : { body: '{}' }),
      headersTimeout: 20_000,
    });
    const text = await response.body.text();
    return { status: response.statusCode, text };
  };

  /** Refused for who asks (401, 403) or for what is asked (400, 404, 405, 415, 422); never done, and never a fault of ours. */
  const isRefused = (status: number): boolean => status >= 400 && status < 500;

  for (const service of services) {
    it(`${service} does nothing without a token`, async () => {
      for (const each of calls) {
        const { status, text } = await send(service, each, {});
        assert.ok(isRefused(status), `${service}: ${each.shown} → ${status} ${text}`);
      }
    });

    it(`${service} does not take the gateway’s word from somebody else`, async () => {
      const headers = {
        'causeway-internal': 'guessed',
        'causeway-principal': person.id,
        'x-user-id': person.id,
        'x-forwarded-for': '127.0.0.1',
      };
      for (const each of calls) {
        const { status, text } = await send(service, each, headers);
        assert.ok(isRefused(status), `${service}: ${each.shown} → ${status} ${text}`);
      }
    });

    it(`${service} keeps what only services ask each other to itself`, async () => {
      const paths = ['/internal/events', '/internal/parked', '/internal/effects', '/internal/revocations/check'];
      for (const path of paths) {
        for (const method of ['GET', 'POST']) {
          const inner = { shown: `${method} ${path}`, method, path };
          for (const headers of [{}, { authorization: `Bearer ${person.accessToken}` }, { 'causeway-internal': '' }]) {
            const { status } = await send(service, inner, headers);
            assert.ok(isRefused(status), `${service}: ${inner.shown} → ${status}`);
          }
        }
      }
    });
  }

  it('and the gateway passes nothing on to what services ask each other', async () => {
    for (const path of [
      '/internal/events',
      '/v1/../internal/events',
      '/v1/%2e%2e/internal/events',
      '//internal/events',
    ]) {
      const response = await request(`${addressOf('gateway')}${path}`, {
        headers: { authorization: `Bearer ${person.accessToken}` },
      });
      await response.body.dump();
      assert.ok([400, 404].includes(response.statusCode), `${path}: ${response.statusCode}`);
    }
  });
});
