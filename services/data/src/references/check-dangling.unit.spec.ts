import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { DeclaredReference } from './declared-references.ts';
import type { FindDanglingOptions } from './check-dangling.ts';
import { findDangling } from './check-dangling.ts';

describe('looking for what is not there', () => {
  const reference = { storage: 'fields.to', segments: ['to'], target: 'col_a' } as unknown as DeclaredReference;

  it('is bounded by time, and asks for it where few records name any', async () => {
    const bounds: unknown[] = [];
    const rows = Array.from({ length: 12_000 }, (_, n) => ({ _id: String(n), fields: { to: null } }));
    const find = (_: unknown, { maxTimeMS }: { maxTimeMS?: number }) => {
      bounds.push(maxTimeMS);
      return rows;
    };
    const records = { find } as unknown as FindDanglingOptions['records'];
    let told = 0;
    const tell = (): Promise<void> => {
      told += 1;
      return told === 2 ? Promise.reject(new Error('time is up')) : Promise.resolve();
    };
    const missingOf = () => Promise.resolve([]);
    const options = { records, reference, missingOf, tell, isEnough: () => false, maxTimeMS: 700 };
    await assert.rejects(
      findDangling(options, () => assert.fail()),
      /time is up/,
    );
    assert.deepEqual(bounds, [700]);
  });
});
