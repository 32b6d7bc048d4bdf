import {
  checkRead,
  schemaUrn,
  topicOf,
  toSequence,
  type Cause,
  type EventContract,
  type EventData,
} from '@causeway/contracts';
import { withProcessSpan } from '@causeway/telemetry';
import { setImmediate as immediately, setTimeout as delay } from 'node:timers/promises';

import type { UnnameErased } from '../erasure/unname-erased.ts';
import { isOutage } from '../recording/outage.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { Change } from '../stream/change.ts';
import { settledState } from './schedule-timers.ts';
import { timers, timerThing, type TimerDocument } from './timer.model.ts';
import type { TimerMetrics } from './timer-metrics.ts';

/** How {@link createTimerReleases} is wired. */
export interface TimerReleasesOptions {
  readonly service: string;
  readonly collection: RecordedCollection<TimerDocument>;
  readonly declared: (type: string) => EventContract | undefined;
  /** The slots that this replica leads now. */
  readonly slots: () => readonly number[];
  readonly unnameErased: UnnameErased;
  readonly metrics: TimerMetrics;
  readonly now: () => Date;
  readonly logger: RelayLogger;
}

/** Releases timers of the slots that this replica leads. */
export interface TimerReleases {
  start(): void;
  /** Tells of a commit: a new timer may be due before the one that is waited for. */
  onChange(change: Change): void;
  /** Looks at once: something may have been missed. */
  wake(): void;
  stop(): Promise<void>;
}

/** Timers of one pass, and of these side by side. */
const atOnce = 100;
const together = 8;

/** Without anything to wait for it is looked after so long: slots change hands, and a commit stream may break. */
const lookEveryMs = 2_000;

/** A release that cannot succeed is tried again after so long: a replica that knows the contract may lead by then. */
export const putOffMs = 30_000;

/** A timer as a pass reads it. */
interface Waiting extends Pick<TimerDocument, '_id' | 'event' | 'type' | 'cause' | 'trace' | 'dueAt'> {
  /** Until it is due, and since its time; both by MongoDB's clock. */
  readonly inMs: number;
  readonly lateMs: number;
}

/** Data that was scheduled under an earlier version of its contract, as the newest has it. */
const liftedData = (contract: EventContract, timer: TimerDocument, { correlationId, principal }: Cause): EventData => {
  const { _id, type, version, deliverAt, data } = timer;
  const { data: lifted } = checkRead(contract, {
    ...{ specversion: '1.0', id: timer.event, type, source: '', subject: `${timerThing}/${_id}`, data },
    ...{ sequence: toSequence(timer.revision + 1), time: deliverAt.toISOString() },
    ...{ datacontenttype: 'application/json', dataschema: schemaUrn({ type, version }) },
    ...{ correlationid: correlationId, authtype: principal.type },
  });
  return lifted;
};

/** Makes the releases of one replica. */
export const createTimerReleases = (options: TimerReleasesOptions): TimerReleases => {
  const { service, collection, declared, slots, unnameErased, metrics, now, logger } = options;
  const { native } = collection;
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let ring: (() => void) | undefined;
  let rung = false;
  /** The time of the next timer that is known; until a pass has found one, every new timer may be it. */
  let nextAt = Infinity;

  const wake = (): void => {
    rung = true;
    ring?.();
  };

  /** The first that wait, and how far off they are; MongoDB alone says what time it is. */
  const first = (led: readonly number[]): Promise<Waiting[]> =>
    native
      .aggregate<Waiting>(
        [
          { $match: { status: 'scheduled', slot: { $in: [...led] } } },
          { $sort: { dueAt: 1 } },
          { $limit: atOnce + 1 },
          {
            $project: {
              ...{ event: 1, type: 1, cause: 1, trace: 1, dueAt: 1 },
              inMs: { $subtract: ['$dueAt', '$$NOW'] },
              lateMs: { $subtract: ['$$NOW', '$deliverAt'] },
            },
          },
        ],
        { maxTimeMS: 5_000 },
      )
      .toArray();

  /** One compare-and-set from `scheduled`: of two leaders, or of a leader and a cancel, one gets through. */
  const record = async ({ _id, type, event, cause }: Waiting): Promise<boolean> => {
    const contract = declared(type);
    if (contract === undefined || cause === undefined) {
      throw new TypeError(`${type} is not declared any more: name it in the timers of createEvents`);
    }
    const own = await unnameErased({ ...cause, causationId: event });
    const write = await collection.update(own, _id, (current) => {
      if (current.status !== 'scheduled') return undefined;
      const data = liftedData(contract, current, cause);
      return { state: settledState(current, 'released', now()), event: draft(contract, data) };
    });
    return write?.event !== undefined;
  };

  const putOff = async ({ _id, type }: Waiting, error: unknown): Promise<void> => {
    logger.error({ timer: _id, type, error }, 'a timer cannot be released; it is tried again later');
    metrics.putOff();
    const later = { $dateAdd: { startDate: '$$NOW', unit: 'millisecond', amount: putOffMs } };
    await native.updateOne({ _id, status: 'scheduled' }, [{ $set: { dueAt: later } }]);
  };

  const release = async (timer: Waiting): Promise<void> => {
    const began = performance.now();
    const announced = { id: timer.event, type: `${service}.timer.scheduled`, ...timer.trace };
    const place = { destination: topicOf(service), handler: 'release-timer', apart: true };
    try {
      const done = await withProcessSpan(announced, place, () => record(timer));
      if (done) metrics.released(timer.lateMs + performance.now() - began);
    } catch (error) {
      if (isOutage(error)) throw error;
      await putOff(timer, error);
    }
  };

  /** @returns how long there is nothing to do */
  const pass = async (): Promise<number> => {
    nextAt = Infinity;
    const led = slots();
    if (led.length === 0) return lookEveryMs;
    const found = await first(led);
    const due = found.filter(({ inMs }) => inMs <= 0).slice(0, atOnce);
    const next = found.find(({ inMs }) => inMs > 0);
    for (let index = 0; index < due.length && !stopping.signal.aborted; index += together) {
      const released = await Promise.allSettled(due.slice(index, index + together).map(release));
      for (const each of released) if (each.status === 'rejected') throw each.reason;
    }
    nextAt = next?.dueAt.getTime() ?? Infinity;
    // What was released took time, and there may be more: the next look tells how long there is to wait.
    return due.length > 0 ? 0 : Math.min(next?.inMs ?? Infinity, lookEveryMs);
  };

  const sleep = async (ms: number): Promise<void> => {
    if (ms === 0) {
      await immediately();
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      ring = resolve;
      timer = setTimeout(resolve, ms);
    });
    ring = undefined;
    clearTimeout(timer);
  };

  const run = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted;) {
      rung = false;
      let restMs: number;
      try {
        restMs = await pass();
        failures = 0;
      } catch (error) {
        if (failures % 10 === 0) logger.warn({ error }, 'timers could not be looked for; it is tried again');
        failures += 1;
        await delay(200 + Math.random() * 300, undefined, { signal: stopping.signal }).catch(() => undefined);
        continue;
      }
      // Set by a bell since: look once more instead of sleeping.
      if (!(rung as boolean)) await sleep(restMs);
    }
  };

  return {
    start() {
      running = run();
    },
    wake,
    onChange({ collection: name, document }) {
      if (name !== timers || document === undefined) return;
      const { dueAt, slot } = document as Pick<TimerDocument, 'dueAt' | 'slot'>;
      if (dueAt.getTime() < nextAt && slots().includes(slot)) wake();
    },
    async stop() {
      stopping.abort();
      wake();
      await running;
    },
  };
};
