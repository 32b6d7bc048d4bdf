import type { EventEnvelope } from '@causeway/contracts';

/** A row of the log. */
export interface LoggedEvent {
  /** The event's id. */
  readonly _id: string;
  readonly slot: number;
  /** Dense within the slot: 1, 2, 3, … */
  readonly pos: number;
  /** When it was logged, by the database's clock, in whole seconds: see `log-clock.ts`. */
  readonly at: Date;
  readonly event: EventEnvelope;
}
