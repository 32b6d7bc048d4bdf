import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { VisibleRecord } from '../records/record.model.ts';
import { showWhole } from '../rules/see.ts';
import type { Expansion } from './expansion.ts';
import { referringIn } from './read-expanded.ts';

const expansion = (...segments: string[]): Expansion => ({
  ...{ name: segments.join('.'), path: segments.join('.'), segments, storage: `fields.${segments.join('.')}` },
  ...{ target: undefined, inner: [] },
});

describe('what is kept of a record that is shown with others', () => {
  const time = new Date();
  const fields = {
    title: 'x'.repeat(1_000),
    author: 'rec_1',
    meta: { by: ['rec_2'], size: 1 },
    list: [{ by: 'rec_3' }],
  };
  const record: VisibleRecord = { _id: 'rec_0', revision: 1, createdAt: time, updatedAt: time, fields };

  it('are its references that are followed', () => {
    const kept = (...own: Expansion[]): unknown => referringIn(showWhole(record), own);
    assert.deepEqual(kept(expansion('author'), expansion('meta', 'by')), {
      fields: { author: 'rec_1', meta: { by: ['rec_2'] } },
    });
    assert.deepEqual(kept(expansion('gone')), { fields: {} });
    assert.deepEqual(kept(), {});
  });
});
