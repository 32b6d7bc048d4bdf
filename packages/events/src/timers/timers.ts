import { operationsOf, serviceOf, type EventContract } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { UnnameErased } from '../erasure/unname-erased.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { SlotLeases } from '../relay/slot-leases.ts';
import type { CommitStream } from '../stream/commit-stream.ts';
import { createTimerReleases } from './release-timers.ts';
import { createTimerSchedule, type TimerSchedule } from './schedule-timers.ts';
import { createTimerIndexes, timerThing, type TimerDocument } from './timer.model.ts';
import { createTimerMetrics } from './timer-metrics.ts';
import { createTimerOf, type TimerOf } from './timer-of.ts';

/** How {@link createTimers} is wired. */
export interface TimersOptions {
  readonly service: string;
  readonly db: Db;
  /** How many slots the service has. */
  readonly slots: number;
  readonly leases: Pick<SlotLeases, 'held' | 'holds'>;
  readonly collection: RecordedCollection<TimerDocument>;
  /** Declared for scheduling. */
  readonly timers: readonly EventContract[];
  /** Contracts that handlers take: of these, what this service's own timers release may be scheduled too. */
  readonly handled: readonly EventContract[];
  readonly stream: Pick<CommitStream, 'subscribe'>;
  readonly unnameErased: UnnameErased;
  readonly now: () => Date;
  readonly logger: RelayLogger;
}

/** A service's timers. */
export interface Timers extends TimerSchedule {
  readonly timerOf: TimerOf;
  createIndexes(): Promise<void>;
  /** Releases what is due in the slots that this replica leads, from now on. */
  start(): void;
  stop(): Promise<void>;
}

/** How often what waits is counted. */
const countEveryMs = 15_000;

/** More than this is not counted. */
const mostCounted = 100_000;

/** The contracts that may be scheduled, by type. @throws TypeError - one of them never can be */
const declaredBy = ({ service, timers, handled }: TimersOptions): ReadonlyMap<string, EventContract> => {
  const own = (contract: EventContract): boolean =>
    contract.thing === timerThing && serviceOf(contract.type) === service;
  const wrong = timers.find((contract) => !own(contract));
  if (wrong !== undefined) {
    throw new TypeError(`${wrong.type} cannot be scheduled by ${service}: it has to be its own, with thing 'timer'`);
  }
  const all = [...timers, ...handled.filter(own)];
  return new Map(all.map((contract) => [contract.type, contract]));
};

/** Makes the timers of one service in this process; nothing is released before `start()`. */
export const createTimers = (options: TimersOptions): Timers => {
  const { service, db, slots, leases, collection, stream, unnameErased, now, logger } = options;
  const contracts = operationsOf(service);
  const known = declaredBy(options);
  const declared = (type: string): EventContract | undefined => known.get(type);
  const led = (): readonly number[] => [...leases.held.keys()].filter((slot) => leases.holds(slot));
  let waiting: number | undefined;
  let ends: (() => void)[] = [];

  const metrics = createTimerMetrics(() => waiting);
  const releases = createTimerReleases({
    service,
    collection,
    declared,
    slots: led,
    unnameErased,
    metrics,
    now,
    logger,
  });

  const count = async (): Promise<void> => {
    const own = { status: 'scheduled' as const, slot: { $in: [...led()] } };
    waiting = await collection.native.countDocuments(own, { limit: mostCounted, maxTimeMS: 5_000 });
  };

  /** What fails is done the next time. */
  const every = (ms: number, work: () => Promise<void>): (() => void) => {
    const timer = setInterval(() => {
      work().catch((error: unknown) => logger.debug({ error }, 'timers could not be counted'));
    }, ms).unref();
    return () => clearInterval(timer);
  };

  return {
    ...createTimerSchedule({ service, db, slots, collection, contracts, declared, now }),
    timerOf: createTimerOf(collection, contracts.timerScheduled.type),
    createIndexes: () => createTimerIndexes(collection),
    start() {
      ends = [
        stream.subscribe(
          (change) => releases.onChange(change),
          () => releases.wake(),
        ),
        every(countEveryMs, count),
      ];
      releases.start();
    },
    async stop() {
      for (const end of ends) end();
      await releases.stop();
    },
  };
};
