import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { decideRefresh, isLive, retryWindowMs, sessionExpiry } from './session-rules.ts';

const at = (ms: number) => new Date(1_750_000_000_000 + ms);
const day = 86_400_000;

describe('refresh decision', () => {
  const session = { expiresAt: at(30 * day), generation: 5, rotatedAt: at(0) };

  it('rotates the current token, however old', () => {
    assert.equal(decideRefresh(session, 5, at(1)), 'rotate');
    assert.equal(decideRefresh(session, 5, at(29 * day)), 'rotate');
  });

  it('repeats for the token before it, for 30 seconds', () => {
    assert.equal(retryWindowMs, 30_000);
    assert.equal(decideRefresh(session, 4, at(0)), 'repeat');
    assert.equal(decideRefresh(session, 4, at(30_000)), 'repeat');
    assert.equal(decideRefresh(session, 4, at(30_001)), 'reused');
  });

  it("repeats where another replica's clock is ahead", () => {
    assert.equal(decideRefresh(session, 4, at(-2000)), 'repeat');
  });

  it('takes every older token for a theft, at once', () => {
    for (const generation of [1, 2, 3]) assert.equal(decideRefresh(session, generation, at(1)), 'reused');
  });

  it('refuses a token that is not made yet', () => {
    assert.equal(decideRefresh(session, 6, at(1)), 'refuse');
  });

  it('refuses every token once the session is over', () => {
    for (const generation of [3, 4, 5]) {
      assert.equal(decideRefresh({ ...session, endedAt: at(1) }, generation, at(2)), 'refuse');
      assert.equal(decideRefresh(session, generation, at(30 * day)), 'refuse');
    }
  });
});

describe('session lifetime', () => {
  const lifetimes = { idleMs: 30 * day, absoluteMs: 90 * day };

  it('ends when it has been idle, and at last in any case', () => {
    assert.deepEqual(sessionExpiry(at(0), at(0), lifetimes), at(30 * day));
    assert.deepEqual(sessionExpiry(at(0), at(10 * day), lifetimes), at(40 * day));
    assert.deepEqual(sessionExpiry(at(0), at(80 * day), lifetimes), at(90 * day));
  });

  it('is live until then, unless it was ended', () => {
    assert.equal(isLive({ expiresAt: at(10) }, at(9)), true);
    assert.equal(isLive({ expiresAt: at(10) }, at(10)), false);
    assert.equal(isLive({ expiresAt: at(10), endedAt: at(1) }, at(2)), false);
  });
});
