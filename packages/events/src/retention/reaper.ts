import { createCounter, createGauges } from '@causeway/telemetry';
import type { Db } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';

import type { RelayLogger } from '../relay/relay-metrics.ts';
import { tombstones } from '../recording/recorded-document.ts';
import { rebuilds } from '../rebuild/rebuild.model.ts';
import { discards, redrives } from '../redrive/redrive.model.ts';
import { replays } from '../replay/replay.model.ts';
import {
  reapDeletions,
  reapDiscards,
  reapOrders,
  reapReplicas,
  reapSagas,
  reapTimers,
  reapTombstones,
} from './reap-deleted.ts';
import { reapInbox } from './reap-inbox.ts';
import { reapLog, type Reaped } from './reap-log.ts';
import type { RetentionPeriods } from './retention-periods.ts';

/** How {@link createReaper} is wired. */
export interface ReaperOptions {
  readonly db: Db;
  readonly slots: number;
  readonly periods: RetentionPeriods;
  /** Names of the handlers that this service has. */
  readonly handlers: readonly string[];
  /** Collections of its sagas. */
  readonly sagas: readonly string[];
  /** Collections of its projections. */
  readonly projections: readonly string[];
  /** Opens subjects of which nothing is parked any more; tells how many, part by part. None where the service handles no events. */
  readonly closeLanes: () => AsyncIterable<number> | undefined;
  /** Whether this replica reaps: one does for all. */
  readonly leads: () => boolean;
  /** How often. */
  readonly everyMs: number;
  readonly logger: Pick<RelayLogger, 'debug' | 'warn'>;
}

/** Removes what has been kept for long enough. */
export interface Reaper {
  createIndexes(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/** A replica that has not been seen for so long is gone. */
const replicaMs = 24 * 3_600_000;

/** Collections of what administrators ask for. */
const orders = [redrives, replays, rebuilds] as const;

/** Between two chunks, so that nobody notices them. */
const pauseMs = (): number => 20 + Math.random() * 40;

/** Where a pass goes, and what may go there. */
async function* passOver(options: ReaperOptions): AsyncGenerator<Reaped> {
  const { db, slots, periods, handlers, sagas, projections, closeLanes } = options;
  const { localTime } = (await db.command({ hello: 1 })) as { localTime: Date };
  const before = (ageMs: number): Date => new Date(localTime.getTime() - ageMs);
  yield* reapLog({ db, slots, before: before(periods.logMs) });
  yield* reapInbox(db, before(periods.inboxMs), handlers);
  for (const collection of projections) yield* reapDeletions(db, collection, before(periods.deletionMs));
  yield* reapTombstones(db, before(periods.tombstoneMs));
  yield* reapTimers(db, before(periods.tombstoneMs));
  // Ids of them are not used anew, or as those of what was deleted: see `retention-periods.ts`.
  for (const collection of orders) yield* reapOrders(db, collection, before(periods.tombstoneMs));
  for (const collection of sagas) yield* reapSagas(db, collection, before(periods.tombstoneMs));
  yield* reapDiscards(db, before(periods.tombstoneMs));
  yield* reapReplicas(db, before(replicaMs));
  for await (const count of closeLanes() ?? []) yield { collection: 'lanes', count };
}

/**
 * Makes the reaper of a service. It works in small chunks, on the database server's time, while this replica leads; what is left where
 * it is broken off is found by the next pass. No TTL index could tell a row that was published from one that was not.
 */
export const createReaper = (options: ReaperOptions): Reaper => {
  const { db, handlers, sagas, projections, leads, everyMs, logger } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  let passedAt = performance.now();
  let endGauge: (() => void) | undefined;

  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal }).catch(() => undefined);
  const mayGoOn = (): boolean => leads() && !signal.aborted;

  const pass = async (reaped: (step: Reaped) => void): Promise<void> => {
    for await (const step of passOver(options)) {
      reaped(step);
      await pause(pauseMs());
      if (!mayGoOn()) return;
    }
    passedAt = performance.now();
  };

  const reaping = async (): Promise<void> => {
    const counter = createCounter('causeway.retention.reaped', {
      description: 'Documents that were removed since they had been kept for long enough',
      unit: '{document}',
    });
    // Replicas that start together must not begin together; a pass soon after the start finds what a long stop has left.
    for (let waitMs = everyMs / 20; !signal.aborted; waitMs = everyMs) {
      await pause(waitMs * (0.5 + Math.random()));
      try {
        if (mayGoOn()) await pass(({ collection, count }) => counter.add(count, { collection }));
        else passedAt = performance.now();
      } catch (error) {
        logger.warn({ error }, 'what has been kept for long enough was not removed; it is tried again');
      }
    }
  };

  return {
    async createIndexes() {
      await db.collection(tombstones).createIndex({ deletedAt: 1 }, undefined, undefined);
      if (handlers.length > 0)
        for (const each of [...orders, discards])
          await db.collection(each).createIndex({ updatedAt: 1 }, undefined, undefined);
      for (const each of sagas) await db.collection(each).createIndex({ endedAt: 1 }, { sparse: true }, undefined);
      for (const each of projections)
        await db.collection(each).createIndex({ deleted: 1 }, { sparse: true }, undefined);
    },
    start() {
      endGauge = createGauges(
        'causeway.retention.pass.age',
        { description: 'Since retention was last applied to all there is', unit: 's' },
        () => (leads() ? [{ value: (performance.now() - passedAt) / 1000 }] : []),
      );
      running = reaping();
    },
    async stop() {
      endGauge?.();
      stopping.abort();
      await running;
    },
  };
};
