import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '@causeway/contracts';

import { etag, isNotModified, matches, parseIfMatch } from './conditional.ts';

const isInvalid = (error: unknown): boolean => error instanceof Fault && error.code === 'invalid-request';

describe('If-Match', () => {
  for (const [header, expected] of [
    [undefined, undefined],
    ['*', '*'],
    ['"7"', [7]],
    ['"7", "8"', [7, 8]],
    ['"7","8"', [7, 8]],
    ['W/"7"', []],
    ['W/"7", "8"', [8]],
    ['"abc"', []],
    ['"07"', []],
    ['"a,b", "9"', [9]],
    [etag(12), [12]],
  ] as const) {
    it(`${header ?? 'absent'} is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(parseIfMatch(header), expected);
    });
  }

  for (const header of ['', '7', '"7', '"7" "8"', '"7",', ',"7"', '*, "7"', 'w/"7"', '"7";']) {
    it(`${JSON.stringify(header)} is malformed`, () => {
      assert.throws(() => parseIfMatch(header), isInvalid);
    });
  }

  it('holds for the revisions that it names', () => {
    assert.equal(matches(undefined, undefined), true);
    assert.equal(matches('*', 1), true);
    assert.equal(matches('*', undefined), false);
    assert.equal(matches([7, 8], 8), true);
    assert.equal(matches([7], 8), false);
    assert.equal(matches([], 8), false);
  });
});

describe('If-None-Match', () => {
  it('compares weakly', () => {
    assert.equal(isNotModified('W/"7"', '"7"'), true);
    assert.equal(isNotModified('"6", "7"', 'W/"7"'), true);
    assert.equal(isNotModified('"6"', '"7"'), false);
    assert.equal(isNotModified('*', '"7"'), true);
    assert.equal(isNotModified(undefined, '"7"'), false);
    assert.throws(() => isNotModified('7', '"7"'), isInvalid);
  });
});
