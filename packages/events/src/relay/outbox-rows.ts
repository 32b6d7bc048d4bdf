import type { EventEnvelope } from '@causeway/contracts';
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

/** Published events by the rows that still carry them. */
export type PublishedRows = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Reads and empties outboxes, in any collection of a service's database. */
export interface OutboxRows {
  /** The sparse index that finds rows with events. */
  createIndex(collection: string): Promise<void>;
  /** Reads the outboxes of rows, keeping their order; a row that is gone is left out: its tombstone carries its events. */
  load(rows: readonly PendingRow[]): Promise<LoadedRow[]>;
  /** Every row of a collection that carries events. */
  sweep(collection: string): AsyncIterable<LoadedRow>;
  /**
   * Takes published events out of the rows of a collection. Fails rather than waits for a row that somebody's transaction holds.
   */
  pull(collection: string, rows: ReadonlyMap<string, readonly string[]>): Promise<void>;
}

/** How long a pull may wait for a lock: a user's transaction may hold a row for seconds. */
const pullMs = 500;

/** The outboxes of one database. */
export const createOutboxRows = (db: Db): OutboxRows => {
  const rowsOf = (name: string): Collection<OutboxDocument> => db.collection<OutboxDocument>(name);
  return {
    async createIndex(collection) {
      await rowsOf(collection).createIndex({ 'outbox.id': 1 }, { sparse: true }, undefined);
    },
    async load(rows) {
      const unread = new Map<string, string[]>();
      for (const { collection, id, outbox } of rows) {
        if (outbox !== undefined) continue;
        const ids = unread.get(collection);
        if (ids === undefined) unread.set(collection, [id]);
        else ids.push(id);
      }
      const found = new Map<string, readonly EventEnvelope[]>();
      for (const [collection, ids] of unread) {
        const documents = rowsOf(collection).find({ _id: { $in: ids } }, { projection: { outbox: 1 } });
        for await (const { _id, outbox } of documents) found.set(`${collection}\n${_id}`, outbox ?? []);
      }
      return rows.flatMap((row) => {
        const outbox = row.outbox ?? found.get(`${row.collection}\n${row.id}`);
        return outbox === undefined ? [] : [{ collection: row.collection, id: row.id, outbox }];
      });
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
