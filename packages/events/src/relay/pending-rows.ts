import type { EventEnvelope } from '@causeway/contracts';
import { BSON } from 'mongodb';

/** A row that may carry unpublished events. Without `outbox` it has to be read first. */
export interface PendingRow {
  readonly collection: string;
  readonly id: string;
  readonly outbox?: readonly EventEnvelope[];
  /** Without `outbox`: that of the event which the row is known to carry. */
  readonly sequence?: string;
}

/** Rows beyond this wait in MongoDB alone: a sweep finds them again. */
const rowLimit = 10_000;

/** Rows beyond this are kept by name only, so that a long outage of Kafka does not fill memory with events. */
const outboxLimit = 1_000;

const reach = (outbox: readonly EventEnvelope[]): string => outbox.at(-1)?.sequence ?? '';

interface KeptRow {
  readonly row: PendingRow;
  /** Of its outbox; 0 where only its name is kept. */
  readonly bytes: number;
}

/** The rows of one slot, first come, first served. A row that is rung while it waits keeps its place. */
export class PendingRows {
  readonly #rows = new Map<string, KeptRow>();
  readonly #mostBytes: number;
  #bytes = 0;
  #overflowed = false;

  /** @param mostBytes - of outboxes that are kept beside their names, whatever clients have put into them; one may be larger */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** How many rows wait. */
  get size(): number {
    return this.#rows.size;
  }

  /** What the outboxes hold that are kept, in bytes of BSON. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a row. Of two outboxes the one that reaches further holds all that still matters of the other. */
  add(row: PendingRow): void {
    const key = `${row.collection}\n${row.id}`;
    const there = this.#rows.get(key)?.row;
    if (there === undefined && this.#rows.size >= rowLimit) {
      this.#overflowed = true;
      return;
    }
    const name = { collection: row.collection, id: row.id };
    if (there === undefined) this.#keep(key, this.#rows.size < outboxLimit ? row : name);
    // The stream tells of what has rung here before.
    else if (row.sequence !== undefined && there.outbox !== undefined && row.sequence <= reach(there.outbox)) return;
    // A row that is to be read must be: a bell's outbox may be older than what another replica wrote.
    else if (there.outbox === undefined || row.outbox === undefined) this.#keep(key, name);
    else if (reach(row.outbox) > reach(there.outbox)) this.#keep(key, row);
  }

  #keep(key: string, row: PendingRow): void {
    this.#bytes -= this.#rows.get(key)?.bytes ?? 0;
    const bytes = row.outbox === undefined ? 0 : BSON.calculateObjectSize({ outbox: row.outbox });
    const hasRoom = this.#bytes === 0 || this.#bytes + bytes <= this.#mostBytes;
    const kept = hasRoom ? { row, bytes } : { row: { collection: row.collection, id: row.id }, bytes: 0 };
    this.#bytes += kept.bytes;
    this.#rows.set(key, kept);
  }

  /** Takes up to `count` rows, oldest first. */
  take(count: number): PendingRow[] {
    const taken: PendingRow[] = [];
    for (const [key, { row, bytes }] of this.#rows) {
      if (taken.length >= count) break;
      taken.push(row);
      this.#rows.delete(key);
      this.#bytes -= bytes;
    }
    return taken;
  }

  /** Puts rows back that were taken, by name: they come before all others, in their order. */
  putBack(rows: readonly PendingRow[]): void {
    if (rows.length === 0) return;
    const others = [...this.#rows];
    this.#rows.clear();
    for (const { collection, id } of rows)
      this.#rows.set(`${collection}\n${id}`, { row: { collection, id }, bytes: 0 });
    for (const [key, kept] of others) {
      // It has been rung meanwhile, and is read anew in its old place.
      if (this.#rows.has(key)) this.#bytes -= kept.bytes;
      else this.#rows.set(key, kept);
    }
  }

  /** Whether rows were turned away since the last call, now that there is room again. */
  takeOverflow(): boolean {
    if (!this.#overflowed || this.#rows.size > rowLimit / 2) return false;
    this.#overflowed = false;
    return true;
  }
}
