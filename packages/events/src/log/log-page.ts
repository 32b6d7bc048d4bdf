import type { LoggedEvent } from './logged-event.ts';

/** How much one read takes: it ends before the event that would be too much, and never before the first. */
export interface LogRoom {
  readonly events: number;
  /** Of the events as JSON. {@link pageBytes} where nothing is said, and at most. */
  readonly bytes?: number;
}

/** A part of the log. */
export interface LogPage {
  readonly rows: readonly LoggedEvent[];
  /** Whether there is more than had room. */
  readonly more: boolean;
}

/** Whoever reads holds a page as a whole, as rows and as JSON: however many events it may have, it has no more bytes. */
export const pageBytes = 4 * 1024 * 1024;

/** A page as it fills. */
export class Page {
  readonly rows: LoggedEvent[] = [];
  #events: number;
  #bytes: number;

  constructor({ events, bytes = pageBytes }: LogRoom) {
    this.#events = events;
    this.#bytes = Math.min(bytes, pageBytes);
  }

  /** What a query may give: what there is room for, and one that tells that there is more. */
  get most(): number {
    return this.#events + 1;
  }

  /** @returns whether the page is full, and something is left over */
  async fill(found: AsyncIterable<LoggedEvent>): Promise<boolean> {
    for await (const row of found) {
      const sizeBytes = Buffer.byteLength(JSON.stringify(row.event));
      if (this.#events === 0 || (this.rows.length > 0 && sizeBytes > this.#bytes)) return true;
      this.rows.push(row);
      this.#events -= 1;
      this.#bytes -= sizeBytes;
    }
    return false;
  }
}
