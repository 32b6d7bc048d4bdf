import { canEver } from '../rule.ts';
import type { Audience } from './audience.ts';
import { findAudience, givenAudience } from './audience.ts';
import type { AskedCaller, AskedWho, CallerChanges, CallerTally } from './caller-tally.ts';
import type { LookedEvents } from './compare-all-events.ts';
import { compareAllEvents } from './compare-all-events.ts';
import type { LookedRecords } from './compare-all-records.ts';
import { compareAllRecords } from './compare-all-records.ts';
import { Comparison } from './comparison.ts';
import type { Sides } from './sides.ts';
import type { AskedTrial, TrialPlaces } from './surroundings.ts';
import { surroundingsOf } from './surroundings.ts';

/** What would become of somebody's rights. */
export interface TriedCaller extends CallerChanges {
  readonly who: AskedWho;
  /** Whether there can be a record that they may create, as it is and as it would be. */
  readonly create: { readonly now: boolean; readonly then: boolean };
}

/** What would become of rights. */
export interface Trial {
  /** Whether there was time for all that was to be looked at. */
  readonly complete: boolean;
  readonly callers: readonly TriedCaller[];
  /** People whom records and events name: how many there are, are compared, and are left out of `callers` since nothing would change. */
  readonly people?: { readonly found: number; readonly compared: number; readonly unchanged: number };
  readonly records: LookedRecords;
  readonly events: LookedEvents;
}

/** Parts of the time: until people are found, and until records are compared. */
const shares = { people: 0.2, records: 0.65 } as const;

/** Compares two definitions, among the records there and the last events. */
export async function runTrial(places: TrialPlaces, asked: AskedTrial): Promise<Trial> {
  const { time } = places;
  const { sides, body } = asked;
  const around = surroundingsOf(places, asked);
  const people = time.part(shares.people);
  const audience: Audience =
    body.who === undefined
      ? await findAudience({
          ...{ sides, time: people, hold: around.holdIn(people) },
          records: () => around.recordsIn(people),
          events: () => around.eventsIn(time.part(shares.people / 2)),
        })
      : givenAudience(body.who);
  const comparison = new Comparison(audience.callers, around.fields);
  const { complete: hasRecords, ...records } = await compareAllRecords(around, comparison, time.part(shares.records));
  const { complete: hasEvents, ...events } = await compareAllEvents(around, comparison, time);
  return {
    complete: audience.complete && hasRecords && hasEvents,
    ...shownOf(sides, audience, comparison),
    ...{ records, events },
  };
}

/** People who were found are shown where something would change for them; whoever was named is, and whoever stands for all others. */
function shownOf(sides: Sides, { found }: Audience, { all }: Comparison): Pick<Trial, 'callers' | 'people'> {
  const rows = all.map(([asked, tally]) => ({ asked, tally, row: rowOf(sides, asked, tally) }));
  if (found === undefined) return { callers: rows.map(({ row }) => row) };
  const isFound = ({ who }: AskedCaller): boolean => typeof who !== 'string';
  const callers = rows
    .filter(({ asked, tally, row: { create } }) => !isFound(asked) || !tally.isEmpty || create.now !== create.then)
    .map(({ row }) => row);
  const compared = rows.filter(({ asked }) => isFound(asked)).length;
  return { callers, people: { found, compared, unchanged: rows.length - callers.length } };
}

const rowOf = ({ present, tried }: Sides, { who, caller }: AskedCaller, tally: CallerTally): TriedCaller => ({
  who,
  create: { now: canEver(present.rules.create, caller), then: canEver(tried.rules.create, caller) },
  ...tally.all,
});
