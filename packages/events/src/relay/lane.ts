import type { LoggedEvent } from '../log/event-log.ts';
import { PendingRows } from './pending-rows.ts';

/** A slot that this replica leads under one lease, and what waits in it. Another lease is another lane. */
export interface Lane {
  readonly slot: number;
  /** Of the lease under which it was opened. */
  readonly epoch: number;
  readonly pending: PendingRows;
  /** In the log, not known to be in Kafka: they go before anything later of the slot. */
  unsent: LoggedEvent[];
  /** The next free position in the log; unknown after an append whose answer was lost. */
  next: number | undefined;
  /** Everything in the log up to here is in Kafka. */
  sentPos: number;
  /** Kafka may lack what the log holds from this position on: it is published, again, before anything new. */
  replayFrom: number | undefined;
  failures: number;
  busy: boolean;
  /** On `performance.now()`. */
  notBefore: number;
}

/**
 * What of outboxes a process holds that wait, and as much that is on its way to the log and to Kafka: each slot has its share of it, so that one that
 * stands still takes nothing from the others, and in each its oldest row is held beside that, whatever its size.
 */
const outboxBytes = 32 * 1024 * 1024;

/** The share that each of so many slots has of it, in bytes. */
export const laneBytesOf = (slots: number): number => Math.floor(outboxBytes / slots);

/**
 * Opens a lane.
 *
 * @param mostBytes - of outboxes that wait in it beside their names
 */
export const openLane = (slot: number, epoch: number, sentPos: number, next: number, mostBytes: number): Lane => ({
  slot,
  epoch,
  pending: new PendingRows(mostBytes),
  unsent: [],
  next,
  sentPos,
  replayFrom: sentPos + 1 < next ? sentPos + 1 : undefined,
  failures: 0,
  busy: false,
  notBefore: 0,
});

/** Whether a lane has something to do now. */
export const isDue = (lane: Lane): boolean =>
  !lane.busy &&
  lane.notBefore <= performance.now() &&
  (lane.unsent.length > 0 || lane.pending.size > 0 || lane.replayFrom !== undefined);

/** How long a lane waits after so many failures in a row. */
export const backoffMs = (failures: number): number => Math.min(5_000, 100 * 2 ** failures) * (0.5 + Math.random() / 2);
