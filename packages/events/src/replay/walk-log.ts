import type { PlacedEvent, ProducerLog } from '../log/producer-log.ts';

/** Events that are read from a log at a time. */
const pageEvents = 200;

/** What is walked through. */
export interface Walk {
  readonly log: ProducerLog;
  readonly slot: number;
  readonly from: number;
  /** The last position; left out, the walk ends where the log does. */
  readonly to?: number | undefined;
  readonly signal: AbortSignal;
}

/** Goes through a slot of a producer's log, page by page, in order. */
export async function* walkLog({
  log,
  slot,
  from,
  to = Infinity,
  signal,
}: Walk): AsyncGenerator<readonly PlacedEvent[]> {
  for (let next = from; next <= to;) {
    signal.throwIfAborted();
    const rows = (await log.read({ slot, from: next, limit: pageEvents })).filter(({ pos }) => pos <= to);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    next = last.pos + 1;
  }
}
