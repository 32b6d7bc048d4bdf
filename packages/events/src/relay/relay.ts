import { setImmediate as immediately, setTimeout as delay } from 'node:timers/promises';

import type { Failpoint } from '../failpoint.ts';
import { bySequence, type EventLog } from '../log/event-log.ts';
import { backoffMs, isDue, laneBytesOf, openLane, type Lane } from './lane.ts';
import type { OutboxRows } from './outbox-rows.ts';
import type { PendingRow } from './pending-rows.ts';
import { createPublishCycle } from './publish-cycle.ts';
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
  readonly failpoint?: Failpoint | undefined;
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
  /** Publishes what it holds, for at most `boundMs`, and gives its slots back. */
  stop(boundMs: number): Promise<void>;
}

/** Rows of one pull: a few milliseconds, far below the time that a pull may take. */
const pullRows = 500;

/** Makes the relay of one service in this process. */
export const createRelay = (options: RelayOptions): Relay => {
  const { slots, leases, log, rows, publisher, logger, metrics, failpoint } = options;
  const laneBytes = laneBytesOf(slots);
  const lanes = new Map<number, Lane>();
  const published = new Published();
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

  const leads = (lane: Lane): boolean => lanes.get(lane.slot) === lane && leases.holds(lane.slot);

  const fail = (lane: Lane, error: unknown): void => {
    lane.failures += 1;
    const waitMs = backoffMs(lane.failures);
    lane.notBefore = performance.now() + waitMs;
    metrics.failed();
    if (lane.failures === 1 || lane.failures % 10 === 0) {
      const { slot, failures } = lane;
      logger.warn({ slot, failures, error }, 'publishing failed; it will be tried again');
    }
    // A timer may fire a millisecond early; the lane must be due by then.
    setTimeout(awaken, Math.ceil(waitMs) + 2).unref();
  };

  /** Forgets what waits in a slot: its rows still carry it, for whoever leads now. */
  const drop = (slot: number): void => {
    lanes.delete(slot);
    cycle.forget(slot);
  };

  const lose = (lane: Lane): void => {
    if (lanes.get(lane.slot) !== lane) return;
    drop(lane.slot);
    leases.forget(lane.slot);
    logger.info({ slot: lane.slot }, 'another replica leads this slot now');
  };

  const cycle = createPublishCycle({
    ...{ slots, laneBytes, log, rows, publisher, published, metrics, failpoint },
    ...{ leads, lose, fail, sweepSoon },
  });

  const run = async (own: readonly Lane[]): Promise<void> => {
    const replaying = own.filter(({ replayFrom }) => replayFrom !== undefined);
    for (const lane of own) lane.busy = true;
    await cycle.run(own);
    for (const lane of own) lane.busy = false;
    for (const lane of replaying) {
      if (lane.replayFrom === undefined && lane.unsent.length === 0) void restored(lane);
    }
    // A cycle that found nothing to do must not starve timers and sockets.
    await immediately();
    awaken();
  };

  const restored = async ({ slot }: Lane): Promise<void> => {
    // Said again at the next takeover if it does not get through: then something is published twice.
    await publisher.restored(slot).catch(() => undefined);
  };

  /** Starts a cycle over all healthy slots, and one for each that failed before, so that it delays nobody else. */
  const dispatch = (): void => {
    const healthy: Lane[] = [];
    let joint = true;
    for (const lane of lanes.values()) {
      if (lane.pending.takeOverflow()) sweepDue = 0;
      if (lane.busy && lane.failures === 0) joint = false;
      if (!isDue(lane) || !leads(lane)) continue;
      if (lane.failures > 0) void run([lane]);
      else healthy.push(lane);
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
    for (const [collection, carried] of published.takeUnpulled(pullRows)) {
      try {
        await rows.pull(collection, carried);
        published.pulled([...carried.values()].flat());
      } catch (error) {
        // Behind all others: a row that somebody holds must not hold up the rest.
        for (const [row, events] of carried) for (const id of events) published.toPull(id, collection, row);
        metrics.pullFailed();
        logger.debug({ collection, error }, 'a pull did not get through; it will be tried again');
        await delay(50 + Math.random() * 100);
      }
    }
  };

  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  const pulling = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (published.hasUnpulled) await pullOnce();
      // A few milliseconds gather the pulls of several cycles; nobody waits for them.
      await pause(published.hasUnpulled ? 0 : 10);
    }
  };

  const takeOver = async (taken: readonly SlotLease[]): Promise<void> => {
    const progress = await publisher.progressOf(taken.map(({ slot }) => slot));
    for (const { slot, epoch } of taken) {
      const last = await log.lastPosition(slot);
      const { pos, lost } = progress.get(slot) ?? { pos: 0, lost: false };
      const lane = openLane(slot, epoch, Math.min(pos, last), last + 1, laneBytes);
      lanes.set(slot, lane);
      const { replayFrom } = lane;
      if (lost) logger.error({ slot, replayFrom }, 'Kafka has lost events of this slot; they are published again');
      logger.debug({ slot, epoch, last, replayFrom }, 'leading this slot');
    }
    sweepDue = 0;
  };

  const sweep = async (): Promise<void> => {
    for (const collection of options.collections()) {
      for await (const row of rows.sweep(collection)) {
        const first = row.outbox[0];
        if (first !== undefined) ring({ ...row, outbox: [...row.outbox].sort(bySequence) }, first.subject);
        if (stopping.signal.aborted) return;
      }
    }
  };

  /** Brings the lanes in line with the leases, whatever became of the round that moved them. */
  const reconcile = async (): Promise<void> => {
    for (const [slot, lane] of lanes) {
      const lease = leases.held.get(slot);
      if (lease === undefined) drop(slot);
      else if (lease.epoch !== lane.epoch) drop(slot);
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

  const complain = async (error: unknown): Promise<void> => {
    logger.warn({ error }, 'the relay could not reach MongoDB or Kafka; it will try again');
    await pause(200 + Math.random() * 300);
  };

  const keeping = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await round().catch(complain);
      await pause(options.roundMs);
    }
  };

  /** Beside the loop that keeps the leases: a sweep over many rows takes seconds. */
  const sweeping = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (performance.now() < sweepDue) {
        await pause(Math.max(20, Math.min(250, sweepDue - performance.now())));
        continue;
      }
      // Before the sweep: what asks for another one meanwhile is heard.
      sweepDue = Infinity;
      try {
        await sweep();
        sweepDue = Math.min(sweepDue, performance.now() + options.sweepMs * (0.75 + Math.random() / 2));
      } catch (error) {
        // A sweep that broke off has seen only some of the rows.
        sweepDue = 0;
        await complain(error);
      }
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
    isNews: (eventId) => !published.has(eventId) && !cycle.carries(eventId),
    get ready() {
      return started;
    },
    async start() {
      await round();
      running = [publishing(), pulling(), keeping(), sweeping()];
      started = true;
    },
    async stop(boundMs) {
      started = false;
      const deadline = performance.now() + boundMs;
      const idle = (): boolean =>
        depth() === 0 && !published.hasUnpulled && ![...lanes.values()].some(({ busy }) => busy);
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
