import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { seededRandom } from './seeded-random.ts';

const draw = (seed: number): unknown[] => {
  const random = seededRandom(seed);
  const fork = random.fork();
  return [random.next(), random.below(1_000), random.chance(50), random.pick(['a', 'b', 'c']), fork.below(1_000)];
};

describe('seededRandom', () => {
  it('makes the same choices from the same seed, and others from another', () => {
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
  });

  it('keeps to its bounds', () => {
    const random = seededRandom(1);
    const seen = new Set(Array.from({ length: 500 }, () => random.below(3)));
    assert.deepEqual([...seen].sort(), [0, 1, 2]);
    assert.equal(random.chance(0), false);
    assert.equal(random.chance(100), true);
    assert.throws(() => random.pick([]), RangeError);
  });

  it('shuffles without losing anything', () => {
    const items = Array.from({ length: 20 }, (_, index) => index);
    const shuffled = seededRandom(3).shuffled(items);
    assert.notDeepEqual(shuffled, items);
    assert.deepEqual(
      [...shuffled].sort((a, b) => a - b),
      items,
    );
  });

  it('forks a source that does not change what is drawn beside it', () => {
    const [one, other] = [seededRandom(5), seededRandom(5)];
    const fork = one.fork();
    other.fork();
    fork.below(10);
    assert.equal(one.next(), other.next());
  });
});
