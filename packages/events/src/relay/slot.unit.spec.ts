import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { murmur2, slotOf } from './slot.ts';

describe('slots', () => {
  // From Kafka's own UtilsTest.testMurmur2.
  const cases: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ];
  for (const [text, hash] of cases) {
    it(`hashes ${text} as Kafka does`, () => assert.equal(murmur2(Buffer.from(text)), hash));
  }

  it('gives each subject one of the slots', () => {
    const seen = new Set(Array.from({ length: 1000 }, (_, index) => slotOf(`note/${index}`, 12)));
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      Array.from({ length: 12 }, (_, slot) => slot),
    );
  });
});
