import type { Cause, EventData } from '@causeway/contracts';
import type { TraceContext } from '@causeway/telemetry';

import type { RecordedCollection } from '../recording/recorded-collection.ts';
import type { RecordedDocument } from '../recording/recorded-document.ts';

/** The name of the collection of {@link TimerDocument}s. */
export const timers = 'timers';

/** The kind of thing that a timer's events are about: `timer/tmr_…`. */
export const timerThing = 'timer';

/** `scheduled` is left once, for good. */
export type TimerStatus = 'scheduled' | 'released' | 'cancelled';

/** An event that is to come. Its subject is the timer: what is recorded at its time is the timer's second event. */
export interface TimerDocument extends RecordedDocument {
  readonly status: TimerStatus;
  /** Of the event to come. */
  readonly type: string;
  readonly version: number;
  readonly deliverAt: Date;
  /** When a release is tried: at `deliverAt`, and later after one that cannot succeed. */
  readonly dueAt: Date;
  /** Of its subject: whoever leads it releases the timer, and publishes what that records. */
  readonly slot: number;
  readonly about?: string;
  /** Of a timer with a key: tells whether the same is asked for again. */
  readonly wish?: string;
  /** While it waits: the data of the event to come, on whose behalf, and in which trace it was scheduled. */
  readonly data?: EventData;
  readonly cause?: Cause;
  readonly trace?: TraceContext;
  /** Since when it has been released or cancelled. */
  readonly settledAt?: Date;
}

/** What finds the timers that wait, by time, and those that are over; and for an erasure those about a person, or on their behalf. */
export const createTimerIndexes = async ({ native }: RecordedCollection<TimerDocument>): Promise<void> => {
  const waiting = { partialFilterExpression: { status: 'scheduled' } };
  await native.createIndex({ slot: 1, dueAt: 1 }, waiting, undefined);
  await native.createIndex({ settledAt: 1 }, { sparse: true }, undefined);
  await native.createIndex({ about: 1 }, { sparse: true }, undefined);
  await native.createIndex({ 'cause.principal.id': 1 }, waiting, undefined);
};
