import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isCopied } from './passkey-counter.ts';

describe('the counter of a passkey', () => {
  for (const [kept, told, copied] of [
    [0, 0, false],
    [0, 1, false],
    [1, 2, false],
    [1, 100, false],
    [1, 1, true],
    [2, 1, true],
    [1, 0, true],
  ] as const) {
    it(`${copied ? 'tells of a copy' : 'is as it should be'} where it says ${told} after ${kept}`, () =>
      assert.equal(isCopied({ counter: kept }, told), copied));
  }
});
