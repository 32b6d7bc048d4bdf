import type { ReadAfterOptions } from '@causeway/events';
import type { LoggedEvent } from '@causeway/events';
import type { Collection, Db } from 'mongodb';

import type { Turns } from '../../pacing/give-way.ts';
import { createTurns } from '../../pacing/give-way.ts';
import type { LookTime } from '../../pacing/look-time.ts';
import type { DeclaredField } from '../../fields/declared-field.ts';
import type { RecordDocument, VisibleRecord } from '../../records/record.model.ts';
import { followFrom } from '../follow/follow-records.ts';
import type { AsLeft } from '../follow/follow-records.ts';
import type { Caller } from '../rule.ts';
import type { TrialBody } from './asked-trial.ts';
import { ruledFields } from './compile-rights.ts';
import { holdTargetsOf } from './held-targets.ts';
import { readLog } from './read-log.ts';
import { readRecords } from './read-records.ts';
import type { Sides } from './sides.ts';
import { followingOf } from './sides.ts';

/** Where a trial looks. */
export interface TrialPlaces {
  readonly db: Db;
  readonly log: Collection<LoggedEvent>;
  readonly records: Collection<RecordDocument>;
  /** Has a read see nothing older than the caller has seen. */
  readonly reading: <T>(read: (options: ReadAfterOptions) => Promise<T>) => Promise<T>;
  readonly time: LookTime;
}

/** What a trial is about. */
export interface AskedTrial {
  readonly sides: Sides;
  readonly body: Pick<TrialBody, 'who' | 'events' | 'records'>;
  /** What `$now` means where records are judged; calls are judged by the time at which they were made. */
  readonly at: Date;
}

/** What all parts of a trial need, each with its part of the time. */
export interface Surroundings extends AskedTrial {
  /** With rules of their own. */
  readonly fields: readonly DeclaredField[];
  readonly turns: Turns;
  recordsIn(time: LookTime): ReturnType<typeof readRecords>;
  eventsIn(time: LookTime): ReturnType<typeof readLog>;
  /** Reads what the references of some records name. */
  holdIn(time: LookTime): (some: readonly VisibleRecord[]) => Promise<AsLeft>;
  /** The caller, of whom it is known where the references of some records lead. @throws Fault `rule-too-costly` */
  follow(caller: Caller, some: readonly VisibleRecord[], asLeft: AsLeft): Promise<Caller>;
}

/** How long others of the process wait at a time. */
const turnMs = 5;

/** Makes them. */
export function surroundingsOf({ db, log, records, reading }: TrialPlaces, asked: AskedTrial): Surroundings {
  const { sides, body } = asked;
  const following = followingOf(sides);
  return {
    ...asked,
    fields: ruledFields(sides.present, sides.tried),
    turns: createTurns(turnMs),
    recordsIn: (time) => readRecords({ records, most: body.records, time, reading }),
    eventsIn: (time) => readLog({ log, collectionId: sides.id, most: body.events, time }),
    holdIn: (time) => (some) => holdTargetsOf(db, following, some, time),
    follow: (caller, some, asLeft) => followFrom(db, following, caller, some, { asLeft }),
  };
}
