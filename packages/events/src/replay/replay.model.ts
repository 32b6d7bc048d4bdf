import type { Order } from '../operations/leased-work.ts';

/** The name of the collection of {@link ReplayDocument}s. */
export const replays = 'replays';

/** A part of a producer's log: positions of a slot, both inclusive. */
export interface ReplayPlace {
  readonly topic: string;
  readonly slot: number;
  readonly from: number;
  readonly to: number;
}

/** What has come of a replay so far. All but `seen` count an event once for each handler that takes it. */
export interface ReplayTally {
  /** Events that were looked at, whoever takes them. */
  seen: number;
  /** They have had their effect now. */
  done: number;
  /** They had had it before, or wait in the parking lot. */
  skipped: number;
  /** They are older than the inbox, so nobody knows whether they have had it; they were not run. */
  tooOld: number;
  /** They are parked now. */
  failed: number;
}

/** How far a replay is. */
export interface ReplayProgress extends ReplayTally {
  /** The place that is read, by its index. */
  place: number;
  /** The next position there; 0 before its beginning. */
  pos: number;
}

/** An administrator's wish that handlers go through past events again, and what came of it. */
export interface ReplayDocument extends Order, Readonly<ReplayTally> {
  /** No two replays of one handler run side by side. */
  readonly handlers: readonly string[];
  readonly since: Date;
  /** Whether handlers that reach outside take part. */
  readonly external: boolean;
  /** An administrator has had it stopped: whoever is at work on it ends it at the next event. */
  readonly stopped?: true;
  /** Deliveries in a second, at most. */
  readonly ratePerSecond: number;
  /** What is read: up to where the group had got when it was asked for. */
  readonly places: readonly ReplayPlace[];
}
