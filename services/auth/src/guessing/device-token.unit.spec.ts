import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { createDeviceTokens } from './device-token.ts';
import type { DeviceTokens } from './device-token.ts';

const secret = randomBytes(32);
const dayMs = 86_400_000;
const at = (ms: number) => createDeviceTokens({ secret, now: () => new Date(ms) });
const nowMs = Date.UTC(2030, 0, 15, 12);
const tokens = at(nowMs);

/** A nonce may have underscores. */
const partsOf = (token: string) =>
  /^cwd_(?<name>.{22})_(?<time>\d+)_(?<proofs>\d)_(?<mac>.{43})$/.exec(token)?.groups ?? assert.fail(token);

describe('the token of a device', () => {
  const token = tokens.issue('ada@example.com', 'known');
  const issuedAt = (at: DeviceTokens, text: string | undefined, emailKey: string) => at.read(text, emailKey)?.issuedAt;

  it('is known for its account, in every replica, for 400 days', () => {
    assert.deepEqual(issuedAt(tokens, token, 'ada@example.com'), new Date(nowMs));
    assert.deepEqual(issuedAt(at(nowMs + 400 * dayMs), token, 'ada@example.com'), new Date(nowMs));
    assert.equal(issuedAt(at(nowMs + 401 * dayMs), token, 'ada@example.com'), undefined);
  });

  it('says nothing for another account, under another secret, or on a day before it was issued', () => {
    assert.ok(!issuedAt(tokens, token, 'bob@example.com'));
    assert.ok(
      !createDeviceTokens({ secret: randomBytes(32), now: () => new Date(nowMs) }).read(token, 'ada@example.com'),
    );
    assert.ok(!issuedAt(at(nowMs - 2 * dayMs), token, 'ada@example.com'));
  });

  it('names nobody, and no two are alike', () => {
    assert.ok(!token.includes('ada'));
    assert.notEqual(token, tokens.issue('ada@example.com', 'known'));
  });

  it('cannot be made younger', () => {
    const { name, time, proofs, mac } = partsOf(token);
    const younger = ['cwd', name, String(Number(time) + 300 * dayMs), proofs, mac].join('_');
    assert.ok(!issuedAt(at(nowMs + 500 * dayMs), younger, 'ada@example.com'));
  });

  it('says by what the device is known, and cannot be made to say more', () => {
    for (const by of ['mailed', 'known', 'proven'] as const) {
      const issued = tokens.issue('ada@example.com', by);
      const { name, time, proofs, mac } = partsOf(issued);
      const read = tokens.read(issued, 'ada@example.com');
      assert.deepEqual(read, { name, budget: by, issuedAt: new Date(nowMs) });
      for (const other of ['0', '1', '2', '3', ''].filter((each) => each !== proofs))
        assert.ok(!tokens.read(['cwd', name, time, other, mac].join('_'), 'ada@example.com'), `${by} ${other}`);
    }
  });

  /** As they were before they said of proofs. */
  const oldToken = (time = String(nowMs)): string => {
    const nonce = randomBytes(16).toString('base64url');
    const mac = createHmac('sha256', secret).update(JSON.stringify(['ada@example.com', nonce, time]));
    return ['cwd', nonce, time, mac.digest('base64url')].join('_');
  };

  it('is known by a sign-in where it was issued before tokens said of proofs, and cannot be made to say more', () => {
    for (let index = 0; index < 50; index += 1) {
      const old = oldToken();
      const [name, mac] = [old.slice(4, 26), old.slice(-43)];
      const read = tokens.read(old, 'ada@example.com');
      assert.deepEqual(read, { name, budget: 'known', issuedAt: new Date(nowMs) });
      assert.ok(!tokens.read(old, 'bob@example.com'));
      for (const proofs of ['0', '1', '2'])
        assert.ok(!tokens.read(['cwd', name, String(nowMs), proofs, mac].join('_'), 'ada@example.com'));
      const { name: own, time, mac: ofAll } = partsOf(tokens.issue('ada@example.com', 'mailed'));
      assert.ok(!tokens.read(['cwd', own, time, ofAll].join('_'), 'ada@example.com'), 'nor more than the mail says');
    }
    assert.ok(!issuedAt(tokens, oldToken(String(nowMs - 401 * dayMs)), 'ada@example.com'));
  });

  for (const rubbish of [undefined, '', 'cwd_', token.slice(0, -1), `${token}x`, ` ${token}`, token.toUpperCase()]) {
    it(`is not ${JSON.stringify(rubbish ?? null).slice(0, 40)}`, () =>
      assert.ok(!issuedAt(tokens, rubbish, 'ada@example.com')));
  }
});
