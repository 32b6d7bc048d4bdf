import type { EventEnvelope } from '@causeway/contracts';
import { BSON } from 'mongodb';

import type { Failpoint } from '../failpoint.ts';
import type { EventLog, LoggedEvent } from '../log/event-log.ts';
import { withoutBeside } from '../recording/recorded-document.ts';
import type { Lane } from './lane.ts';
import type { OutboxRows } from './outbox-rows.ts';
import type { PendingRow } from './pending-rows.ts';
import type { Published } from './published.ts';
import type { Batch, Publisher } from './publisher.ts';
import type { RelayMetrics } from './relay-metrics.ts';
import { slotOf } from './slot.ts';

/** Events of one cycle: enough to spread the cost of its round trips. */
const batchEvents = 500;

/** Bytes of one slot in one send; a single event may be larger. */
const batchBytes = 8 * 1024 * 1024;

/** How {@link createPublishCycle} is wired. */
export interface PublishCycleOptions {
  readonly slots: number;
  /** Of the outboxes that one lane has on its way; a single row may hold more. */
  readonly laneBytes: number;
  readonly log: EventLog;
  readonly rows: OutboxRows;
  readonly publisher: Publisher;
  readonly published: Published;
  readonly metrics: RelayMetrics;
  /** Whether a lane is still led: its lease holds, and no later lane has taken its place. */
  readonly leads: (lane: Lane) => boolean;
  /** Somebody else appends to the lane's slot. */
  readonly lose: (lane: Lane) => void;
  readonly fail: (lane: Lane, error: unknown) => void;
  /** Rows were taken from a queue and not published: they have to be looked for again. */
  readonly sweepSoon: () => void;
  readonly failpoint?: Failpoint | undefined;
}

/** Publishes what waits in some lanes. */
export interface PublishCycle {
  /** Reads, appends to the log, produces; one in flight for each lane. Never rejects. */
  run(lanes: readonly Lane[]): Promise<void>;
  /** Whether this event is on its way. */
  carries(eventId: string): boolean;
  /** Forgets what is on its way in a slot that is no longer led. */
  forget(slot: number): void;
}

/** As many events as fit into one send, in order. */
const batchOf = (unsent: readonly LoggedEvent[]): LoggedEvent[] => {
  let bytes = 0;
  const batch: LoggedEvent[] = [];
  for (const logged of unsent) {
    bytes += BSON.calculateObjectSize(logged.event);
    if (batch.length > 0 && (batch.length >= batchEvents || bytes > batchBytes)) break;
    batch.push(logged);
  }
  return batch;
};

