import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isId } from '@causeway/contracts';

import { createLineIds } from './line-ids.ts';

describe('the ids of an import', () => {
  const startedAt = new Date('2026-01-31T12:00:00.000Z');
  const idOf = createLineIds(Buffer.from('key'), startedAt);

  it('are ids of records, and the same for the same line', () => {
    for (const line of [1, 2, 500, 2 ** 31, 2 ** 32 - 1]) {
      assert.ok(isId('rec', idOf(line)), idOf(line));
      assert.equal(createLineIds(Buffer.from('key'), startedAt)(line), idOf(line));
    }
  });

  it('sort by line, and by import', () => {
    const lines = [1, 2, 3, 4_095, 4_096, 70_000, 1_048_576, 1_048_577, 2 ** 31];
    const ids = lines.map(idOf);
    assert.deepEqual(ids.toSorted(), ids);
    const later = createLineIds(Buffer.from('key'), new Date(startedAt.getTime() + 1));
    assert.ok(later(1) > idOf(2 ** 32 - 1));
  });

  it('differ between imports', () => {
    assert.notEqual(createLineIds(Buffer.from('other'), startedAt)(1), idOf(1));
  });
});
