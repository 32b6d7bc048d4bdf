import { endSpan, startProducerSpan } from '@causeway/telemetry';
import type { AnyBulkWriteOperation, Collection, Db } from 'mongodb';

import { toBinary } from '../envelope/binary-mode.ts';
import { KafkaSendError } from '../kafka/errors.ts';
import type { KafkaPort, KafkaProducer, KafkaRecord } from '../kafka/port.ts';
import type { LoggedEvent } from '../log/event-log.ts';
import type { RelayMetrics } from './relay-metrics.ts';

/** The name of the collection of {@link SlotRow}s. */
export const slotProgress = 'slots';

/** How far a slot has got, in the log and in Kafka. */
export interface SlotRow {
  readonly _id: number;
  readonly pos: number;
  /** Kafka's offset of the event at `pos`. */
  readonly offset: number;
  /** Of the lease under which this was told: what an earlier leader tells late is passed over. */
  readonly epoch: number;
  /** Kafka has lost what the log holds from this position on, and has not got all of it back yet. */
  readonly lostFrom?: number;
}

/** What became of a slot's part of a send. */
export interface Outcome {
  /** So many of its events, from the first on, are acknowledged. */
  readonly written: number;
  /** Why the others are not; send them again, in order, before any later one. */
  readonly error?: unknown;
  /** Kafka has lost events that it had acknowledged: the log holds them from this position on. */
  readonly lostFrom?: number;
}

/** A slot's part of a send. */
export interface Batch {
  /** Of the lease under which it is sent. */
  readonly epoch: number;
  /** In the order of the log. */
  readonly events: readonly LoggedEvent[];
}

/** Sends logged events to the service's topic. */
export interface Publisher {
  send(bySlot: ReadonlyMap<number, Batch>): Promise<ReadonlyMap<number, Outcome>>;
  /**
   * How far each slot is known to be in Kafka: the log may be ahead of it after a crash, and Kafka behind it after a loss.
   *
   * @returns by slot, the position up to which Kafka has everything, and whether it had more once
   */
  progressOf(mine: readonly number[]): Promise<ReadonlyMap<number, { readonly pos: number; readonly lost: boolean }>>;
  /** A slot has got back what Kafka had lost. */
  restored(slot: number): Promise<void>;
  close(): Promise<void>;
}

/** One send, retries included. */
const sendMs = 5_000;

const toRecord = (topic: string, { slot, event }: LoggedEvent): KafkaRecord => ({
  topic,
  partition: slot,
  ...toBinary(event),
});

/** Tells of progress, unless a later leader has told of its own. */
const tell = ({ _id, ...told }: SlotRow, lostFrom: number | undefined): AnyBulkWriteOperation<SlotRow> => {
  const isLate = { $gt: [{ $ifNull: ['$epoch', 0] }, told.epoch] };
  const set = Object.fromEntries(
    Object.entries(told).map(([name, value]) => [name, { $cond: [isLate, `$${name}`, value] }]),
  );
  // In one stage all conditions look at the row as it was.
  const lost = lostFrom === undefined ? {} : { lostFrom: { $min: ['$lostFrom', lostFrom] } };
  return { updateOne: { filter: { _id }, update: [{ $set: { ...set, ...lost } }], upsert: true } };
};

/** How {@link createPublisher} is wired. */
export interface PublisherOptions {
  readonly db: Db;
  readonly kafka: KafkaPort;
  readonly topic: string;
  readonly metrics: Pick<RelayMetrics, 'sent'>;
}

