import type { Db } from 'mongodb';

import { eventLog } from '../log/event-log.ts';
import type { LoggedEvent } from '../log/logged-event.ts';
import { slotProgress, type SlotRow } from '../relay/publisher.ts';

/** What one step of a reaper has removed from a collection. */
export interface Reaped {
  readonly collection: string;
  readonly count: number;
}

/** Documents of one chunk, and how long its read may take. */
export const chunk = { documents: 500, maxTimeMs: 5_000 } as const;

/** Which rows of a log may go. */
export interface ReapLogOptions {
  readonly db: Db;
  readonly slots: number;
  /** What was logged before. */
  readonly before: Date;
}

/**
 * Removes old rows of the log, from its beginning, in chunks. One that is not known to be in Kafka stays, with all behind it, and so
 * does the last row of each slot: its position is where the next append goes on.
 */
export async function* reapLog({ db, slots, before }: ReapLogOptions): AsyncGenerator<Reaped> {
  const log = db.collection<LoggedEvent>(eventLog);
  const progress = db.collection<SlotRow>(slotProgress);
  const bounded = { projection: { pos: 1, at: 1 }, maxTimeMS: chunk.maxTimeMs };

  const chunkOf = async (slot: number): Promise<{ from: number; to: number; full: boolean } | undefined> => {
    const row = await progress.findOne({ _id: slot });
    const published = Math.min(row?.pos ?? 0, (row?.lostFrom ?? Infinity) - 1);
    const last = await log.find({ slot }, bounded).sort({ slot: -1, pos: -1 }).limit(1).next();
    const rows = await log.find({ slot }, bounded).sort({ slot: 1, pos: 1 }).limit(chunk.documents).toArray();
    const end = rows.findIndex(({ pos, at }) => at >= before || pos > published || pos >= (last?.pos ?? 0));
    const gone = end < 0 ? rows : rows.slice(0, end);
    const [from, to] = [gone[0]?.pos, gone.at(-1)?.pos];
    return from === undefined || to === undefined ? undefined : { from, to, full: end < 0 };
  };

  for (let slot = 0; slot < slots; slot += 1) {
    for (let full = true; full;) {
      const range = await chunkOf(slot);
      if (range === undefined) break;
      const { deletedCount } = await log.deleteMany({ slot, pos: { $gte: range.from, $lte: range.to } });
      yield { collection: eventLog, count: deletedCount };
      full = range.full;
    }
  }
}
