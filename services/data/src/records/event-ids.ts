/** An answer names so many events; of more, none. */
const maxEventIds = 10;

/** Ids of the events that a call has recorded, as long as they are few. */
export class EventIds {
  readonly #ids: string[] = [];

  add(id: string): void {
    if (this.#ids.length <= maxEventIds) this.#ids.push(id);
  }

  /** In the order in which they were recorded; none where they are too many to be named. */
  get named(): readonly string[] {
    return this.#ids.length > maxEventIds ? [] : this.#ids;
  }
}

/** `Causeway-Event` of a call that may have recorded several events, none, or more than are named. */
export const eventHeader = (ids: readonly string[]): string | undefined =>
  ids.length === 0 ? undefined : ids.join(', ');
