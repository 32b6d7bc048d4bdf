import { HistoryLost, seeTo } from '../consumer/lost-history.ts';
import type { PlacedEvent } from '../log/producer-log.ts';
import type { CatchUpName } from './catch-up-rows.ts';

/**
 * What a new handler was to go on with, and its producer's log holds no longer.
 *
 * @param next - the position with which it was to go on
 * @param first - with which the log begins by now
 */
export const lostOnTheWay = ({ handler }: CatchUpName, next: number, first: PlacedEvent): HistoryLost =>
  new HistoryLost(
    `${handler} had not caught up, and the positions ${next} to ${first.pos - 1} of slot ${first.slot}, from before ${first.event.time}, ` +
      `are in the log no longer: we were away for longer than it is kept. ${seeTo}`,
  );
