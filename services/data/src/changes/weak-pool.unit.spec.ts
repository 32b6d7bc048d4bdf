import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { createWeakPool } from './weak-pool.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Until garbage has been collected, and what hangs on that is done. */
const until = async (isSo: () => boolean): Promise<void> => {
  const deadline = performance.now() + 30_000;
  while (!isSo()) {
    if (performance.now() > deadline) assert.fail('nothing was let go');
    collect();
    await delay(5);
  }
};

describe('what is alike', () => {
  it('is made once for all who keep it, and anew for who comes when nobody does', async () => {
    const pool = createWeakPool<{ readonly made: number }>();
    let made = 0;
    const take = (key: string) => pool.take(key, () => ({ made: (made += 1) }));
    const kept = take('kept');
    for (let each = 0; each < 1_000; each += 1) take(`left ${each}`);
    await until(() => pool.size === 1);
    assert.equal(take('kept'), kept);
    assert.equal(kept.made, 1);
    assert.equal(take('left 1').made, 1_002);
  });

  it('is not kept where it cannot be made', () => {
    const pool = createWeakPool<object>();
    const refuse = (): never => {
      throw new RangeError('no');
    };
    assert.throws(() => pool.take('a', refuse), RangeError);
    assert.equal(pool.size, 0);
  });
});
