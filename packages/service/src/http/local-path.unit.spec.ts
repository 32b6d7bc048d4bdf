import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { localPath } from './local-path.ts';

const publicUrl = 'https://causeway.example';

const refused: readonly unknown[] = [
  undefined,
  ['/a'],
  '',
  'account',
  '?a=1',
  '#top',
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/account\\..\\..',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r\nSet-Cookie: a=b',
  '/\u0000/evil.example',
  '/\u0085/evil.example',
  ' /account',
  '/ /evil.example',
  '/%09/evil.example',
  '/%0d%0aSet-Cookie:a=b',
  '/%5cevil.example',
  '/%5Cevil.example',
  '/%2fevil.example',
  '/%2Fevil.example',
  '/%252fevil.example',
  '/%25%35%63evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/a/..//evil.example',
  '/%2e//evil.example',
  '/%2e%2e//evil.example',
  '/account/%zz',
  'https:evil.example',
  'https:/evil.example',
  'https://evil.example',
  'https://causeway.example/account',
  'https://causeway.example@evil.example',
  'http://causeway.example',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'data:text/html,x',
  '@evil.example',
  '.evil.example',
  `/${'a'.repeat(2_048)}`,
];

const taken: readonly (readonly [string, string])[] = [
  ['/', '/'],
  ['/account/security', '/account/security'],
  ['/docs#/auth', '/docs#/auth'],
  ['/v1/data/a?filter=%7B%22a%22%3A%22b%2F%2Fc%22%7D', '/v1/data/a?filter=%7B%22a%22%3A%22b%2F%2Fc%22%7D'],
  ['/search?back=https://elsewhere.example', '/search?back=https://elsewhere.example'],
  ['/a/../account', '/account'],
  ['/a//b', '/a//b'],
  ['/caf%C3%A9', '/caf%C3%A9'],
  ['/café', '/caf%C3%A9'],
  ['/@evil.example', '/@evil.example'],
  ['/:80/evil', '/:80/evil'],
];

describe('where to go next', () => {
  for (const next of refused) {
    it(`is not ${JSON.stringify(next ?? null).slice(0, 60)}`, () =>
      assert.equal(localPath(next, publicUrl), undefined));
  }

  for (const [next, path] of taken) {
    it(`may be ${next}`, () => {
      assert.equal(localPath(next, publicUrl), path);
      // As a browser would take the header `Location`.
      assert.equal(new URL(path, `${publicUrl}/account/sign-in`).origin, publicUrl);
    });
  }

  it('is within the origin whatever path the public URL has', () => {
    assert.equal(localPath('/account', 'http://127.0.0.1:8080/below'), '/account');
  });
});
