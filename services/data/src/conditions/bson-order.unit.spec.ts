import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';

import { compareText } from './bson-order.ts';
import { longTexts, oddTexts } from './testing/odd-texts.ts';
import { seededRandom } from './testing/random.ts';

const { CAUSEWAY_TEST_SEED } = process.env;

describe('the order of texts', () => {
  it('is that of their bytes in UTF-8, whatever they are made of', (test) => {
    const seed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    const parts = ['', 'a', 'é', '\uD7FF', '\uE000', '\uFFFF', '\u{10000}', '\u{10FFFF}', ...oddTexts, ...longTexts];
    const make = (): string => random.list(3, () => random.pick(parts)).join('');
    let otherwise = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const [a, b] = [make(), make()];
      const bytes = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.equal(Math.sign(compareText(a, b)), bytes, JSON.stringify([a.slice(-20), b.slice(-20)]));
      if (Math.sign(Number(a > b) - Number(a < b)) !== bytes) otherwise += 1;
    }
    assert.ok(otherwise > 100, `only ${otherwise} are ordered otherwise by their UTF-16 units`);
  });
});
