import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { newId } from '@causeway/contracts';

import { createRefreshTokens, hashRefreshToken, readRefreshToken } from './refresh-token.ts';

describe('refresh token', () => {
  const secret = randomBytes(32);
  const tokens = createRefreshTokens(secret);
  const source = { sessionId: newId('ses'), seed: randomBytes(32).toString('base64url'), generation: 12 };

  it('is the same again from the same source, in every replica', () => {
    assert.equal(createRefreshTokens(secret).issue(source), tokens.issue(source));
  });

  it('differs by session, generation, seed and secret', () => {
    const all = [
      tokens.issue(source),
      tokens.issue({ ...source, generation: 13 }),
      tokens.issue({ ...source, seed: 'other' }),
      tokens.issue({ ...source, sessionId: newId('ses') }),
      createRefreshTokens(randomBytes(32)).issue(source),
    ].map((token) => token.slice(-43));
    assert.equal(new Set(all).size, all.length);
  });

  it('says which session and generation it claims to be of', () => {
    assert.deepEqual(readRefreshToken(tokens.issue(source)), { sessionId: source.sessionId, generation: 12 });
  });

  it('is genuine only as issued: every other last character, though it may decode to the same bytes, is not', () => {
    const token = tokens.issue(source);
    assert.equal(tokens.isGenuine(token, source), true);
    for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      const changed = token.slice(0, -1) + last;
      assert.equal(tokens.isGenuine(changed, source), changed === token);
    }
    assert.equal(tokens.isGenuine(token, { ...source, generation: 11 }), false);
    assert.equal(tokens.isGenuine('', source), false);
  });

  it('is nothing else', () => {
    const token = tokens.issue(source);
    const mac = 'A'.repeat(43);
    const body = source.sessionId.slice(4);
    for (const text of [
      '',
      `${token}x`,
      ` ${token}`,
      `${token}\n`,
      token.replace('cwr_', 'cwx_'),
      `cwr_${body}_0_${mac}`,
      `cwr_${body}_01_${mac}`,
      `cwr_${body}_-1_${mac}`,
      `cwr_${body}_9999999999_${mac}`,
      `cwr_${body.toLowerCase()}_1_${mac}`,
      `cwr_${'U'.repeat(26)}_1_${mac}`,
      'eyJhbGciOiJub25lIn0.e30.',
    ]) {
      assert.equal(readRefreshToken(text), undefined, text);
    }
  });

  it('is stored as a hash that does not hold it', () => {
    const token = tokens.issue(source);
    assert.match(hashRefreshToken(token), /^[\w-]{43}$/);
    assert.ok(!token.includes(hashRefreshToken(token)));
  });
});
