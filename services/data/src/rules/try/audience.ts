import { newId } from '@causeway/contracts';

import type { LookTime } from '../../pacing/look-time.ts';
import { lookInTime } from '../../pacing/look-time.ts';
import type { VisibleRecord } from '../../records/record.model.ts';
import { anonymous } from '../caller.ts';
import { callerFrom } from '../explain/asked-explanation.ts';
import type { AsLeft } from '../follow/follow-records.ts';
import type { TrialBody } from './asked-trial.ts';
import type { AskedCaller, AskedWho } from './caller-tally.ts';
import { FoundPeople } from './find-people.ts';
import { peoplePathsOf } from './people-paths.ts';
import type { PastEvent } from './read-log.ts';
import type { Sides } from './sides.ts';
import { followingOf } from './sides.ts';

/** Whose rights are compared. */
export interface Audience {
  readonly callers: readonly AskedCaller[];
  /** How many people records and events name, where nobody was given. */
  readonly found?: number;
  /** Whether there was time to look for all of them. */
  readonly complete: boolean;
}

/** Those whom an administrator has named. */
export const givenAudience = (who: NonNullable<TrialBody['who']>): Audience => ({
  callers: who.map((each) => ({ who: each, caller: callerFrom(each) })),
  complete: true,
});

/** What {@link findAudience} is given. */
export interface FindAudienceOptions {
  readonly sides: Sides;
  readonly time: LookTime;
  readonly records: () => AsyncIterable<readonly VisibleRecord[]>;
  readonly events: () => AsyncIterable<readonly PastEvent[]>;
  /** Reads what the references of some records name. */
  readonly hold: (records: readonly VisibleRecord[]) => Promise<AsLeft>;
}

/** Finds those whom rules may tell apart, where nobody says whose rights are to be compared. */
export async function findAudience({ sides, time, records, events, hold }: FindAudienceOptions): Promise<Audience> {
  const people = new FoundPeople(peoplePathsOf([sides.present, sides.tried]), followingOf(sides));
  const look = async (some: readonly VisibleRecord[]): Promise<void> => {
    time.demand();
    const asLeft = await hold(some);
    for (const record of some) people.addFrom(record, asLeft);
  };
  const hasEvents = await lookInTime(async () => {
    for await (const some of events()) {
      for (const { event } of some) people.add(event.authid);
      await look(some.flatMap(statesOf));
    }
  });
  const hasRecords = await lookInTime(async () => {
    for await (const some of records()) await look(some);
  });
  const found = people.first.map((id): AskedCaller => ({ who: named(id), caller: callerFrom(named(id)) }));
  const anyone: AskedCaller = { who: 'signed-in', caller: callerFrom(named(newId('usr'))) };
  return {
    callers: [{ who: 'anonymous', caller: anonymous }, anyone, ...found],
    found: people.size,
    complete: hasEvents && hasRecords,
  };
}

/** Somebody of whom no more is known than who they are. */
const named = (id: string): Exclude<AskedWho, string> => ({ sub: id });

/** What an event tells of a record. */
export const statesOf = ({ change: { before, after } }: PastEvent): readonly VisibleRecord[] =>
  [before, after].filter((each) => each !== undefined);