/** Makes the publishing cycle of a relay. */
export const createPublishCycle = (options: PublishCycleOptions): PublishCycle => {
  const { slots, laneBytes, log, rows, publisher, published, metrics, leads, lose, fail, sweepSoon, failpoint } =
    options;
  /** Which row carries an event that is on its way. */
  const carriers = new Map<string, { readonly row: PendingRow; readonly slot: number }>();
  /** When an event came into the log, on `performance.now()`. */
  const loggedAt = new WeakMap<LoggedEvent, number>();

  /** The events of rows that this replica has not published, in the order of the rows. Those that there is no room for wait on in their lanes. */
  const unpublished = async (
    taken: ReadonlyMap<Lane, readonly PendingRow[]>,
  ): Promise<{ slot: number; event: EventEnvelope }[]> => {
    const events: { slot: number; event: EventEnvelope }[] = [];
    const { loaded, left } = await rows.load([...taken.values()], laneBytes);
    const isLeft = new Set(left);
    for (const [lane, own] of taken) lane.pending.putBack(own.filter((row) => isLeft.has(row)));
    for (const row of loaded) {
      for (const event of row.outbox) {
        if (published.has(event.id)) {
          published.toPull(event.id, row.collection, row.id);
          continue;
        }
        const slot = slotOf(event.subject, slots);
        carriers.set(event.id, { row: { collection: row.collection, id: row.id }, slot });
        events.push({ slot, event: withoutBeside(event) });
      }
    }
    return events;
  };

  const replay = async (lane: Lane, from: number): Promise<void> => {
    const events = await log.read(lane.slot, from, batchEvents);
    lane.unsent.push(...events);
    const last = events.at(-1);
    lane.replayFrom = last === undefined ? undefined : last.pos + 1;
  };

  /** Finds the end of the log; what is there and was never known to be sent goes first. */
  const findNext = async (lane: Lane): Promise<number | undefined> => {
    const last = await log.lastPosition(lane.slot);
    lane.next = last + 1;
    if (last <= lane.sentPos) return lane.next;
    lane.replayFrom = lane.sentPos + 1;
    return undefined;
  };

  /** Takes from the queues of the lanes, and appends it to the log. */
  const append = async (lanes: readonly Lane[]): Promise<void> => {
    const taken = new Map<Lane, readonly PendingRow[]>();
    const appending = new Map<number, Lane>();
    const next = new Map<number, number>();
    const share = Math.max(10, Math.floor(batchEvents / lanes.length));
    for (const lane of lanes) {
      // What is unsent goes first, and alone: later events wait behind it.
      if (lane.unsent.length > 0) continue;
      if (lane.replayFrom !== undefined) {
        await replay(lane, lane.replayFrom);
        continue;
      }
      const pos = lane.next ?? (await findNext(lane));
      if (pos === undefined) continue;
      appending.set(lane.slot, lane);
      next.set(lane.slot, pos);
      taken.set(lane, lane.pending.take(share));
    }
    const found = await unpublished(taken);
    const events = found.filter(({ slot }) => {
      const lane = appending.get(slot);
      return lane !== undefined && leads(lane);
    });
    if (events.length < found.length) sweepSoon();
    if (events.length === 0) return;
    await failpoint?.('relay.taken');
    // Until the answer is there, nobody knows where the log ends.
    for (const lane of appending.values()) lane.next = undefined;
    const { bySlot, lostSlots } = await log.append(events, next);
    const at = performance.now();
    for (const [slot, lane] of appending) {
      lane.next = next.get(slot);
      const logged = bySlot.get(slot) ?? [];
      lane.unsent.push(...logged);
      for (const each of logged) {
        loggedAt.set(each, at);
        metrics.logged(Date.now() - Date.parse(each.event.time));
      }
      if (lostSlots.has(slot)) lose(lane);
    }
  };

  const sent = (lane: Lane, events: readonly LoggedEvent[]): void => {
    const done = new Set(events);
    lane.unsent = lane.unsent.filter((each) => !done.has(each));
    lane.sentPos = Math.max(lane.sentPos, events.at(-1)?.pos ?? 0);
    for (const each of events) {
      const { event } = each;
      published.add(event.id);
      const carrier = carriers.get(event.id);
      carriers.delete(event.id);
      if (carrier !== undefined) published.toPull(event.id, carrier.row.collection, carrier.row.id);
      const since = loggedAt.get(each);
      const inLogMs = since === undefined ? undefined : performance.now() - since;
      metrics.published(Date.now() - Date.parse(event.time), inLogMs);
    }
  };

  const produce = async (lanes: readonly Lane[]): Promise<void> => {
    const batches = new Map<number, Batch>();
    for (const lane of lanes) {
      const { slot, epoch, unsent } = lane;
      if (unsent.length > 0 && leads(lane)) batches.set(slot, { epoch, events: batchOf(unsent) });
    }
    if (batches.size === 0) return;
    await failpoint?.('relay.logged');
    const outcomes = await publisher.send(batches);
    await failpoint?.('relay.published');
    for (const lane of lanes) {
      const outcome = outcomes.get(lane.slot);
      if (outcome === undefined) continue;
      sent(lane, (batches.get(lane.slot)?.events ?? []).slice(0, outcome.written));
      if (outcome.lostFrom !== undefined) lane.replayFrom = Math.min(lane.replayFrom ?? Infinity, outcome.lostFrom);
      if (outcome.error === undefined) lane.failures = 0;
      else fail(lane, outcome.error);
    }
  };

  return {
    carries: (eventId) => carriers.has(eventId),
    forget(slot) {
      for (const [id, carrier] of carriers) if (carrier.slot === slot) carriers.delete(id);
    },
    async run(lanes) {
      try {
        await append(lanes);
        await produce(lanes);
      } catch (error) {
        // MongoDB is away: the rows still carry their events, and a sweep finds them again.
        for (const lane of lanes) fail(lane, error);
        sweepSoon();
      }
    },
  };
};
