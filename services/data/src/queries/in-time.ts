import type { AbstractCursor } from 'mongodb';

/**
 * Gives what a cursor finds. MongoDB bounds the time of all batches together, or of none: here it is that of each.
 *
 * @param batchTimeoutMs - how long MongoDB may take for one
 * @param expire - called where it takes longer; it is to abort the cursor
 */
export async function* inTime<T>(
  cursor: AbstractCursor<T>,
  batchTimeoutMs: number,
  expire: () => void,
): AsyncGenerator<T> {
  for (;;) {
    const timer = cursor.bufferedCount() === 0 ? setTimeout(expire, batchTimeoutMs) : undefined;
    const record = await cursor.next().finally(() => clearTimeout(timer));
    if (record === null) return;
    yield record;
  }
}
