import { serviceOf, topicOf, type EventEnvelope } from '@causeway/contracts';
import { createGauge } from '@causeway/telemetry';
import type { Db } from 'mongodb';

import type { CatchUps } from '../catch-up/catch-ups.ts';
import { MalformedEvent } from '../envelope/binary-mode.ts';
import { isSequence, readRecord } from '../envelope/read-record.ts';
import type { FetchedRecord, GroupConsumerOptions, KafkaConsumer, KafkaPort } from '../kafka/port.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import type { BatchDelivery } from './deliver-batch.ts';
import type { Delivery } from './deliver.ts';
import { toHandlingError } from './error-categories.ts';
import type { FirstDeliveries } from './first-deliveries.ts';
import { createEventTasks } from './event-tasks.ts';
import type { HandlerLag } from './handler-lag.ts';
import type { Handler } from './handler.ts';
import { createOffsetCommits, type AssignedWork } from './offset-commits.ts';
import { throughOutages } from './outages.ts';
import type { HistoryLost } from './lost-history.ts';
import type { ParkOutOfSequence } from './out-of-sequence.ts';
import type { ParkLost } from './park-lost.ts';
import { unreadable, type Parking } from './parking.ts';
import { createPartitionWork, type PartitionWork, type Task } from './partition-work.ts';
import type { RunPlaces } from './run-places.ts';
import { createSequenceWatch, type SequenceWatch } from './sequence-watch.ts';

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
  readonly deliverBatch: BatchDelivery;
  /** Parks an event that does not follow the one before it of its subject. */
  readonly parkOutOfSequence: ParkOutOfSequence;
  readonly firsts: Pick<FirstDeliveries, 'begin'>;
  readonly catchUps: Pick<CatchUps, 'begin' | 'end' | 'admits'>;
  readonly parking: Parking;
  readonly places: RunPlaces;
  /** How many records of a partition are held unsettled at most; one delivery is no reason to stop short. */
  readonly heldRecords: number;
  readonly readProducerLog: ReadProducerLog;
  /** What of a slot comes after an event and is not in its producer's log any more. */
  readonly lostHistory: (
    topic: string,
    slot: number,
    afterEvent: string | undefined,
  ) => Promise<HistoryLost | undefined>;
  readonly parkLost: ParkLost;
  readonly lag: HandlerLag;
  /** Told of each event that no handler takes. */
  readonly passedOver: (topic: string, type: string) => void;
  readonly metrics: ConsumerMetrics;
  readonly logger: RelayLogger;
}

/** A service's place in its consumer group. */
export interface Consumer {
  start(): Promise<void>;
  /** Handles what it has in hand, commits and leaves the group. */
  stop(): Promise<void>;
}

/** Of a partition, as they came; a larger record is taken in alone. */
const heldBytes = 4 * 1024 * 1024;

/** So many times the held records may have been settled above one that is not. */
const aheadFactor = 10;

/** Events fetched from a producer's log at a time. */
const backfillBatch = 500;

