import {
  checkRecorded,
  derivedId,
  newId,
  type Cause,
  type EventContract,
  type EventData,
  type EventEnvelope,
  type operationsOf,
} from '@causeway/contracts';
import { currentTraceContext } from '@causeway/telemetry';
import { createHash } from 'node:crypto';
import type { ClientSession, Db } from 'mongodb';

import { canonicalJson } from '../idempotency/canonical-json.ts';
import { buildEvent } from '../recording/build-event.ts';
import { DuplicateKey } from '../recording/errors.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import type { WriteOptions } from '../recording/recorded-writes.ts';
import { draft, type StateOf } from '../recording/recorded-document.ts';
import { slotOf } from '../relay/slot.ts';
import { serverTime } from './server-time.ts';
import { timerFaults } from './timer.errors.ts';
import { timerThing, type TimerDocument } from './timer.model.ts';

/** An event that is to come, and when. */
export interface ScheduleRequest<Data extends EventData = EventData> {
  /** Of this service, about a `timer`, and declared: in `timers` of `createEvents`, or taken by one of its handlers. */
  readonly contract: EventContract<Data>;
  /** Checked against the contract now, and again at its time. */
  readonly data: Data;
  /** At most {@link longestMs} from now; a time that has passed is now. On MongoDB's clock. */
  readonly deliverAt?: Date;
  /** In place of `deliverAt`: so long from now, by MongoDB's clock; what this process takes for now does not matter. */
  readonly afterMs?: number;
  /**
   * Unique in the service: asking for the same again under a key is asking for one timer. It is remembered as long as
   * tombstones are kept, five weeks or more, after the timer has been released or cancelled.
   */
  readonly key?: string;
  /** What it is about, for whoever looks at it: a subject. */
  readonly about?: string;
}

/** A timer that waits. */
export interface ScheduledTimer {
  readonly timerId: string;
  /** That says so; absent where the key was known, and nothing was written. */
  readonly event?: EventEnvelope;
}

/** Announces events and takes them back. */
export interface TimerSchedule {
  /**
   * Has an event recorded at a time, once: `<service>.timer.scheduled` now, the event then.
   *
   * @throws TypeError - the contract is none that can be scheduled, or the time makes no sense
   * @throws ContractViolation, `payload-too-large` - the event could not be recorded
   * @throws `timer-differs` - the key names another timer
   */
  schedule<Data extends EventData>(
    cause: Cause,
    request: ScheduleRequest<Data>,
    options?: WriteOptions,
  ): Promise<ScheduledTimer>;
  /**
   * Cancels a timer.
   *
   * @returns whether it was still waiting: if so its event never comes, if not it has come, or was cancelled before
   */
  unschedule(cause: Cause, timerId: string, options?: WriteOptions): Promise<boolean>;
}

/** How {@link createTimerSchedule} is wired. */
export interface TimerScheduleOptions {
  readonly service: string;
  readonly db: Db;
  readonly slots: number;
  readonly collection: RecordedCollection<TimerDocument>;
  readonly contracts: ReturnType<typeof operationsOf>;
  /** The declared contract of this type. */
  readonly declared: (type: string) => EventContract | undefined;
  readonly now: () => Date;
}

/** Ten years. A time beyond is a mistake in a unit, more often than a wish. */
export const longestMs = 10 * 365.25 * 24 * 3_600_000;

const sessionOf = (session: ClientSession | undefined) => (session === undefined ? {} : { session });

