import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { memoryFault } from './redis.ts';

const info = (maxmemory: number, policy: string): string =>
  `# Memory\r\nused_memory:1000\r\nmaxmemory:${maxmemory}\r\nmaxmemory_human:1M\r\nmaxmemory_policy:${policy}\r\n`;

describe('the memory of a Redis', () => {
  it('is right with a bound, and the policy that drops first what ends first', () => {
    assert.equal(memoryFault(info(1_000_000, 'volatile-ttl')), undefined);
  });

  it('is told of without a bound, or with another policy', () => {
    assert.match(memoryFault(info(0, 'noeviction')) ?? '', /no maxmemory/);
    for (const policy of ['noeviction', 'allkeys-lru', 'volatile-lru', 'allkeys-random'])
      assert.match(memoryFault(info(1_000_000, policy)) ?? '', new RegExp(`policy ${policy}: set volatile-ttl`));
  });

  it('is not judged where it is not told', () => {
    assert.equal(memoryFault('# Memory\r\nused_memory:1000\r\n'), undefined);
  });
});
