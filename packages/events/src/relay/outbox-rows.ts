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
   * @param mostBytes - of outboxes; a single one may be larger
   * @returns the rows that there is room for, at least one, and those that are `left` to be loaded after them
   */
  load(rows: readonly PendingRow[], mostBytes: number): Promise<LoadedRows>;
  /** Every row of a collection that carries events. */
  sweep(collection: string): AsyncIterable<LoadedRow>;
  /**
   * Takes published events out of the rows of a collection. Fails rather than waits for a row that somebody's transaction holds.
   */
  pull(collection: string, rows: ReadonlyMap<string, readonly string[]>): Promise<void>;
}

/** How long a pull may wait for a lock: a user's transaction may hold a row for seconds. */
const pullMs = 500;

/** Fills up; what comes first has room, whatever its size. */
class Room {
  #left: number;
  #isEmpty = true;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  get isFull(): boolean {
    return this.#left <= 0;
  }

  takes(outbox: readonly EventEnvelope[]): boolean {
    this.#left -= BSON.calculateObjectSize({ outbox });
    if (this.#left < 0 && !this.#isEmpty) return false;
    this.#isEmpty = false;
    return true;
  }
}

/** The outboxes of one database. */
export const createOutboxRows = (db: Db): OutboxRows => {
  const rowsOf = (name: string): Collection<OutboxDocument> => db.collection<OutboxDocument>(name);
  return {
    async createIndex(collection) {
      await rowsOf(collection).createIndex({ 'outbox.id': 1 }, { sparse: true }, undefined);
    },
    async load(rows, mostBytes) {
      const room = new Room(mostBytes);
      const outboxes = new Map<PendingRow, readonly EventEnvelope[]>();
      const left: PendingRow[] = [];
      for (const row of rows) {
        if (row.outbox === undefined) continue;
        if (room.takes(row.outbox)) outboxes.set(row, row.outbox);
        else left.push(row);
      }
      const unread = Map.groupBy(
        rows.filter(({ outbox }) => outbox === undefined),
        ({ collection }) => collection,
      );
      for (const [collection, own] of unread) {
        const byId = new Map(own.map((row) => [row.id, row]));
        const found = rowsOf(collection).find({ _id: { $in: [...byId.keys()] } }, { projection: { outbox: 1 } });
        let isFull = room.isFull;
        if (!isFull) {
          for await (const { _id, outbox = [] } of found) {
            const row = byId.get(_id);
            isFull = !room.takes(outbox);
            if (isFull || row === undefined) break;
            outboxes.set(row, outbox);
          }
        }
        // Nobody knows whether those that were not read are there.
        if (isFull) left.push(...own.filter((row) => !outboxes.has(row)));
      }
      const loaded = rows.flatMap((row) => {
        const outbox = outboxes.get(row);
        return outbox === undefined ? [] : [{ collection: row.collection, id: row.id, outbox }];
      });
      return { loaded, left };
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
