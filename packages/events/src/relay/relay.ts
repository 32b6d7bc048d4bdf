import { fromSequence, type EventEnvelope } from '@causeway/contracts';
import { setImmediate as immediately, setTimeout as delay } from 'node:timers/promises';

import type { EventLog, LoggedEvent } from '../log/event-log.ts';
import type { OutboxRows } from './outbox-rows.ts';
import { PendingRows, type PendingRow } from './pending-rows.ts';
import { Published } from './published.ts';
import type { Publisher } from './publisher.ts';
import type { RelayLogger, RelayMetrics } from './relay-metrics.ts';
import type { SlotLease, SlotLeases } from './slot-leases.ts';
import { slotOf } from './slot.ts';

/** How a relay is wired. */
export interface RelayOptions {
  readonly slots: number;
  readonly leases: SlotLeases;
  readonly log: EventLog;
  readonly rows: OutboxRows;
  readonly publisher: Publisher;
  /** Every collection with outboxes, tombstones included, as of now. */
  readonly collections: () => readonly string[];
  readonly logger: RelayLogger;
  readonly metrics: RelayMetrics;
  /** How often leases are renewed; a third of their length or less. */
  readonly roundMs: number;
  /** How often each collection is swept for rows that a bell missed. */
  readonly sweepMs: number;
}

/** Takes events from outboxes to the log and to Kafka. */
export interface Relay {
  start(): Promise<void>;
  /** Says that a row may carry events; never waits, never throws. */
  ring(row: PendingRow, subject: string): void;
  /** Whether a bell about this event, which another replica may have written, is news. */
  isNews(eventId: string): boolean;
  /** Sweeps soon: bells may have been missed. */
  sweepSoon(): void;
  readonly ready: boolean;
  /** Events that wait, as far as this replica knows. */
  readonly depth: number;
  /** Publishes what it holds, for at most `boundMs`, and gives its slots back. */
  stop(boundMs: number): Promise<void>;
}

/** Events of one cycle: enough to spread the cost of its five round trips. */
const batchEvents = 500;

/** A slot that this replica leads, and what waits in it. */
interface Lane {
  /** Of the lease under which it was opened. */
  readonly epoch: number;
  readonly pending: PendingRows;
  /** In the log, not known to be in Kafka: they go before anything later of the slot. */
  unsent: LoggedEvent[];
  /** The next free position in the log; unknown after an append whose answer was lost. */
  next: number | undefined;
  /** Kafka has lost what the log holds from this position on: it is published again before anything new. */
  replayFrom: number | undefined;
  failures: number;
  busy: boolean;
  notBefore: number;
}

const backoffMs = (failures: number): number => Math.min(5_000, 100 * 2 ** failures) * (0.5 + Math.random() / 2);

