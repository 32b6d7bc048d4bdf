import type { EventEnvelope } from '@causeway/contracts';

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

/** The rows of one slot, first come, first served. A row that is rung while it waits keeps its place. */
export class PendingRows {
  readonly #rows = new Map<string, PendingRow>();
  #overflowed = false;

  /** How many rows wait. */
  get size(): number {
    return this.#rows.size;
  }

  /** Adds a row. Of two outboxes the one that reaches further holds all that still matters of the other. */
  add(row: PendingRow): void {
    const key = `${row.collection}\n${row.id}`;
    const there = this.#rows.get(key);
    if (there === undefined && this.#rows.size >= rowLimit) {
      this.#overflowed = true;
      return;
    }
    const name = { collection: row.collection, id: row.id };
    if (there === undefined) this.#rows.set(key, this.#rows.size < outboxLimit ? row : name);
    // The stream tells of what has rung here before.
    else if (row.sequence !== undefined && there.outbox !== undefined && row.sequence <= reach(there.outbox)) return;
    // A row that is to be read must be: a bell's outbox may be older than what another replica wrote.
    else if (there.outbox === undefined || row.outbox === undefined) this.#rows.set(key, name);
    else if (reach(row.outbox) > reach(there.outbox)) this.#rows.set(key, row);
  }

  /** Takes up to `count` rows, oldest first. */
  take(count: number): PendingRow[] {
    const taken: PendingRow[] = [];
    for (const [key, row] of this.#rows) {
      if (taken.length >= count) break;
      taken.push(row);
      this.#rows.delete(key);
    }
    return taken;
  }

  /** Whether rows were turned away since the last call, now that there is room again. */
  takeOverflow(): boolean {
    if (!this.#overflowed || this.#rows.size > rowLimit / 2) return false;
    this.#overflowed = false;
    return true;
  }
}
