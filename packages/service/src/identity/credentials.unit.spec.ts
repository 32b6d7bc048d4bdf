import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '@causeway/contracts';

import { createCredentials } from './credentials.ts';

const publicUrl = 'https://causeway.example';
const { authorizationOf } = createCredentials(publicUrl);
const cookie = 'a=1; __Host-causeway-access=the.access.token';

const outcome = (method: string, headers: Record<string, string>): string | undefined => {
  try {
    return authorizationOf({ method, headers });
  } catch (error) {
    assert.ok(error instanceof Fault);
    return `${error.status} ${error.code}`;
  }
};

const refused = '403 cross-site';
const taken = 'Bearer the.access.token';

describe('who a request says that it is from', () => {
  it('is nobody without a header and a cookie', () => {
    assert.equal(outcome('GET', {}), undefined);
    assert.equal(outcome('POST', { cookie: 'a=1', 'sec-fetch-site': 'cross-site' }), undefined);
  });

  it('is the header where there is one, whatever the cookie and the site', () => {
    const authorization = 'Bearer other';
    assert.equal(outcome('POST', { authorization, cookie, 'sec-fetch-site': 'cross-site' }), authorization);
    assert.equal(outcome('POST', { authorization: 'Basic x', cookie }), 'Basic x');
  });

  it('is no cookie of another name', () => {
    assert.equal(outcome('GET', { cookie: 'causeway-access=planted' }), undefined);
    assert.equal(outcome('GET', { cookie: '__Host-causeway-refresh=x' }), undefined);
  });

  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    it(`is the cookie for ${method}, from anywhere: nothing changes, and nobody else can read it`, () => {
      assert.equal(outcome(method, { cookie }), taken);
      assert.equal(outcome(method, { cookie, 'sec-fetch-site': 'cross-site' }), taken);
    });
  }

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', '']) {
    for (const [headers, expected] of [
      [{ 'sec-fetch-site': 'same-origin' }, taken],
      [{ 'sec-fetch-site': 'none' }, taken],
      [{ 'sec-fetch-site': 'same-site' }, refused],
      [{ 'sec-fetch-site': 'cross-site' }, refused],
      [{ 'sec-fetch-site': '' }, refused],
      [{ 'sec-fetch-site': 'same-origin, cross-site' }, refused],
      // A browser that says where it is from is believed before its Origin.
      [{ 'sec-fetch-site': 'cross-site', origin: publicUrl }, refused],
      [{ origin: publicUrl }, taken],
      [{ origin: 'null' }, refused],
      [{ origin: 'https://evil.example' }, refused],
      [{ origin: 'https://causeway.example.evil.example' }, refused],
      [{ origin: 'http://causeway.example' }, refused],
      [{ origin: 'https://causeway.example:8443' }, refused],
      [{ referer: `${publicUrl}/account` }, refused],
      [{ 'content-type': 'text/plain' }, refused],
      [{}, refused],
    ] as const) {
      it(`${method || 'no method'} by cookie with ${JSON.stringify(headers)}: ${expected}`, () =>
        assert.equal(outcome(method, { cookie, ...headers }), expected));
    }
  }
});
