import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { together, type Outcome } from './together.ts';

const value = <Result>(result: Result): Outcome<Result> => ({ value: result });

describe('what is gathered', () => {
  it('goes in calls of a hundred, two at once, and what comes meanwhile is for the next', async () => {
    const sizes: number[] = [];
    const ends: PromiseWithResolvers<undefined>[] = [];
    const double = together<number, number>(async (items) => {
      sizes.push(items.length);
      const end = Promise.withResolvers<undefined>();
      ends.push(end);
      await end.promise;
      return items.map((item) => value(item * 2));
    });
    const all = Array.from({ length: 250 }, (_, index) => double(index));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(sizes, [100, 100]);
    ends[0]?.resolve(undefined);
    assert.equal(await all[99], 198);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(sizes, [100, 100, 50]);
    for (const end of ends) end.resolve(undefined);
    assert.deepEqual(
      await Promise.all(all),
      Array.from({ length: 250 }, (_, index) => index * 2),
    );
  });

  it('does not wait for calls that hang', async () => {
    const read = together<string, string>((items) =>
      items.includes('hangs') ? new Promise(() => undefined) : Promise.resolve(items.map(value)),
    );
    for (const _ of [1, 2]) {
      void read('hangs');
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await read('goes on'), 'goes on');
  });

  it('fails each by itself, or all where the call does', async () => {
    const read = together<number, number>((items) => {
      if (items.includes(0)) return Promise.reject(new Error('all'));
      return Promise.resolve(items.map((item) => (item < 0 ? { error: new Error('one') } : value(item))));
    });
    const told = async (...items: readonly number[]): Promise<string[]> =>
      (await Promise.allSettled(items.map(read))).map((each) =>
        each.status === 'fulfilled' ? String(each.value) : String(each.reason),
      );
    assert.deepEqual(await told(1, -1, 2), ['1', 'Error: one', '2']);
    assert.deepEqual(await told(1, 0), ['Error: all', 'Error: all']);
  });
});
