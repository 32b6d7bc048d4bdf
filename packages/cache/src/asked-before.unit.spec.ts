import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createAskedBefore } from './asked-before.ts';

describe('keys that are asked for again', () => {
  it('are told from those that are not', () => {
    const askedBefore = createAskedBefore(10);
    assert.deepEqual(['a', 'b', 'a', 'b', 'c'].map(askedBefore), [false, false, true, true, false]);
  });

  it('are forgotten when others are asked for instead, those first that have not been asked for longest', () => {
    const askedBefore = createAskedBefore(2);
    for (const key of ['a', 'b', 'a', 'c']) askedBefore(key);
    assert.equal(askedBefore('a'), true);
    assert.equal(askedBefore('b'), false);
  });
});
