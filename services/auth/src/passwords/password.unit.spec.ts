import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { newPassword, normalizePassword, typedPassword } from './password.ts';

const takes = (password: unknown) => newPassword.safeParse(password).success;

describe('new password', () => {
  it('has 10 to 256 characters', () => {
    assert.equal(takes('a'.repeat(9)), false);
    assert.equal(takes('a'.repeat(10)), true);
    assert.equal(takes('a'.repeat(256)), true);
    assert.equal(takes('a'.repeat(257)), false);
    assert.equal(takes('a'.repeat(1024 * 1024)), false);
  });

  it('counts characters, not UTF-16 units, in composed form', () => {
    assert.equal(takes('🔑'.repeat(9)), false);
    assert.equal(takes('🔑'.repeat(10)), true);
    assert.equal(takes('e\u0301'.repeat(9)), false);
    assert.equal(takes('e\u0301'.repeat(256)), true);
    assert.equal(takes('e\u0301'.repeat(257)), false);
  });

  it('takes any Unicode and spaces, but no lone surrogate', () => {
    assert.equal(takes('  пароль 密码 كلمة  '), true);
    assert.equal(takes(`\ud800${'a'.repeat(12)}`), false);
  });

  it('takes no operator object, array or number where a string belongs', () => {
    for (const value of [{ $gt: '' }, ['longenough1'], 1234567890, null, undefined, true])
      assert.equal(takes(value), false);
  });

  it('says one sentence about a length that is wrong', () => {
    for (const wrong of ['short', 'a'.repeat(300), 'a'.repeat(5000)]) {
      assert.equal(newPassword.safeParse(wrong).error?.issues.length, 1, wrong.slice(0, 10));
    }
  });
});

describe('typed password', () => {
  it('is not judged by its length, within a bound', () => {
    assert.equal(typedPassword.safeParse('').success, true);
    assert.equal(typedPassword.safeParse('a'.repeat(3000)).success, false);
  });

  it('is the same whichever form was typed', () => {
    assert.equal(normalizePassword('cafe\u0301 au lait'), normalizePassword('caf\u00e9 au lait'));
    assert.notEqual(normalizePassword('Passphrase '), normalizePassword('Passphrase'));
  });
});