const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/** Makes the consumer of one service in this process. */
export const createConsumer = (options: ConsumerOptions): Consumer => {
  const { db, kafka, groupId, topics, handlers, deliver, deliverBatch, catchUps, parking, places } = options;
  const { heldRecords, lag, metrics, logger } = options;
  const assigned = new Map<string, AssignedWork>();
  const partitionsOf = new Map<string, number>();
  const watches = new Map<string, SequenceWatch>();
  let consumer: KafkaConsumer | undefined;
  const taken = new Set(handlers.flatMap(({ on }) => on.map(({ type }) => type)));
  const { parkOutOfSequence } = options;
  const tasksOf = createEventTasks({
    ...{ groupId, handlers, deliver, deliverBatch, places, parkOutOfSequence, lag, metrics },
    admits: catchUps.admits,
  });
  const commits = createOffsetCommits({ db, consumer: () => consumer, assigned: () => assigned.values(), logger });
  const held = (): number => [...assigned.values()].reduce((sum, { work }) => sum + work.held, 0);
  createGauge(
    'causeway.consumer.held',
    { description: 'Records that were fetched and are not settled', unit: '{record}' },
    held,
  );

  const startWork = (start: bigint, after: Promise<void> | undefined): PartitionWork =>
    createPartitionWork({
      start,
      bounds: { records: heldRecords, bytes: heldBytes, ahead: heldRecords * aheadFactor },
      places,
      after,
      onProgress: () => commits.soon(),
      onError: (error) => logger.error({ error }, 'an event could be neither handled nor parked; it is tried again'),
    });

  /** Bytes that are no event are parked by their place. */
  const parkBytes = (record: FetchedRecord, error: unknown): Task => {
    const place = `${keyOf(record.topic, record.partition)}/${record.offset}`;
    return {
      lane: place,
      async run(turn) {
        await throughOutages(() => parking.parkBytes(place, record.value, toHandlingError(error)), { logger, ...turn });
        metrics.parked(unreadable, 'unreadable');
        logger.error({ place, error }, 'a record that is no event is parked');
      },
    };
  };

  const accept = (work: PartitionWork, record: FetchedRecord): Promise<boolean> => {
    const bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
    lag.received(record, record.offset);
    metrics.received(record.topic, Date.now() - record.timestampMs);
    const watch = watches.get(keyOf(record.topic, record.partition));
    const { ce_type: type, ce_id: id, ce_subject: subject, ce_sequence: sequence } = record.headers;
    // Of a busy topic a service may handle one event in thousands: of the others not more is read than where they stand.
    if (type !== undefined && !taken.has(type) && topicOf(serviceOf(type)) === record.topic) {
      if (id !== undefined && subject !== undefined && isSequence(sequence)) watch?.arrived({ id, subject, sequence });
      options.passedOver(record.topic, type);
      return work.accept({ offset: record.offset, event: id, bytes }, []);
    }
    let event: EventEnvelope;
    try {
      if (record.unreadable !== undefined)
        throw new MalformedEvent(`its batch cannot be decoded: ${record.unreadable}`);
      event = readRecord(record, partitionsOf.get(record.topic) ?? 0);
    } catch (error) {
      return work.accept({ offset: record.offset, event: undefined, bytes }, [parkBytes(record, error)]);
    }
    const fault = watch?.arrived(event);
    return work.accept({ offset: record.offset, event: event.id, bytes }, tasksOf(event, record, fault));
  };

  /** Goes on where Kafka's retention has overtaken us: from the log of the service whose topic it is. */
  const backfill = async (of: AssignedWork, wanted: bigint, earliest: bigint): Promise<void> => {
    const { topic, partition, work } = of;
    await work.idle();
    const place = { topic, partition, offset: -1n };
    let afterEvent = work.event ?? (await commits.lastEvent({ topic, partition }));
    const lost = await options.lostHistory(topic, partition, afterEvent);
    // By the place where Kafka had the first of them.
    if (lost !== undefined) await options.parkLost(`${keyOf(topic, partition)}/${wanted}`, lost);
    do {
      const from = { slot: partition, afterEvent, limit: backfillBatch };
      const events = await options.readProducerLog(topic, from);
      for (const event of events) {
        const bytes = Buffer.byteLength(JSON.stringify(event.data));
        const taken = await work.accept({ offset: undefined, event: event.id, bytes }, tasksOf(event, place));
        if (!taken) throw new Error('the partition was given up while its producer’s log was read');
      }
      afterEvent = events.at(-1)?.id;
    } while (afterEvent !== undefined);
    // Once all of these are settled, so is what Kafka no longer has.
    await work.accept({ offset: earliest - 1n, event: undefined, bytes: 0 }, []);
  };

  const stateOf = (topic: string, partition: number): AssignedWork => {
    const state = assigned.get(keyOf(topic, partition));
    // Records that nobody has a place for are asked for again, not passed over.
    if (state === undefined) throw new Error(`records of ${keyOf(topic, partition)}, which was not assigned`);
    return state;
  };

  const membership: Pick<GroupConsumerOptions, 'onAssigned' | 'onRevoked' | 'onRecords' | 'onOutOfRange'> = {
    async onAssigned(partitions) {
      await parking.load();
      await catchUps.begin(partitions);
      for (const { topic, partition, committed } of partitions) {
        const key = keyOf(topic, partition);
        const start = committed ?? 0n;
        const work = startWork(start, assigned.get(key)?.work.leave());
        lag.assigned({ topic, partition }, start);
        watches.set(key, createSequenceWatch({ onFirst: options.firsts.begin }));
        assigned.set(key, { topic, partition, work, committed: start, kept: undefined });
      }
      return [];
    },
    async onRevoked(partitions, lost) {
      const mine = partitions.flatMap(({ topic, partition }) => assigned.get(keyOf(topic, partition)) ?? []);
      await Promise.all(mine.map(({ work }) => work.leave()));
      // Only now: while one of its tasks runs, it is asked whom that is for.
      await catchUps.end(mine);
      if (!lost)
        await commits.flush(mine).catch((error: unknown) => logger.debug({ error }, 'offsets were not committed'));
      for (const state of mine) {
        const key = keyOf(state.topic, state.partition);
        // Where this took too long, the partition may have been given to us anew.
        if (assigned.get(key) !== state) continue;
        assigned.delete(key);
        watches.delete(key);
        lag.revoked(state);
      }
    },
    async onRecords(topic, partition, records) {
      const { work } = stateOf(topic, partition);
      for (const record of records) if (!(await accept(work, record))) return;
    },
    async onOutOfRange(topic, partition, wanted, earliest) {
      logger.error(
        { topic, partition, wanted: String(wanted), earliest: String(earliest) },
        'Kafka no longer holds the next event; it is read from its producer',
      );
      await backfill(stateOf(topic, partition), wanted, earliest);
      watches.get(keyOf(topic, partition))?.reset();
      return earliest;
    },
  };

  return {
    async start() {
      if (handlers.length === 0) return;
      const onError = (error: Error): void => logger.warn({ error }, 'the consumer met an error; it goes on');
      for (const topic of topics) partitionsOf.set(topic, await kafka.partitionCount(topic));
      consumer = await kafka.groupConsumer({ groupId, topics, ...membership, onError });
      lag.start();
    },
    async stop() {
      await lag.stop();
      await consumer?.close();
      commits.stop();
    },
  };
};
