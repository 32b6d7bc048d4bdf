import type { Collection } from 'mongodb';

import type { LoggedEvent } from './logged-event.ts';

/** Which part of a slot is asked for; of what is left out, all. */
export interface ExtentQuestion {
  readonly slot: number;
  /** What was logged from then on: from the beginning of that second, for rows know no more. */
  readonly since?: Date | undefined;
  /** Up to this event. */
  readonly upTo?: string | undefined;
}

/** A part of a slot: positions, both inclusive. `to` is below `from` where it is empty. */
export interface LogExtent {
  readonly from: number;
  readonly to: number;
}

/** Rows that were logged before that was so have the time of their leader's own clock: so far two of them may be apart. */
const skewMs = 10_000;

const wholeSecond = (time: Date): Date => new Date(Math.floor(time.getTime() / 1_000) * 1_000);

/**
 * The first position that was logged at a time or later; the one after the last where there is none. By bisection: an index on
 * times would cost every append.
 */
const positionSince = async (
  log: Collection<LoggedEvent>,
  slot: number,
  since: Date,
  { from, to }: LogExtent,
): Promise<number> => {
  const early = new Date(since.getTime() - skewMs);
  let [low, high] = [from, to + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = await log.findOne({ slot, pos: middle }, { projection: { at: 1 } });
    if (row === null || row.at < early) low = middle + 1;
    else high = middle;
  }
  const first = await log
    .find({ slot, pos: { $gte: low }, at: { $gte: since } }, { projection: { pos: 1 } })
    .sort({ slot: 1, pos: 1 })
    .limit(1)
    .next();
  return first?.pos ?? to + 1;
};

/** Where a part of a slot lies in a log. */
export const extentOf = async (
  log: Collection<LoggedEvent>,
  { slot, since, upTo }: ExtentQuestion,
): Promise<LogExtent> => {
  const ends = [1, -1] as const;
  const [first, last] = await Promise.all(
    ends.map((way) =>
      log
        .find({ slot }, { projection: { pos: 1 } })
        .sort({ slot: way, pos: way })
        .limit(1)
        .next(),
    ),
  );
  const whole = { from: first?.pos ?? 1, to: last?.pos ?? 0 };
  const from = since === undefined ? whole.from : await positionSince(log, slot, wholeSecond(since), whole);
  if (upTo === undefined) return { from, to: whole.to };
  // What the log does not know came to the topic past it: then nothing in it is known to be behind.
  const row = await log.findOne({ _id: upTo, slot }, { projection: { pos: 1 } });
  return { from, to: row?.pos ?? whole.to };
};
