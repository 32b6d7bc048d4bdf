import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { benchOptions, BenchUsageError, parts } from './bench-options.ts';

describe('what the bench is asked to measure', () => {
  it('is everything where nothing is named, and what has the words where it is', () => {
    assert.deepEqual([...(benchOptions([])?.parts ?? [])], [...parts]);
    const named = benchOptions(['--short', '--part', 'warming up', '--part', 'write to']);
    assert.equal(named?.short, true);
    assert.deepEqual([...named.parts], ['warming up', 'write to the feed', 'write to Kafka']);
  });

  it('has what it is measured beside', () => {
    const { parts: chosen } = benchOptions(['--part', 'tracing']) ?? assert.fail();
    assert.deepEqual([...chosen].sort(), ['what tracing and logs cost', 'with everything switched on']);
  });

  it('is refused with the parts that there are where it is none of them', () => {
    for (const args of [['--part', 'raeds'], ['--part', ''], ['--quick'], ['reads'], ['--part']]) {
      assert.throws(
        () => benchOptions(args),
        (error) => error instanceof BenchUsageError && error.message.includes('Parts: a second start, warming up'),
        args.join(' '),
      );
    }
    assert.equal(benchOptions(['--help', '--part', 'reads']), undefined);
  });
});
