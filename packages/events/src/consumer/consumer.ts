import type { EventEnvelope } from '@causeway/contracts';
import { withProcessSpan } from '@causeway/telemetry';
import type { Db } from 'mongodb';

import { fromBinary } from '../envelope/binary-mode.ts';
import { KafkaError, KafkaNotAssignedError } from '../kafka/errors.ts';
import type { FetchedRecord, KafkaConsumer, KafkaPort, TopicPartition } from '../kafka/port.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { Delivery } from './deliver.ts';
import type { Handler } from './handler.ts';
import type { Parking } from './parking.ts';
import { toHandlingError } from './run-handler.ts';

/** Reads the log of the service that owns a topic: for events that Kafka no longer has. */
export type ReadProducerLog = (
  topic: string,
  from: { readonly slot: number; readonly afterEvent: string | undefined; readonly limit: number },
) => Promise<readonly EventEnvelope[]>;

/** How {@link createConsumer} is wired. */
export interface ConsumerOptions {
  readonly db: Db;
  readonly kafka: KafkaPort;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly handlers: readonly Handler[];
  readonly deliver: Delivery;
  readonly parking: Parking;
  readonly readProducerLog: ReadProducerLog;
  readonly logger: RelayLogger;
}

/** A service's place in its consumer group. */
export interface Consumer {
  start(): Promise<void>;
  /** Handles what it has in hand, commits and leaves the group. */
  stop(): Promise<void>;
}

/** A row of `positions`: the last event handled of a partition, to go on from in the producer's log if Kafka forgets. */
interface PositionRow {
  readonly _id: string;
  readonly event: string;
  readonly offset: string;
}

interface Progress extends TopicPartition {
  /** The next offset to read: everything below has been settled. */
  next: bigint;
  event: string | undefined;
  committed: bigint;
  /** Given up: what is left belongs to whoever comes next. A new assignment has a progress of its own. */
  leaving: boolean;
  inHand: Promise<void>;
}

/** Commits are gathered for so long; what a crash leaves uncommitted is delivered again and found settled. */
const commitEveryMs = 200;

/** Events fetched from a producer's log at a time. */
const backfillBatch = 500;

