import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { createDeviceTokens } from './device-token.ts';

const secret = randomBytes(32);
const dayMs = 86_400_000;
const at = (ms: number) => createDeviceTokens({ secret, now: () => new Date(ms) });
const nowMs = Date.UTC(2030, 0, 15, 12);
const tokens = at(nowMs);

describe('the token of a device', () => {
  const token = tokens.issue('ada@example.com');

  it('is known for its account, in every replica, for 400 days', () => {
    assert.deepEqual(tokens.issuedAt(token, 'ada@example.com'), new Date(nowMs));
    assert.deepEqual(at(nowMs + 400 * dayMs).issuedAt(token, 'ada@example.com'), new Date(nowMs));
    assert.equal(at(nowMs + 401 * dayMs).issuedAt(token, 'ada@example.com'), undefined);
  });

  it('says nothing for another account, under another secret, or on a day before it was issued', () => {
    assert.ok(!tokens.issuedAt(token, 'bob@example.com'));
    assert.ok(
      !createDeviceTokens({ secret: randomBytes(32), now: () => new Date(nowMs) }).issuedAt(token, 'ada@example.com'),
    );
    assert.ok(!at(nowMs - 2 * dayMs).issuedAt(token, 'ada@example.com'));
  });

  it('names nobody, and no two are alike', () => {
    assert.ok(!token.includes('ada'));
    assert.notEqual(token, tokens.issue('ada@example.com'));
  });

  it('cannot be made younger', () => {
    const [prefix, nonce, time, mac] = token.split('_');
    const younger = [prefix, nonce, String(Number(time) + 300 * dayMs), mac].join('_');
    assert.ok(!at(nowMs + 500 * dayMs).issuedAt(younger, 'ada@example.com'));
  });

  for (const rubbish of [undefined, '', 'cwd_', token.slice(0, -1), `${token}x`, ` ${token}`, token.toUpperCase()]) {
    it(`is not ${JSON.stringify(rubbish ?? null).slice(0, 40)}`, () =>
      assert.ok(!tokens.issuedAt(rubbish, 'ada@example.com')));
  }
});
