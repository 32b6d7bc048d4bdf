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
  const inHand = new Map<string, Promise<void>>();
  const leaving = new Set<string>();
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

  const work = async (key: string, records: readonly FetchedRecord[]): Promise<void> => {
    for (const record of records) {
      // Given up: what is left belongs to whoever comes next.
      if (leaving.has(key)) return;
      const event = await read(record);
      if (event !== undefined) await handle(event, record);
      const state = progress.get(key);
      if (state !== undefined) {
        state.next = record.offset + 1n;
        state.event = event?.id ?? state.event;
      }
    }
  };

  const commit = async (keys: Iterable<string>): Promise<void> => {
    const due = [...keys].flatMap((key) => progress.get(key) ?? []).filter(({ next, committed }) => next > committed);
    if (due.length === 0 || consumer === undefined) return;
    const offsets = due.map(({ topic, partition, next }) => ({ topic, partition, offset: next }));
    await positions.bulkWrite(
      due.flatMap(({ topic, partition, next, event }) =>
        event === undefined
          ? []
          : [
              {
                updateOne: {
                  filter: { _id: keyOf(topic, partition) },
                  update: { $set: { event, offset: String(next) } },
                  upsert: true,
                },
              },
            ],
      ),
      { ordered: false },
    );
    await consumer.commit(offsets);
    for (const [index, state] of due.entries()) state.committed = offsets[index]?.offset ?? state.committed;
  };

  const commitAll = async (): Promise<void> => {
    timer = undefined;
    try {
      await commit([...progress.keys()].filter((key) => !leaving.has(key)));
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
            const key = keyOf(topic, partition);
            leaving.delete(key);
            const next = committed ?? 0n;
            progress.set(key, { topic, partition, next, event: undefined, committed: next });
          }
          return [];
        },
        async onRevoked(partitions, lost) {
          const keys = partitions.map(({ topic, partition }) => keyOf(topic, partition));
          for (const key of keys) leaving.add(key);
          await Promise.allSettled(keys.flatMap((key) => inHand.get(key) ?? []));
          if (!lost)
            await commit(keys).catch((error: unknown) => logger.debug({ error }, 'offsets were not committed'));
          for (const key of keys) progress.delete(key);
        },
        async onRecords(topic, partition, records) {
          const key = keyOf(topic, partition);
          const working = work(key, records);
          inHand.set(key, working);
          try {
            await working;
          } finally {
            inHand.delete(key);
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
