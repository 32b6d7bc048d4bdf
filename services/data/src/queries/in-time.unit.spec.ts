import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';

import type { AbstractCursor } from 'mongodb';

import { inTime } from './in-time.ts';

const batchTimeoutMs = 300;

describe('the time of a batch', () => {
  /** Reads batches of two records, each of which takes so long; @returns how often it was said that one takes too long. */
  const read = async ({ mock }: TestContext, batchesMs: readonly number[], readerMs = 0): Promise<number> => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const batches = [...batchesMs];
    let buffered = 0;
    const next = (): Promise<string | null> => {
      if (buffered === 0) {
        const ms = batches.shift();
        if (ms === undefined) return Promise.resolve(null);
        mock.timers.tick(ms);
        buffered = 2;
      }
      buffered -= 1;
      return Promise.resolve('a record');
    };
    const cursor = { next, bufferedCount: () => buffered } as unknown as AbstractCursor<string>;
    let expired = 0;
    let records = 0;
    for await (const record of inTime(cursor, batchTimeoutMs, () => (expired += 1))) {
      assert.equal(record, 'a record');
      records += 1;
      mock.timers.tick(readerMs);
    }
    assert.equal(records, 2 * batchesMs.length);
    return expired;
  };

  it('is over where MongoDB takes longer', async (context) => {
    assert.equal(await read(context, [10, batchTimeoutMs, 10]), 1);
  });

  it('begins anew with each, however long the whole takes', async (context) => {
    assert.equal(
      await read(
        context,
        Array.from({ length: 10 }, () => batchTimeoutMs - 1),
      ),
      0,
    );
  });

  it('is not that of who reads', async (context) => {
    assert.equal(await read(context, [10, 10], 2 * batchTimeoutMs), 0);
  });
});
