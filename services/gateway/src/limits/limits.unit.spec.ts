import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Budget, type SharedCounter } from './budget.ts';
import { policyHeader, rateLimitHeader } from './limit-headers.ts';

/** Redis, as far as two gateways see of it. */
class Shared implements SharedCounter {
  readonly counts = new Map<string, number>();
  away = false;

  penalty(key: string, points: number): Promise<{ consumedPoints: number; msBeforeNext: number }> {
    if (this.away) return Promise.reject(new Error('away'));
    this.counts.set(key, (this.counts.get(key) ?? 0) + points);
    return Promise.resolve({ consumedPoints: this.counts.get(key) ?? 0, msBeforeNext: 8_000 });
  }
}

const clock = () => {
  const time = { ms: 1_000, now: () => time.ms };
  return time;
};

const policy = { name: 'address', limit: 3, windowMs: 10_000 };

describe('budget', () => {
  it('admits its limit in a window, and as many in the next', () => {
    const time = clock();
    const budget = new Budget({ ...policy, shared: new Shared(), now: time.now });
    const taken = Array.from({ length: 5 }, () => budget.take('a'));
    assert.deepEqual(
      taken.map((each) => each.allowed),
      [true, true, true, false, false],
    );
    assert.deepEqual(
      taken.map((each) => each.remaining),
      [2, 1, 0, 0, 0],
    );
    assert.equal(taken[4]?.resetMs, 10_000);
    assert.ok(budget.take('b').allowed, 'others are not concerned');
    time.ms += 10_000;
    assert.deepEqual([budget.take('a').allowed, budget.take('a').remaining], [true, 1]);
  });

  it('counts together with other gateways, and takes their window', async () => {
    const shared = new Shared();
    const time = clock();
    const [one, other] = [
      new Budget({ ...policy, shared, now: time.now }),
      new Budget({ ...policy, shared, now: time.now }),
    ];
    one.take('a');
    one.take('a');
    await one.exchange();
    other.take('a');
    await other.exchange();
    const standing = other.take('a');
    assert.equal(standing.allowed, false);
    assert.equal(standing.resetMs, 8_000);
    assert.equal(shared.counts.get('a'), 3, 'what was refused is not counted');
    await one.exchange();
    assert.equal(shared.counts.get('a'), 3, 'nothing is told twice');
  });

  it('goes on by itself while Redis is away, and tells later', async () => {
    const shared = new Shared();
    shared.away = true;
    const budget = new Budget({ ...policy, shared, now: clock().now });
    budget.take('a');
    await budget.exchange();
    assert.deepEqual([budget.take('a').remaining, budget.take('a').remaining], [1, 0]);
    assert.equal(budget.take('a').allowed, false);
    shared.away = false;
    await budget.exchange();
    assert.equal(shared.counts.get('a'), 3);
  });

  it('holds to what it knows where Redis has forgotten, and to the end of its window alone', async () => {
    const shared = new Shared();
    const time = clock();
    const budget = new Budget({ ...policy, shared, now: time.now });
    budget.take('a');
    budget.take('a');
    await budget.exchange();
    time.ms += 5_000;
    // Evicted, or flushed.
    shared.counts.clear();
    budget.take('a');
    await budget.exchange();
    const standing = budget.take('a');
    assert.equal(standing.allowed, false);
    assert.equal(standing.resetMs, 3_000);
    time.ms += 3_000;
    shared.counts.clear();
    assert.ok(budget.take('a').allowed);
  });

  it('keeps a bounded number of callers', () => {
    const budget = new Budget({ ...policy, limit: 1, shared: new Shared(), now: clock().now, mostKeys: 2 });
    for (const key of ['a', 'b', 'c']) budget.take(key);
    assert.equal(budget.take('c').allowed, false);
    assert.equal(budget.take('a').allowed, true, 'the first was forgotten');
  });
});

describe('limit headers', () => {
  it('are structured fields with whole seconds', () => {
    assert.equal(
      policyHeader([policy, { name: 'principal', limit: 5, windowMs: 1_500 }]),
      '"address";q=3;w=10, "principal";q=5;w=2',
    );
    assert.equal(
      rateLimitHeader([{ name: 'address', allowed: true, remaining: 2, resetMs: 9_001 }]),
      '"address";r=2;t=10',
    );
    assert.match(rateLimitHeader([{ name: 'a', allowed: true, remaining: 2, resetMs: 60_000.000_000_001 }]), /t=60$/);
  });
});
