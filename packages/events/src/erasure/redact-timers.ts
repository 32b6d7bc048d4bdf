import type { Cause } from '@causeway/contracts';

import type { RecordedCollection } from '../recording/recorded-collection.ts';
import type { TimerSchedule } from '../timers/schedule-timers.ts';
import { timerThing, type TimerDocument } from '../timers/timer.model.ts';

/** What timers hold of a person: the data of an event to come, and on whose behalf it comes. */
export interface RedactTimers {
  /** Cancels those that wait and are about any of these subjects: what they would tell must not be told any more. */
  cancelAbout(subjects: readonly string[], cause: Cause): Promise<void>;
  /** The subjects of all timers about any of these, in chunks: what they have told is in the log under their own names. */
  subjectsAbout(subjects: readonly string[]): AsyncIterable<readonly string[]>;
  /** Those that wait on somebody's behalf go on without saying whose. */
  unname(personId: string, fields: readonly string[]): Promise<void>;
}

/** How {@link createRedactTimers} is wired. */
export interface RedactTimersOptions {
  readonly collection: Pick<RecordedCollection<TimerDocument>, 'native'>;
  readonly unschedule: TimerSchedule['unschedule'];
}

const chunk = 500;

/** Makes what takes persons out of one service's timers. */
export const createRedactTimers = ({ collection, unschedule }: RedactTimersOptions): RedactTimers => {
  const { native } = collection;
  return {
    async cancelAbout(subjects, cause) {
      const about = { status: 'scheduled' as const, about: { $in: [...subjects] } };
      // One that is released in this moment has told what is in the log by the time that this is redacted.
      for await (const { _id } of native.find(about, { projection: { _id: 1 } })) await unschedule(cause, _id);
    },
    async *subjectsAbout(subjects) {
      const found: string[] = [];
      for await (const { _id } of native.find({ about: { $in: [...subjects] } }, { projection: { _id: 1 } })) {
        found.push(`${timerThing}/${_id}`);
        if (found.length >= chunk) yield found.splice(0);
      }
      if (found.length > 0) yield found;
    },
    async unname(personId, fields) {
      const paths = ['cause.principal.id', ...fields.map((field) => `data.${field}`)];
      const without = Object.fromEntries(
        paths.map((path) => [path, { $cond: [{ $eq: [`$${path}`, personId] }, '$$REMOVE', `$${path}`] }]),
      );
      await native.updateMany({ status: 'scheduled', 'cause.principal.id': personId }, [{ $set: without }]);
    },
  };
};