const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/** Makes the consumer of one service in this process. */
export const createConsumer = (options: ConsumerOptions): Consumer => {
  const { db, kafka, groupId, topics, handlers, deliver, parking, logger } = options;
  const positions = db.collection<PositionRow>('positions');
  const byType = new Map<string, Handler[]>();
  for (const handler of handlers) {
    for (const { type } of handler.on) byType.set(type, [...(byType.get(type) ?? []), handler]);
  }
  const progress = new Map<string, Progress>();
  let consumer: KafkaConsumer | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const handle = async (
    event: EventEnvelope,
    at: { topic: string; partition: number; offset: bigint },
  ): Promise<void> => {
    for (const handler of byType.get(event.type) ?? []) {
      const place = {
        destination: at.topic,
        partition: at.partition,
        offset: String(at.offset),
        consumerGroup: groupId,
      };
      await withProcessSpan(event, { ...place, handler: handler.name }, () => deliver(handler, event));
    }
  };

  const read = async (record: FetchedRecord): Promise<EventEnvelope | undefined> => {
    try {
      return fromBinary(record.headers, record.value);
    } catch (error) {
      const place = `${keyOf(record.topic, record.partition)}/${record.offset}`;
      await parking.parkBytes(place, record.value, toHandlingError(error));
      logger.error({ place, error }, 'a record that is no event is parked');
      return undefined;
    }
  };

  const work = async (state: Progress, records: readonly FetchedRecord[]): Promise<void> => {
    for (const record of records) {
      if (state.leaving) return;
      const event = await read(record);
      if (event !== undefined) await handle(event, record);
      state.next = record.offset + 1n;
      state.event = event?.id ?? state.event;
    }
  };

  const keepPositions = async (due: readonly Progress[]): Promise<void> => {
    const updates = due.flatMap(({ topic, partition, next, event }) => {
      if (event === undefined) return [];
      const filter = { _id: keyOf(topic, partition) };
      return [{ updateOne: { filter, update: { $set: { event, offset: String(next) } }, upsert: true } }];
    });
    if (updates.length > 0) await positions.bulkWrite(updates, { ordered: false });
  };

  const commit = async (states: Iterable<Progress>): Promise<void> => {
    const due = [...states].filter(({ next, committed }) => next > committed);
    if (due.length === 0 || consumer === undefined) return;
    const offsets = due.map(({ topic, partition, next }) => ({ topic, partition, offset: next }));
    await keepPositions(due);
    await consumer.commit(offsets);
    for (const [index, state] of due.entries()) state.committed = offsets[index]?.offset ?? state.committed;
  };

  const commitAll = async (): Promise<void> => {
    timer = undefined;
    try {
      await commit([...progress.values()].filter(({ leaving }) => !leaving));
    } catch (error) {
      // Nothing is lost: it is delivered again, and found settled.
      if (error instanceof KafkaNotAssignedError) return;
      if (!(error instanceof KafkaError)) logger.warn({ error }, 'offsets were not committed; it is tried again');
      commitSoon();
    }
  };

  const commitSoon = (): void => {
    if (!stopped) timer ??= setTimeout(() => void commitAll(), commitEveryMs).unref();
  };

  /** Goes on where Kafka's retention has overtaken us: from the log of the service whose topic it is. */
  const backfill = async (topic: string, partition: number): Promise<void> => {
    const row = await positions.findOne({ _id: keyOf(topic, partition) });
    let afterEvent = row?.event;
    for (;;) {
      const events = await options.readProducerLog(topic, { slot: partition, afterEvent, limit: backfillBatch });
      for (const event of events) await handle(event, { topic, partition, offset: -1n });
      afterEvent = events.at(-1)?.id;
      if (afterEvent === undefined) return;
    }
  };

  return {
    async start() {
      if (handlers.length === 0) return;
      consumer = await kafka.groupConsumer({
        groupId,
        topics,
        async onAssigned(partitions) {
          await parking.load();
          for (const { topic, partition, committed } of partitions) {
            const next = committed ?? 0n;
            const fresh = { next, event: undefined, committed: next, leaving: false, inHand: Promise.resolve() };
            progress.set(keyOf(topic, partition), { topic, partition, ...fresh });
          }
          return [];
        },
        async onRevoked(partitions, lost) {
          const mine = partitions.flatMap(({ topic, partition }) => progress.get(keyOf(topic, partition)) ?? []);
          for (const state of mine) state.leaving = true;
          await Promise.allSettled(mine.map(({ inHand }) => inHand));
          if (!lost)
            await commit(mine).catch((error: unknown) => logger.debug({ error }, 'offsets were not committed'));
          for (const state of mine) {
            const key = keyOf(state.topic, state.partition);
            // Where this took too long, the partition may have been given to us anew.
            if (progress.get(key) === state) progress.delete(key);
          }
        },
        async onRecords(topic, partition, records) {
          const state = progress.get(keyOf(topic, partition));
          if (state?.leaving) return;
          // Records that nobody has a place for are asked for again, not passed over.
          if (state === undefined) throw new Error(`records of ${keyOf(topic, partition)}, which was not assigned`);
          state.inHand = work(state, records);
          try {
            await state.inHand;
          } finally {
            commitSoon();
          }
        },
        async onOutOfRange(topic, partition, wanted, earliest) {
          logger.error(
            { topic, partition, wanted: String(wanted), earliest: String(earliest) },
            'Kafka no longer holds the next event; it is read from its producer',
          );
          await backfill(topic, partition);
          return earliest;
        },
        onError: (error) => logger.warn({ error }, 'the consumer met an error; it goes on'),
      });
    },
    async stop() {
      await consumer?.close();
      stopped = true;
      clearTimeout(timer);
    },
  };
};
