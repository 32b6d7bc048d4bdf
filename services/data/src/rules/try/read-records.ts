import type { ReadAfterOptions } from '@causeway/events';
import { BSON } from 'mongodb';
import type { Collection } from 'mongodb';

import type { LookTime } from '../../pacing/look-time.ts';
import type { RecordDocument, VisibleRecord } from '../../records/record.model.ts';
import { visibleProjection } from '../../records/record.model.ts';

/** Records that are held at once, and their bytes. */
const chunk = { records: 100, bytes: 4 * 1_048_576 } as const;

/** How to read records. */
export interface ReadRecordsOptions {
  readonly records: Pick<Collection<RecordDocument>, 'find'>;
  /** At most. */
  readonly most: number;
  readonly time: LookTime;
  /** Has a read see nothing older than the caller has seen. */
  readonly reading: <T>(read: (options: ReadAfterOptions) => Promise<T>) => Promise<T>;
}

/**
 * Gives records in the order of their ids, by a query for each few: none stays open while they are judged.
 *
 * @returns the last value is whether there are more
 */
export async function* readRecords({
  records,
  most,
  time,
  reading,
}: ReadRecordsOptions): AsyncGenerator<readonly VisibleRecord[], boolean> {
  let [read, last] = [0, ''];
  for (;;) {
    const limit = Math.min(chunk.records, most - read);
    time.demand();
    // One more tells whether there are more.
    const { rows, isFull } = await reading((options) => readSome(records, last, limit + 1, { time, options }));
    const own = rows.slice(0, limit);
    if (own.length > 0) yield own;
    read += own.length;
    last = own.at(-1)?._id ?? last;
    if (rows.length <= limit && !isFull) return false;
    if (read >= most) return true;
  }
}

async function readSome(
  records: ReadRecordsOptions['records'],
  after: string,
  limit: number,
  { time, options }: { readonly time: LookTime; readonly options: ReadAfterOptions },
): Promise<{ readonly rows: readonly VisibleRecord[]; readonly isFull: boolean }> {
  const found = records
    .find<VisibleRecord>(
      { _id: { $gt: after } },
      { projection: visibleProjection, maxTimeMS: time.leftMs(), batchSize: limit, ...options },
    )
    .sort({ _id: 1 })
    .limit(limit);
  const rows: VisibleRecord[] = [];
  let bytes = 0;
  for await (const row of found) {
    rows.push(row);
    bytes += BSON.calculateObjectSize(row);
    if (bytes >= chunk.bytes) return { rows, isFull: true };
  }
  return { rows, isFull: false };
}