/** Makes the relay of one service in this process. */
export const createRelay = (options: RelayOptions): Relay => {
  const { slots, leases, log, rows, publisher, logger, metrics } = options;
  const lanes = new Map<number, Lane>();
  const published = new Published();
  /** Which row carries an event that is on its way. */
  const carriers = new Map<string, PendingRow>();
  const stopping = new AbortController();
  let running: Promise<unknown>[] = [];
  let started = false;
  let sweepDue = 0;
  let wake: (() => void) | undefined;
  /** A bell that rings while the relay is busy must not be lost: the loop looks again before it sleeps. */
  let rung = false;

  const awaken = (): void => {
    rung = true;
    wake?.();
  };

  const ring = (row: PendingRow, subject: string): void => {
    const lane = lanes.get(slotOf(subject, slots));
    if (lane === undefined) return;
    lane.pending.add(row);
    awaken();
  };

  const sweepSoon = (): void => {
    sweepDue = 0;
    awaken();
  };

  const backOff = (slot: number, lane: Lane, error: unknown): void => {
    lane.failures += 1;
    const waitMs = backoffMs(lane.failures);
    lane.notBefore = performance.now() + waitMs;
    metrics.failed();
    if (lane.failures === 1 || lane.failures % 10 === 0) {
      logger.warn({ slot, failures: lane.failures, error }, 'publishing failed; it will be tried again');
    }
    setTimeout(awaken, waitMs).unref();
  };

  /** The events of rows that this replica has not published, by slot, and in the order of the rows. */
  const unpublished = async (taken: readonly PendingRow[]): Promise<{ slot: number; event: EventEnvelope }[]> => {
    const events: { slot: number; event: EventEnvelope }[] = [];
    for (const row of await rows.load(taken)) {
      for (const event of row.outbox) {
        if (published.has(event.id)) published.toPull(event.id, row.collection, row.id);
        else {
          carriers.set(event.id, row);
          events.push({ slot: slotOf(event.subject, slots), event });
        }
      }
    }
    return events;
  };

  /** What goes to Kafka now: all that the log holds and Kafka may not. */
  const toSend = (mine: readonly number[]): Map<number, LoggedEvent[]> => {
    const batch = new Map<number, LoggedEvent[]>();
    for (const slot of mine) {
      const lane = lanes.get(slot);
      if (lane === undefined || lane.unsent.length === 0 || !leases.holds(slot)) continue;
      batch.set(slot, lane.unsent.slice(0, batchEvents));
    }
    return batch;
  };

  const sent = (slot: number, events: readonly LoggedEvent[]): void => {
    const lane = lanes.get(slot);
    if (lane !== undefined) {
      lane.unsent.splice(0, events.length);
      lane.failures = 0;
    }
    for (const { event } of events) {
      const carrier = carriers.get(event.id);
      carriers.delete(event.id);
      if (carrier !== undefined) published.add(event.id, carrier.collection, carrier.id);
      metrics.published(Date.now() - Date.parse(event.time));
    }
  };

  /** Reads what the slots' rows hold and appends it to the log. */
  const append = async (mine: readonly number[]): Promise<void> => {
    const taken: PendingRow[] = [];
    const next = new Map<number, number>();
    const share = Math.max(10, Math.floor(batchEvents / mine.length));
    for (const slot of mine) {
      const lane = lanes.get(slot);
      // What is unsent goes first, and alone: later events wait behind it.
      if (lane === undefined || lane.unsent.length > 0) continue;
      if (lane.replayFrom !== undefined) {
        await replay(slot, lane, lane.replayFrom);
        continue;
      }
      lane.next ??= (await log.lastPosition(slot)) + 1;
      next.set(slot, lane.next);
      taken.push(...lane.pending.take(share));
    }
    const events = (await unpublished(taken)).filter(({ slot }) => next.has(slot) && leases.holds(slot));
    // Fenced meanwhile: what was taken from the queue is still in its rows.
    if (![...next.keys()].every((slot) => leases.holds(slot))) sweepDue = 0;
    if (events.length === 0) return;
    for (const slot of next.keys()) setNext(slot, undefined);
    const { bySlot, lostSlots } = await log.append(events, next);
    for (const [slot, pos] of next) setNext(slot, pos);
    for (const [slot, appended] of bySlot) lanes.get(slot)?.unsent.push(...appended);
    for (const slot of lostSlots) lose(slot);
  };

  const setNext = (slot: number, pos: number | undefined): void => {
    const lane = lanes.get(slot);
    if (lane !== undefined) lane.next = pos;
  };

  const replay = async (slot: number, lane: Lane, from: number): Promise<void> => {
    const events = await log.read(slot, from, batchEvents);
    lane.unsent.push(...events);
    const last = events.at(-1);
    lane.replayFrom = last === undefined ? undefined : last.pos + 1;
  };

  /** One cycle over some slots: read, append to the log, produce. One in flight for each slot. */
  const cycle = async (mine: readonly number[]): Promise<void> => {
    const failing = (slot: number, error: unknown): void => {
      const lane = lanes.get(slot);
      if (lane !== undefined) backOff(slot, lane, error);
    };
    try {
      await append(mine);
      const batch = toSend(mine);
      if (batch.size === 0) return;
      const { done, failed } = await publisher.send(batch);
      for (const slot of done) sent(slot, batch.get(slot) ?? []);
      for (const [slot, error] of failed) failing(slot, error);
    } catch (error) {
      // MongoDB is away: the rows still carry their events, and a sweep finds them again.
      for (const slot of mine) failing(slot, error);
      sweepDue = Math.min(sweepDue, performance.now() + 500);
    }
  };

  /** Forgets what waits in a slot: its rows still carry it, for whoever leads now. */
  const drop = (slot: number): void => {
    for (const { event } of lanes.get(slot)?.unsent ?? []) carriers.delete(event.id);
    lanes.delete(slot);
  };

  const lose = (slot: number): void => {
    drop(slot);
    leases.forget(slot);
    logger.info({ slot }, 'another replica leads this slot now');
  };

  const run = async (mine: readonly number[]): Promise<void> => {
    const own = mine.flatMap((slot) => lanes.get(slot) ?? []);
    for (const lane of own) lane.busy = true;
    await cycle(mine);
    for (const lane of own) lane.busy = false;
    // A cycle that found nothing to do must not starve timers and sockets.
    await immediately();
    awaken();
  };

  const isDue = (slot: number, lane: Lane): boolean =>
    !lane.busy &&
    leases.holds(slot) &&
    lane.notBefore <= performance.now() &&
    (lane.unsent.length > 0 || lane.pending.size > 0 || lane.replayFrom !== undefined);

  /** Starts a cycle over all healthy slots, and one for each that failed before, so that it delays nobody else. */
  const dispatch = (): void => {
    const healthy: number[] = [];
    let joint = true;
    for (const [slot, lane] of lanes) {
      if (lane.pending.takeOverflow()) sweepSoon();
      if (lane.busy && lane.failures === 0) joint = false;
      if (!isDue(slot, lane)) continue;
      if (lane.failures > 0) void run([slot]);
      else healthy.push(slot);
    }
    if (joint && healthy.length > 0) void run(healthy);
  };

  const publishing = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      rung = false;
      dispatch();
      // Set again by a bell since: look once more instead of sleeping.
      if (rung as boolean) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    }
  };

  const pullOnce = async (): Promise<void> => {
    for (const [collection, carried] of published.takeUnpulled()) {
      try {
        await rows.pull(collection, carried);
      } catch (error) {
        for (const [row, events] of carried) for (const id of events) published.toPull(id, collection, row);
        logger.debug({ collection, error }, 'a pull did not get through; it will be tried again');
        await delay(50 + Math.random() * 100);
      }
    }
  };

  const pulling = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (published.unpulled > 0) await pullOnce();
      if (published.unpulled === 0) published.trim();
      // A few milliseconds gather the pulls of several cycles; nobody waits for them.
      await delay(published.unpulled > 0 ? 0 : 10, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  const takeOver = async (taken: readonly SlotLease[]): Promise<void> => {
    const missing = await publisher.missingFrom(taken.map(({ slot }) => slot));
    for (const { slot, epoch } of taken) {
      const replayFrom = missing.get(slot);
      const next = (await log.lastPosition(slot)) + 1;
      const own = { pending: new PendingRows(), unsent: [], failures: 0, busy: false, notBefore: 0 };
      lanes.set(slot, { ...own, epoch, next, replayFrom });
      if (replayFrom !== undefined) {
        logger.error({ slot, replayFrom }, 'Kafka has lost events of this slot; they are published again');
      }
      logger.debug({ slot, epoch, next }, 'leading this slot');
    }
    if (taken.length > 0) sweepDue = 0;
  };

  const sweep = async (): Promise<void> => {
    sweepDue = performance.now() + options.sweepMs * (0.75 + Math.random() / 2);
    for (const collection of options.collections()) {
      for await (const row of rows.sweep(collection)) {
        const first = row.outbox[0];
        if (first !== undefined) ring({ ...row, outbox: [...row.outbox].sort(byRevision) }, first.subject);
        if (stopping.signal.aborted) return;
      }
    }
  };

  /** Brings the lanes in line with the leases, whatever became of the round that moved them. */
  const reconcile = async (): Promise<void> => {
    for (const [slot, { epoch }] of lanes) {
      const lease = leases.held.get(slot);
      if (lease === undefined) drop(slot);
      else if (lease.epoch !== epoch) lose(slot);
    }
    const taken = [...leases.held.values()].filter(({ slot }) => !lanes.has(slot));
    if (taken.length > 0) await takeOver(taken);
    // A renewal may have lifted a fence.
    awaken();
  };

  const round = async (): Promise<void> => {
    try {
      await leases.round();
    } finally {
      await reconcile();
    }
  };

  const keeping = async (): Promise<void> => {
    let roundDue = performance.now() + options.roundMs;
    while (!stopping.signal.aborted) {
      try {
        if (performance.now() >= roundDue) {
          roundDue = performance.now() + options.roundMs;
          await round();
        }
        if (performance.now() >= sweepDue) await sweep();
      } catch (error) {
        logger.warn({ error }, 'the relay could not reach MongoDB or Kafka; it will try again');
        // A sweep that broke off has seen only some of the rows.
        sweepDue = 0;
        await delay(200 + Math.random() * 300);
      }
      const pause = Math.max(20, Math.min(roundDue, sweepDue, performance.now() + 250) - performance.now());
      await delay(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  const depth = (): number => {
    let count = 0;
    for (const lane of lanes.values()) count += lane.pending.size + lane.unsent.length;
    return count;
  };

  return {
    ring,
    sweepSoon,
    isNews: (eventId) => !published.has(eventId) && !carriers.has(eventId),
    get ready() {
      return started;
    },
    get depth() {
      return depth();
    },
    async start() {
      await round();
      running = [publishing(), pulling(), keeping()];
      started = true;
    },
    async stop(boundMs) {
      started = false;
      const deadline = performance.now() + boundMs;
      const idle = (): boolean =>
        depth() === 0 && published.unpulled === 0 && ![...lanes.values()].some(({ busy }) => busy);
      while (!idle() && performance.now() < deadline) await delay(5);
      stopping.abort();
      awaken();
      await Promise.allSettled(running);
      await leases.release().catch((error: unknown) => {
        logger.debug({ error }, 'leases were not given back; they end by themselves');
      });
      await publisher.close();
    },
  };
};

const byRevision = (a: EventEnvelope, b: EventEnvelope): number => fromSequence(a.sequence) - fromSequence(b.sequence);
