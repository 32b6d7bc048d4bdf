import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createSharedReads } from './shared-reads.ts';

describe('reads that are the same', () => {
  /** Reads that end when they are told to, in the order in which they began. */
  const createDatabase = () => {
    const begun: PromiseWithResolvers<number>[] = [];
    const read = (): Promise<number> => {
      const each = Promise.withResolvers<number>();
      begun.push(each);
      return each.promise;
    };
    return { begun, read, answer: (at: number): void => begun[at]?.resolve(at) };
  };
  const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  it('go together, in a read that begins after they were asked for', async () => {
    const { begun, read, answer } = createDatabase();
    const shared = createSharedReads<number>();
    const first = shared('a', read);
    const others = Array.from({ length: 100 }, () => shared('a', read));
    assert.equal(begun.length, 1);
    answer(0);
    assert.equal(await first, 0);
    await settled();
    assert.equal(begun.length, 2);
    // Those wait for the one after.
    const late = shared('a', read);
    answer(1);
    assert.deepEqual(
      await Promise.all(others),
      Array.from({ length: 100 }, () => 1),
    );
    await settled();
    answer(2);
    assert.equal(await late, 2);
  });

  it('are begun at once where none is under way', async () => {
    const { begun, read, answer } = createDatabase();
    const shared = createSharedReads<number>();
    for (const at of [0, 1, 2]) {
      const reading = shared('a', read);
      assert.equal(begun.length, at + 1);
      answer(at);
      assert.equal(await reading, at);
      await settled();
    }
  });

  it('wait for none of another key', () => {
    const { begun, read } = createDatabase();
    const shared = createSharedReads<number>();
    void shared('a', read);
    void shared('b', read);
    assert.equal(begun.length, 2);
  });

  it('are tried anew by those who came later, where one fails', async () => {
    const { begun, read, answer } = createDatabase();
    const shared = createSharedReads<number>();
    const first = shared('a', read);
    const second = shared('a', read);
    begun[0]?.reject(new Error('away'));
    await assert.rejects(first, /away/);
    await settled();
    answer(1);
    assert.equal(await second, 1);
  });
});
