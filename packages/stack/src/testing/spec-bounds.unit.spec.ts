import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { specBounds } from './spec-bounds.ts';

describe('specBounds', () => {
  it('gives each file of a long run much longer', () => {
    for (const kind of ['unit', 'int', 'e2e'] as const) {
      const [short, long] = [specBounds(kind, {}), specBounds(kind, { CAUSEWAY_TEST_LONG: '1' })];
      assert.equal(long.fileTimeoutMs, 15 * short.fileTimeoutMs, kind);
      assert.equal(long.concurrency, short.concurrency, kind);
    }
  });

  it('takes what is set, as it is', () => {
    const env = { CAUSEWAY_TEST_LONG: '1', SPEC_FILE_TIMEOUT_MS: '3000', SPEC_CONCURRENCY: '1' };
    assert.deepEqual(specBounds('int', env), { fileTimeoutMs: 3000, concurrency: 1 });
    assert.throws(() => specBounds('int', { SPEC_CONCURRENCY: 'two' }), /SPEC_CONCURRENCY must be .*, not two/);
  });
});
