import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createRecoveryCodes } from './recovery-codes.ts';

describe('recovery codes', () => {
  const codes = createRecoveryCodes(Buffer.alloc(32, 1));

  it('are ten, of 80 random bits each, in groups that can be read out', () => {
    const made = codes.make();
    assert.equal(new Set(made).size, 10);
    for (const code of made) assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    assert.notDeepEqual(made, codes.make());
    const characters = new Set(Array.from({ length: 100 }, () => codes.make().join('').replaceAll('-', '')).join(''));
    assert.equal(characters.size, 32);
  });

  it('are the same however they are typed', () => {
    const hash = codes.hash('0123-4567-89AB-CD1E', 'fac_1');
    for (const typed of [
      '0123456789abcd1e',
      ' o123 4567 89ab cdle ',
      '0123–4567–89AB–CDIE',
      '０１２３-4567-89AB-CD1E',
    ]) {
      assert.equal(codes.hash(typed, 'fac_1'), hash, typed);
    }
    assert.notEqual(codes.hash('0123-4567-89AB-CD1F', 'fac_1'), hash);
  });

  it('of one account are none of another, and cannot be tried without the key', () => {
    const hash = codes.hash('0123-4567-89AB-CD1E', 'fac_1');
    assert.notEqual(codes.hash('0123-4567-89AB-CD1E', 'fac_2'), hash);
    assert.notEqual(createRecoveryCodes(Buffer.alloc(32, 2)).hash('0123-4567-89AB-CD1E', 'fac_1'), hash);
  });
});
