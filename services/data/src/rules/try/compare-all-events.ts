import { Fault } from '@causeway/contracts';

import type { LookTime } from '../../pacing/look-time.ts';
import { lookInTime } from '../../pacing/look-time.ts';
import { callerFrom } from '../explain/asked-explanation.ts';
import type { Caller } from '../rule.ts';
import { statesOf } from './audience.ts';
import type { CallChanges } from './compare-calls.ts';
import { CallTally, compareCalls } from './compare-calls.ts';
import { compareFeeds } from './compare-feeds.ts';
import type { Comparison } from './comparison.ts';
import type { PastCall, Unjudged } from './past-calls.ts';
import { pastCallOf } from './past-calls.ts';
import type { LogEnd, PastEvent } from './read-log.ts';
import type { AskedTrial, Surroundings } from './surroundings.ts';

/** What was found among events. */
export interface LookedEvents {
  readonly looked: number;
  /** When the earliest of them was recorded; null where there is none. */
  readonly since: string | null;
  /** Why no earlier ones were looked at. */
  readonly ended: LogEnd | 'time';
  readonly calls: Readonly<Record<PastCall['action'], CallChanges>>;
  /** How many calls nothing is said of, by why. */
  readonly unjudged: readonly { readonly reason: Unjudged; readonly count: number }[];
}

/** Compares what would have become of the calls that events tell of, and what feeds would have told of them. */
export async function compareAllEvents(
  { sides, body, turns, eventsIn, holdIn, follow }: Surroundings,
  comparison: Comparison,
  time: LookTime,
): Promise<LookedEvents & { readonly complete: boolean }> {
  const options = { sides, time, turns };
  const known = knownOf(body);
  const tally = new CallTally();
  let [looked, since, ended]: [number, string | null, LookedEvents['ended']] = [0, null, 'time'];
  const compare = async (some: readonly PastEvent[]): Promise<void> => {
    const states = some.flatMap(statesOf);
    const asLeft = await holdIn(time)(states);
    const calls = some.map((each) => pastCallOf(each, known, sides.present.fields));
    const followed = ({ caller, record, changed }: PastCall): Promise<Caller> =>
      follow(caller, changed === undefined ? [record] : [record, changed], asLeft);
    const own = new CallTally();
    await compareCalls(options, calls, followed, own);
    await comparison.forEach(async (caller, callerTally) => {
      time.demand();
      try {
        await compareFeeds(options, await follow(caller, states, asLeft), some, callerTally);
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'rule-too-costly') throw error;
      }
    });
    tally.add(own);
    looked += some.length;
    since = some.at(-1)?.event.time ?? since;
  };
  const complete = await lookInTime(async () => {
    const chunks = eventsIn(time);
    for (let next = await chunks.next(); ; next = await chunks.next()) {
      if (next.done === true) {
        ended = next.value;
        return;
      }
      await compare(next.value);
    }
  });
  return { complete, looked, since, ended, calls: tally.all, unjudged: tally.unjudged };
}

/** People of whom an administrator has said more than events do. */
const knownOf = ({ who = [] }: AskedTrial['body']): ReadonlyMap<string, Caller> =>
  new Map(
    who.flatMap((each) =>
      each === 'anonymous' || each.sub === undefined ? [] : [[each.sub, callerFrom(each)] as const],
    ),
  );
