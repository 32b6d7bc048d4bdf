/** So many published events are remembered by id after they were pulled; a forgotten one can only be published twice. */
const remembered = 50_000;

/** What this replica has published: never forgotten before it is pulled, so that it is not published again meanwhile. */
export class Published {
  readonly #ids = new Set<string>();
  readonly #unpulled = new Map<string, Map<string, Set<string>>>();

  /** Whether an event was published by this replica, as far as it remembers. */
  has(eventId: string): boolean {
    return this.#ids.has(eventId);
  }

  /** Remembers a published event, and the row that still carries it. */
  add(eventId: string, collection: string, row: string): void {
    this.#ids.add(eventId);
    this.toPull(eventId, collection, row);
  }

  /** Notes that a row still carries a published event. */
  toPull(eventId: string, collection: string, row: string): void {
    const rows = this.#unpulled.get(collection) ?? new Map<string, Set<string>>();
    this.#unpulled.set(collection, rows);
    const events = rows.get(row);
    if (events === undefined) rows.set(row, new Set([eventId]));
    else events.add(eventId);
  }

  /** Takes what is to be pulled; give it back with {@link toPull} where pulling failed. */
  takeUnpulled(): Map<string, Map<string, string[]>> {
    const taken = new Map<string, Map<string, string[]>>();
    for (const [collection, rows] of this.#unpulled) {
      taken.set(collection, new Map([...rows].map(([row, events]) => [row, [...events]])));
    }
    this.#unpulled.clear();
    return taken;
  }

  /** How many rows wait for a pull. */
  get unpulled(): number {
    let count = 0;
    for (const rows of this.#unpulled.values()) count += rows.size;
    return count;
  }

  /** Forgets the oldest events beyond the bound. Call it only while nothing waits to be pulled. */
  trim(): void {
    for (const id of this.#ids) {
      if (this.#ids.size <= remembered) return;
      this.#ids.delete(id);
    }
  }
}
