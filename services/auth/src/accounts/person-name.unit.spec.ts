import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { personName } from './person-name.ts';

const read = (text: unknown) => personName.safeParse(text);

describe("a person's name", () => {
  it('is any Unicode, composed, without spaces around it', () => {
    assert.equal(read('  Zoe\u0308 Kravitz ').data, 'Zo\u00eb Kravitz');
    assert.equal(read('山田 太郎').data, '山田 太郎');
    assert.equal(read('👩‍🚀').data, '👩‍🚀');
  });

  it('has 1 to 200 characters', () => {
    assert.equal(read('').success, false);
    assert.equal(read('   ').success, false);
    assert.equal(read('🙂'.repeat(200)).success, true);
    assert.equal(read('🙂'.repeat(201)).success, false);
    assert.equal(read('a'.repeat(1000)).success, false);
  });

  it('is one line of well-formed text', () => {
    for (const text of ['a\nb', 'a\u0000b', 'a\u2028b', '\ud800', { $gt: '' }, ['a'], 1]) {
      assert.equal(read(text).success, false, JSON.stringify(text));
    }
  });
});
