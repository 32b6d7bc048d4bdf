import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { keepValues } from './kept-values.ts';

describe('values that are kept', () => {
  const made = (): { readonly make: (value: number) => () => Promise<number>; readonly count: () => number } => {
    let count = 0;
    const make = (value: number) => async (): Promise<number> => {
      count += 1;
      return Promise.resolve(value);
    };
    return { make, count: () => count };
  };

  it('are made once for all who ask at once, and anew when they are too old', async () => {
    let now = 0;
    const kept = keepValues<number>({ keptMs: 100, most: 10, now: () => now });
    const { make, count } = made();
    assert.deepEqual(await Promise.all([kept.get('a', make(1)), kept.get('a', make(2))]), [1, 1]);
    now = 99;
    assert.equal(await kept.get('a', make(3)), 1);
    now = 100;
    assert.equal(await kept.get('a', make(4)), 4);
    assert.equal(count(), 2);
  });

  it('are no more than so many: the one that was used longest ago goes', async () => {
    const kept = keepValues<number>({ keptMs: 100, most: 2, now: () => 0 });
    const { make } = made();
    await kept.get('a', make(1));
    await kept.get('b', make(2));
    await kept.get('a', make(0));
    await kept.get('c', make(3));
    assert.equal(await kept.get('a', make(9)), 1);
    assert.equal(await kept.get('b', make(9)), 9);
  });

  it('are not kept where they could not be made', async () => {
    const kept = keepValues<number>({ keptMs: 100, most: 2, now: () => 0 });
    await assert.rejects(
      kept.get('a', () => Promise.reject(new Error('away'))),
      /away/,
    );
    assert.equal(await kept.get('a', () => Promise.resolve(1)), 1);
  });
});
