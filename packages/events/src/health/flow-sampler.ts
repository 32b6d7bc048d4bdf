import type { Db } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';

import type { RelayLogger } from '../relay/relay-metrics.ts';
import { tombstones } from '../recording/recorded-document.ts';
import { rebuilds } from '../rebuild/rebuild.model.ts';
import { discards, redrives } from '../redrive/redrive.model.ts';
import { replays } from '../replay/replay.model.ts';
import { timers } from '../timers/timer.model.ts';

/** What waits and what has piled up in a service's database, at one moment. */
export interface FlowSample {
  /** On `performance.now()`. */
  readonly at: number;
  /** Events in outboxes; no more are counted than {@link mostRows} rows hold. */
  readonly unpublished: number;
  /** Age of the oldest of them; 0 where there is none. */
  readonly oldestMs: number;
  /** Parked events by handler. */
  readonly parked: ReadonlyMap<string, number>;
  /** Parked subjects by handler. */
  readonly lanes: ReadonlyMap<string, number>;
  readonly sizes: ReadonlyMap<string, CollectionSize>;
}

/** How large a collection is. */
export interface CollectionSize {
  readonly documents: number;
  /** Uncompressed, without indexes. */
  readonly bytes: number;
}

/** How {@link startFlowSampler} is wired. */
export interface FlowSamplerOptions {
  readonly db: Db;
  /** Every collection with outboxes, tombstones included, as of now. */
  readonly collections: () => readonly string[];
  /** Collections of the service's sagas. */
  readonly sagas: readonly string[];
  /** Whether this replica counts: exactly one does, so that the sum over the replicas is right. */
  readonly leads: () => boolean;
  readonly everyMs: number;
  readonly logger: Pick<RelayLogger, 'debug'>;
}

/** Counts what waits, now and then. */
export interface FlowSampler {
  /** The last sample; none where another replica counts, or where it is too old to be told. */
  readonly sample: FlowSample | undefined;
  stop(): Promise<void>;
}

/** Rows that are looked at to count what is unpublished: past that, more is only worse. */
export const mostRows = 10_000;

/** Parked events and lanes that are counted. */
const mostParked = 100_000;

/** One count may cost so much; then it is left out until the next time. */
const countMs = 2_000;

/** Collections whose growth retention bounds, beside those of sagas. */
const measured = [
  'events',
  'handled',
  'idempotency',
  tombstones,
  timers,
  redrives,
  replays,
  rebuilds,
  discards,
] as const;

interface OutboxCount {
  readonly rows: number;
  readonly events: number;
}

const countOutbox = async (db: Db, collection: string, room: number): Promise<OutboxCount> => {
  const counted = db
    .collection(collection)
    .aggregate<OutboxCount>(
      [
        { $match: { 'outbox.id': { $exists: true } } },
        { $limit: room },
        { $group: { _id: null, rows: { $sum: 1 }, events: { $sum: { $size: '$outbox' } } } },
      ],
      { maxTimeMS: countMs },
    );
  return (await counted.next()) ?? { rows: 0, events: 0 };
};

/** The time of the oldest event that a collection still carries: ids rise with time, so that the index leads to it. */
const oldestOf = async (db: Db, collection: string): Promise<number | undefined> => {
  const [row] = await db
    .collection<{ outbox: { id: string; time: string }[] }>(collection)
    .find({ 'outbox.id': { $exists: true } }, { projection: { 'outbox.id': 1, 'outbox.time': 1 }, maxTimeMS: countMs })
    .sort({ 'outbox.id': 1 })
    .limit(1)
    .toArray();
  const times = row?.outbox.map(({ time }) => Date.parse(time)) ?? [];
  return times.length === 0 ? undefined : Math.min(...times);
};

const byHandler = async (db: Db, collection: string, match: object): Promise<Map<string, number>> => {
  const counted = db
    .collection(collection)
    .aggregate<{ _id: string; count: number }>(
      [
        { $match: match },
        { $limit: mostParked },
        { $project: { _id: 0, handler: '$_id.handler' } },
        { $group: { _id: '$handler', count: { $sum: 1 } } },
      ],
      { maxTimeMS: countMs },
    );
  return new Map((await counted.toArray()).map(({ _id, count }) => [_id, count]));
};

const sizeOf = async (db: Db, collection: string): Promise<CollectionSize> => {
  const [stats] = await db
    .collection(collection)
    .aggregate<{ storageStats: { count: number; size: number } }>(
      [{ $collStats: { storageStats: {} } }, { $project: { 'storageStats.count': 1, 'storageStats.size': 1 } }],
      // Statistics are not data: there is no majority of them.
      { maxTimeMS: countMs, readConcern: { level: 'local' } },
    )
    .toArray();
  return { documents: stats?.storageStats.count ?? 0, bytes: stats?.storageStats.size ?? 0 };
};

const sizesOf = async (db: Db, sagas: readonly string[]): Promise<Map<string, CollectionSize>> => {
  const there = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
  const sizes = new Map<string, CollectionSize>();
  for (const name of [...measured, ...sagas]) if (there.has(name)) sizes.set(name, await sizeOf(db, name));
  return sizes;
};

/** Counts once. */
export const sampleFlow = async (
  db: Db,
  collections: readonly string[],
  sagas: readonly string[],
): Promise<FlowSample> => {
  let room = mostRows;
  let unpublished = 0;
  let oldest: number | undefined;
  for (const collection of collections) {
    const time = await oldestOf(db, collection);
    if (time === undefined) continue;
    oldest = Math.min(oldest ?? Infinity, time);
    if (room <= 0) continue;
    const { rows, events } = await countOutbox(db, collection, room);
    room -= rows;
    unpublished += events;
  }
  return {
    unpublished,
    oldestMs: oldest === undefined ? 0 : Math.max(0, Date.now() - oldest),
    parked: await byHandler(db, 'handled', { status: 'parked' }),
    lanes: await byHandler(db, 'lanes', {}),
    sizes: await sizesOf(db, sagas),
    at: performance.now(),
  };
};

/** Starts counting. */
export const startFlowSampler = (options: FlowSamplerOptions): FlowSampler => {
  const { db, collections, sagas, leads, everyMs, logger } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let last: FlowSample | undefined;

  const sampling = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        if (leads()) last = await sampleFlow(db, collections(), sagas);
      } catch (error) {
        logger.debug({ error }, 'what waits could not be counted; it is tried again');
      }
      await delay(everyMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  };
  const running = sampling();

  return {
    get sample() {
      return leads() && last !== undefined && performance.now() - last.at < 4 * everyMs ? last : undefined;
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
};
