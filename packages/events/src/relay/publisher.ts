import { endSpan, startProducerSpan } from '@causeway/telemetry';
import type { Collection, Db } from 'mongodb';

import { toBinary } from '../envelope/binary-mode.ts';
import { KafkaSendError } from '../kafka/errors.ts';
import type { KafkaPort, KafkaProducer, KafkaRecord } from '../kafka/port.ts';
import type { LoggedEvent } from '../log/event-log.ts';

/** A row of `slots`: how far a slot has got, in the log and in Kafka. */
interface SlotRow {
  readonly _id: number;
  readonly pos: number;
  /** Kafka's offset of the event at `pos`, or a later one of ours. */
  readonly offset: number;
}

/** What became of a send. */
export interface Sent {
  /** Slots whose events are all acknowledged. */
  readonly done: ReadonlySet<number>;
  /** Slots with events that may not have arrived: send them again, in order, before any later one. */
  readonly failed: ReadonlyMap<number, unknown>;
}

/** Sends logged events to the service's topic. */
export interface Publisher {
  send(bySlot: ReadonlyMap<number, readonly LoggedEvent[]>): Promise<Sent>;
  /**
   * Slots whose acknowledged events Kafka no longer has: its end is below what was written there once.
   *
   * @returns by slot, the position in the log to publish again from
   */
  missingFrom(mine: readonly number[]): Promise<ReadonlyMap<number, number>>;
  close(): Promise<void>;
}

/** One send, retries included. */
const sendMs = 5_000;

const toRecord = (topic: string, { slot, event }: LoggedEvent): KafkaRecord => ({
  topic,
  partition: slot,
  ...toBinary(event),
});

/** Makes the publisher of one service. */
export const createPublisher = async (db: Db, kafka: KafkaPort, topic: string): Promise<Publisher> => {
  const producer: KafkaProducer = await kafka.producer({ requestTimeoutMs: sendMs });
  const slots: Collection<SlotRow> = db.collection<SlotRow>('slots');

  const keepProgress = async (last: readonly SlotRow[]): Promise<void> => {
    // Progress that is lost or late only makes the check at the next takeover less exact.
    const updates = last.map(({ _id, pos, offset }) => ({
      updateOne: { filter: { _id }, update: { $max: { pos, offset } }, upsert: true },
    }));
    await slots.bulkWrite(updates, { ordered: false, writeConcern: { w: 1 } }).catch(() => undefined);
  };

  return {
    async send(bySlot) {
      const done = new Set(bySlot.keys());
      const failed = new Map<number, unknown>();
      const events = [...bySlot.values()].flat();
      const span = startProducerSpan(
        { destination: topic, batchSize: events.length },
        events.map(({ event }) => event),
      );
      const progress: SlotRow[] = [];
      try {
        const offsets = await producer.send(events.map((each) => toRecord(topic, each)));
        for (const { partition, offset } of offsets) {
          const rows = bySlot.get(partition) ?? [];
          const last = rows.at(-1);
          if (last !== undefined)
            progress.push({ _id: partition, pos: last.pos, offset: Number(offset) + rows.length - 1 });
        }
        endSpan(span);
      } catch (error) {
        const partitions = error instanceof KafkaSendError ? error.failed.map(({ partition }) => partition) : [...done];
        for (const partition of partitions) {
          failed.set(partition, error);
          done.delete(partition);
        }
        endSpan(span, error);
      }
      if (progress.length > 0) void keepProgress(progress);
      return { done, failed };
    },
    async missingFrom(mine) {
      const missing = new Map<number, number>();
      if (mine.length === 0) return missing;
      const ends = await kafka.endOffsets(topic);
      for await (const { _id, pos, offset } of slots.find({ _id: { $in: [...mine] } })) {
        const end = Number(ends.get(_id) ?? 0n);
        if (end > offset) continue;
        // Kafka may hold an event twice, the log never: so many records hold at most so many events.
        missing.set(_id, Math.max(1, pos - (offset + 1 - end) + 1));
        await slots.updateOne({ _id }, { $set: { offset: end - 1 } });
      }
      return missing;
    },
    close: () => producer.close(),
  };
};
