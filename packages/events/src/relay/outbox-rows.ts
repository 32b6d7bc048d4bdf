import type { EventEnvelope } from '@causeway/contracts';
import { BSON } from 'mongodb';
import type { Collection, Db } from 'mongodb';

import type { PendingRow } from './pending-rows.ts';

interface OutboxDocument {
  readonly _id: string;
  readonly outbox?: readonly EventEnvelope[];
}

/** A row with what its outbox holds now. */
export interface LoadedRow extends PendingRow {
  readonly outbox: readonly EventEnvelope[];
}

/** What was loaded. */
export interface LoadedRows {
  readonly loaded: readonly LoadedRow[];
  readonly left: readonly PendingRow[];
}

/** Published events by the rows that still carry them. */
export type PublishedRows = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Reads and empties outboxes, in any collection of a service's database. */
export interface OutboxRows {
  /** The sparse index that finds rows with events. */
  createIndex(collection: string): Promise<void>;
  /**
   * Reads the outboxes of rows, keeping their order; a row that is gone is left out: its tombstone carries its events.
   *
   * @param queues - rows, the oldest of each queue first
   * @param queueBytes - of the outboxes of one queue; its oldest row has room beside that, whatever its size
   * @returns the rows that there is room for, and those that are `left` to be loaded after them, both queue by queue
   */
  load(queues: readonly (readonly PendingRow[])[], queueBytes: number): Promise<LoadedRows>;
  /** Every row of a collection that carries events. */
  sweep(collection: string): AsyncIterable<LoadedRow>;
  /**
   * Takes published events out of the rows of a collection. Fails rather than waits for a row that somebody's transaction holds.
   */
  pull(collection: string, rows: ReadonlyMap<string, readonly string[]>): Promise<void>;
}

/** How long a pull may wait for a lock: a user's transaction may hold a row for seconds. */
const pullMs = 500;

/** What one queue may have loaded, besides its oldest row: from the first that does not fit it takes no more. */
class Room {
  readonly #oldest: PendingRow | undefined;
  #left: number;
  #hasOldest = false;

  constructor(bytes: number, oldest: PendingRow | undefined) {
    this.#left = bytes;
    this.#oldest = oldest;
  }

  /** Whether nothing more has room. */
  get isFull(): boolean {
    return this.#left <= 0 && this.#hasOldest;
  }

  mayTake(row: PendingRow): boolean {
    return this.#left > 0 || row === this.#oldest;
  }

  takes(row: PendingRow, outbox: readonly EventEnvelope[]): boolean {
    if (row === this.#oldest) {
      this.#hasOldest = true;
      return true;
    }
    const bytes = BSON.calculateObjectSize({ outbox });
    const fits = bytes <= this.#left;
    this.#left = fits ? this.#left - bytes : 0;
    return fits;
  }
}

/** The outboxes of one database. */
export const createOutboxRows = (db: Db): OutboxRows => {
  const rowsOf = (name: string): Collection<OutboxDocument> => db.collection<OutboxDocument>(name);
  return {
    async createIndex(collection) {
      await rowsOf(collection).createIndex({ 'outbox.id': 1 }, { sparse: true }, undefined);
    },
    async load(queues, queueBytes) {
      const rooms = new Map<PendingRow, Room>();
      for (const queue of queues) {
        const room = new Room(queueBytes, queue[0]);
        for (const row of queue) rooms.set(row, room);
      }
      const outboxes = new Map<PendingRow, readonly EventEnvelope[]>();
      const left = new Set<PendingRow>();
      const take = (row: PendingRow, outbox: readonly EventEnvelope[]): void => {
        if (rooms.get(row)?.takes(row, outbox) === true) outboxes.set(row, outbox);
        else left.add(row);
      };
      const rows = queues.flat();
      for (const row of rows) if (row.outbox !== undefined) take(row, row.outbox);
      const unread = Map.groupBy(
        rows.filter(({ outbox }) => outbox === undefined),
        ({ collection }) => collection,
      );
      for (const [collection, all] of unread) {
        const own = all.filter((row) => {
          if (rooms.get(row)?.mayTake(row) === true) return true;
          left.add(row);
          return false;
        });
        if (own.length === 0) continue;
        // One that carries events of several queues waits in each of them.
        const waiting = Map.groupBy(own, ({ id }) => id);
        const concerned = [...new Set(own.flatMap((row) => rooms.get(row) ?? []))];
        const found = rowsOf(collection).find({ _id: { $in: [...waiting.keys()] } }, { projection: { outbox: 1 } });
        for await (const { _id, outbox = [] } of found) {
          for (const row of waiting.get(_id) ?? []) take(row, outbox);
          waiting.delete(_id);
          if (!concerned.every(({ isFull }) => isFull)) continue;
          // Nobody knows whether those that were not read are there.
          for (const unseen of [...waiting.values()].flat()) left.add(unseen);
          break;
        }
      }
      const loaded = rows.flatMap((row) => {
        const outbox = outboxes.get(row);
        return outbox === undefined ? [] : [{ collection: row.collection, id: row.id, outbox }];
      });
      return { loaded, left: rows.filter((row) => left.has(row)) };
    },
    async *sweep(collection) {
      const carrying = rowsOf(collection).find(
        { 'outbox.id': { $exists: true } },
        { projection: { outbox: 1 }, batchSize: 200 },
      );
      for await (const { _id, outbox } of carrying) yield { collection, id: _id, outbox: outbox ?? [] };
    },
    async pull(collection, rows) {
      const events = [...rows.values()].flat();
      // Not at majority: a pull that a failover undoes is done again, since the sweep finds the row.
      await rowsOf(collection).updateMany(
        { _id: { $in: [...rows.keys()] } },
        { $pull: { outbox: { id: { $in: events } } } },
        { writeConcern: { w: 1 }, maxTimeMS: pullMs, bypassDocumentValidation: true },
      );
    },
  };
};
