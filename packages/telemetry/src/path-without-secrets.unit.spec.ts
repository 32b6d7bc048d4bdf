import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { pathWithoutSecrets } from './path-without-secrets.ts';

describe('a path for logs and traces', () => {
  for (const [path, shown] of [
    ['/account/reset/cwp_01ABC_secret', '/account/reset/…'],
    ['/account/reset/cwp_01ABC_secret/more\n', '/account/reset/…'],
    ['/account//cwp_secret', '/account//…'],
    ['/account/reset/', '/account/reset/'],
    ['/account/sign-in', '/account/sign-in'],
    ['/v1/auth/account', '/v1/auth/account'],
    ['/v1/data/articles/rec_1', '/v1/data/articles/rec_1'],
  ] as const) {
    it(`${JSON.stringify(path)} is shown as ${shown}`, () => assert.equal(pathWithoutSecrets(path), shown));
  }
});
