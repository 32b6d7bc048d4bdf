import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { waitOf } from './prefer.ts';

describe('how long a call is waited for', () => {
  for (const [header, ms] of [
    [undefined, 20_000],
    ['', 20_000],
    ['respond-async', 0],
    ['Respond-Async', 0],
    ['respond-async, wait=5', 5_000],
    ['wait = "7"; why=not, respond-async', 7_000],
    ['wait=0', 0],
    ['wait=3, wait=9', 3_000],
    ['wait=86400', 20_000],
    ['wait=-1', 20_000],
    ['wait=soon, return=minimal', 20_000],
  ] as const) {
    it(`${String(header)}: ${ms} ms`, () => assert.equal(waitOf(header), ms));
  }
});
