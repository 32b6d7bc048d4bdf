/** So many published events are remembered by id after they were pulled; a forgotten one can only be published twice. */
const remembered = 50_000;

/** What this replica has published. One that a row still carries is never forgotten, so that it is not published again. */
export class Published {
  /** Oldest first. */
  readonly #ids = new Set<string>();
  readonly #unpulled = new Map<string, Map<string, Set<string>>>();
  /** Events that rows still carry. */
  readonly #carried = new Set<string>();

  /** Whether an event was published by this replica, as far as it remembers. */
  has(eventId: string): boolean {
    return this.#carried.has(eventId) || this.#ids.has(eventId);
  }

  /** Remembers a published event. */
  add(eventId: string): void {
    this.#ids.add(eventId);
    for (const oldest of this.#ids) {
      if (this.#ids.size <= remembered) return;
      this.#ids.delete(oldest);
    }
  }

  /** Notes that a row still carries a published event. */
  toPull(eventId: string, collection: string, row: string): void {
    this.#carried.add(eventId);
    const rows = this.#unpulled.get(collection) ?? new Map<string, Set<string>>();
    this.#unpulled.set(collection, rows);
    const events = rows.get(row);
    if (events === undefined) rows.set(row, new Set([eventId]));
    else events.add(eventId);
  }

  /** Takes up to `count` rows of each collection, those that wait longest; then say {@link pulled}, or {@link toPull} again. */
  takeUnpulled(count: number): Map<string, Map<string, string[]>> {
    const taken = new Map<string, Map<string, string[]>>();
    for (const [collection, rows] of this.#unpulled) {
      const chunk = new Map<string, string[]>();
      for (const [row, events] of rows) {
        if (chunk.size >= count) break;
        chunk.set(row, [...events]);
        rows.delete(row);
      }
      if (rows.size === 0) this.#unpulled.delete(collection);
      taken.set(collection, chunk);
    }
    return taken;
  }

  /** No row carries these events any more. */
  pulled(events: Iterable<string>): void {
    for (const id of events) this.#carried.delete(id);
  }

  /** Whether rows wait for a pull. */
  get hasUnpulled(): boolean {
    return this.#unpulled.size > 0;
  }
}
