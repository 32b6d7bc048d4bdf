import type { FeedMessage } from '../../changes/feed-view.ts';
import { createFeedView } from '../../changes/feed-view.ts';
import { everything } from '../../conditions/condition.ts';
import { TooCostly } from '../../conditions/evaluation-budget.ts';
import type { LookTime } from '../../pacing/look-time.ts';
import type { Turns } from '../../pacing/give-way.ts';
import type { Caller } from '../rule.ts';
import { visionOf } from '../see.ts';
import type { CallerTally } from './caller-tally.ts';
import { reasonOf } from './reasons.ts';
import type { PastEvent } from './read-log.ts';
import type { Sides } from './sides.ts';

/** Nothing; that a record is no longer seen; the change. */
const ranks = { left: 1, created: 2, updated: 2, entered: 2, deleted: 2 } as const;

const rankOf = (event: FeedMessage['event'] | undefined): number => (event === undefined ? 0 : ranks[event]);

/**
 * Compares what somebody's feed of all records would have told of some changes under two definitions.
 *
 * @param caller - of whom it is known where the references of these records lead
 * @throws OutOfTime
 */
export async function compareFeeds(
  { sides: { present, tried }, time, turns }: { readonly sides: Sides; readonly time: LookTime; readonly turns: Turns },
  caller: Caller,
  events: readonly PastEvent[],
  tally: CallerTally,
): Promise<void> {
  const [before, after] = [present, tried].map((side) => createFeedView(visionOf(side, caller, everything)));
  if (before === undefined || after === undefined || before.key === after.key) return;
  for (const { change } of events) {
    if (turns.isOver()) {
      time.demand();
      await turns.giveWay();
    }
    try {
      const [now, then] = [before.eventOf(change), after.eventOf(change)];
      if (rankOf(now) === rankOf(then)) continue;
      const example = { eventId: change.eventId, record: change.id, now: now ?? null, then: then ?? null };
      const isMore = rankOf(then) > rankOf(now);
      // A record that a feed loses is hidden as it is afterwards, and one that is gone as it was.
      const record = change.after ?? change.before;
      tally.feed.note(!isMore, isMore, example, () =>
        record === undefined ? undefined : reasonOf(tried, { action: 'read', caller, record, at: change.time }),
      );
    } catch (error) {
      // A feed would say that there is a gap.
      if (!(error instanceof TooCostly)) throw error;
    }
  }
}