/** Makes the publisher of one service. */
export const createPublisher = async (options: PublisherOptions): Promise<Publisher> => {
  const { db, kafka, topic, metrics } = options;
  const producer: KafkaProducer = await kafka.producer({ requestTimeoutMs: sendMs });
  const slots: Collection<SlotRow> = db.collection<SlotRow>(slotProgress);

  /** The last acknowledgement of each slot, of this process. */
  const acknowledged = new Map<number, { readonly pos: number; readonly offset: number }>();
  let keeping: Promise<unknown> = Promise.resolve();

  const keep = (updates: AnyBulkWriteOperation<SlotRow>[]): void => {
    if (updates.length === 0) return;
    // Progress that is lost or late only makes the next takeover publish something twice.
    keeping = keeping
      .then(() => slots.bulkWrite(updates, { ordered: false, writeConcern: { w: 1 } }))
      .catch(() => undefined);
  };

  /** A topic that answers a lower offset than it did before has lost its end. */
  const lostBefore = (slot: number, base: number): number | undefined => {
    const last = acknowledged.get(slot);
    // Kafka may hold an event twice, the log never: so many records held at most so many events.
    return last === undefined || last.offset < base ? undefined : Math.max(1, last.pos - (last.offset - base));
  };

  const acknowledge = ({ epoch, events: rows }: Batch, base: number): Outcome & { readonly row: SlotRow } => {
    const { slot, pos } = rows.at(-1) ?? { slot: 0, pos: 0 };
    const lostFrom = lostBefore(slot, base);
    const offset = base + rows.length - 1;
    acknowledged.set(slot, { pos, offset });
    const row = { _id: slot, pos, offset, epoch };
    return { written: rows.length, row, ...(lostFrom === undefined ? {} : { lostFrom }) };
  };

  const trySend = async (
    events: readonly LoggedEvent[],
  ): Promise<{ bases: Map<number, number>; error?: unknown; failed: Map<number, number> }> => {
    const bases = new Map<number, number>();
    const failed = new Map<number, number>();
    try {
      const offsets = await producer.send(events.map((each) => toRecord(topic, each)));
      for (const { partition, offset } of offsets) bases.set(partition, Number(offset));
      return { bases, failed };
    } catch (error) {
      const unwritten =
        error instanceof KafkaSendError ? error.failed : events.map(({ slot }) => ({ partition: slot }));
      for (const { partition } of unwritten) failed.set(partition, (failed.get(partition) ?? 0) + 1);
      return { bases, failed, error };
    }
  };

  return {
    async send(bySlot) {
      const events = [...bySlot.values()].flatMap((batch) => batch.events);
      const span = startProducerSpan(
        { destination: topic, batchSize: events.length },
        events.map(({ event }) => event),
      );
      const asked = performance.now();
      const { bases, failed, error } = await trySend(events);
      endSpan(span, error);
      const unwritten = [...failed.values()].reduce((sum, count) => sum + count, 0);
      const counts = { written: events.length - unwritten, failed: unwritten };
      metrics.sent(counts, performance.now() - asked, error);
      const outcomes = new Map<number, Outcome>();
      const updates: AnyBulkWriteOperation<SlotRow>[] = [];
      for (const [slot, batch] of bySlot) {
        const base = bases.get(slot);
        const { length } = batch.events;
        if (base === undefined) {
          // Records of one partition are written in order: what failed is the end of them.
          const written = length - (failed.get(slot) ?? 0);
          outcomes.set(slot, failed.has(slot) ? { written, error } : { written: length });
          continue;
        }
        const { row, ...outcome } = acknowledge(batch, base);
        outcomes.set(slot, outcome);
        updates.push(tell(row, outcome.lostFrom));
      }
      keep(updates);
      return outcomes;
    },
    async progressOf(mine) {
      const progress = new Map<number, { pos: number; lost: boolean }>();
      if (mine.length === 0) return progress;
      await keeping;
      const ends = await kafka.endOffsets(topic);
      for await (const { _id, pos, offset, lostFrom } of slots.find({ _id: { $in: [...mine] } })) {
        const end = Number(ends.get(_id) ?? 0n);
        const missing = Math.max(0, offset + 1 - end);
        const known = Math.max(0, Math.min(pos - missing, (lostFrom ?? Infinity) - 1));
        if (missing > 0) await slots.updateOne({ _id }, { $min: { lostFrom: known + 1 } });
        acknowledged.delete(_id);
        progress.set(_id, { pos: known, lost: known < pos });
      }
      return progress;
    },
    async restored(slot) {
      await keeping;
      await slots.updateOne({ _id: slot }, { $unset: { lostFrom: '' } });
    },
    async close() {
      await keeping;
      await producer.close();
    },
  };
};