/** Makes the schedule of one service. */
export const createTimerSchedule = (options: TimerScheduleOptions): TimerSchedule => {
  const { service, db, slots, collection, contracts, declared, now } = options;

  const demandDeclared = ({ type, version }: EventContract): void => {
    if (declared(type)?.version === version) return;
    throw new TypeError(`${type} ${version} cannot be scheduled: name it in the timers of createEvents`);
  };

  /** What a timer is as far as its key is concerned. */
  const wishOf = ({ contract, deliverAt, afterMs, about }: ScheduleRequest, data: EventData): string => {
    const { type, version } = contract;
    const text = canonicalJson({ type, version, data, deliverAt: deliverAt?.getTime(), afterMs, about });
    return createHash('sha256').update(text).digest('base64url');
  };

  const checkTime = ({ deliverAt, afterMs }: ScheduleRequest): void => {
    if ((deliverAt === undefined) === (afterMs === undefined)) {
      throw new TypeError('a timer has either deliverAt or afterMs');
    }
    const aheadMs = afterMs ?? Math.max(0, (deliverAt?.getTime() ?? Number.NaN) - now().getTime());
    if (aheadMs >= 0 && aheadMs <= longestMs) return;
    const name = afterMs === undefined ? 'deliverAt' : 'afterMs';
    throw new TypeError(`${name} has to be a time from now on, at most ten years away`);
  };

  const timeOf = async ({ deliverAt, afterMs = 0 }: ScheduleRequest): Promise<Date> =>
    deliverAt ?? new Date((await serverTime(db)).getTime() + Math.round(afterMs));

  /** Of a key that is known; undefined where it is not. */
  const known = async (timerId: string, wish: string, session?: ClientSession): Promise<ScheduledTimer | undefined> => {
    const there = await collection.native.findOne({ _id: timerId }, { ...sessionOf(session), projection: { wish: 1 } });
    if (there === null) return undefined;
    if (there.wish !== wish) throw timerFaults.timerDiffers();
    return { timerId };
  };

  const stateFor = (cause: Cause, request: ScheduleRequest, place: { timerId: string; deliverAt: Date }) => {
    const { type, version } = request.contract;
    const { deliverAt } = place;
    const slot = slotOf(`${timerThing}/${place.timerId}`, slots);
    return { status: 'scheduled' as const, type, version, deliverAt, dueAt: deliverAt, slot, cause };
  };

  return {
    async schedule(cause, request, { session } = {}) {
      const contract: EventContract = request.contract;
      const { key, about } = request;
      demandDeclared(contract);
      checkTime(request);
      const timerId = key === undefined ? newId('tmr') : derivedId('tmr', key);
      // As it will be read by everybody: Kafka carries JSON.
      const data = JSON.parse(JSON.stringify(checkRecorded(contract, request.data))) as EventData;
      // Built now, to know that it can be built then.
      buildEvent(cause, draft(contract, data), { service, thing: timerThing, id: timerId, revision: 2, at: now() });
      const wish = wishOf(request, data);
      const there = key === undefined ? undefined : await known(timerId, wish, session);
      if (there !== undefined) return there;

      const deliverAt = await timeOf(request);
      const state: StateOf<TimerDocument> = {
        ...stateFor(cause, request, { timerId, deliverAt }),
        data,
        trace: currentTraceContext(),
        ...(about !== undefined && { about }),
        ...(key !== undefined && { wish }),
      };
      const told = { timerId, type: contract.type, deliverAt: deliverAt.toISOString() };
      const event = draft(contracts.timerScheduled, { ...told, ...(about !== undefined && { about }) });
      try {
        const write = await collection.create(cause, { _id: timerId, state, event }, sessionOf(session));
        return { timerId, event: write.event };
      } catch (error) {
        if (!(error instanceof DuplicateKey) || session !== undefined) throw error;
        const first = await known(timerId, wish);
        if (first === undefined) throw error;
        return first;
      }
    },
    async unschedule(cause, timerId, { session } = {}) {
      const write = await collection.update(
        cause,
        timerId,
        (current) => {
          if (current.status !== 'scheduled') return undefined;
          const event = draft(contracts.timerCancelled, { timerId, type: current.type });
          return { state: settledState(current, 'cancelled', now()), event };
        },
        sessionOf(session),
      );
      return write?.event !== undefined;
    },
  };
};

/** What is kept of a timer that no longer waits: not what its event said. */
export const settledState = (
  { type, version, deliverAt, dueAt, slot, about, wish }: TimerDocument,
  status: 'released' | 'cancelled',
  settledAt: Date,
): StateOf<TimerDocument> => ({
  ...{ status, type, version, deliverAt, dueAt, slot, settledAt },
  ...(about !== undefined && { about }),
  ...(wish !== undefined && { wish }),
});
