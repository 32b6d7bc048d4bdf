import { eventRetentionMs, eventSegmentMs, handlersTopic, serviceOf, topicOf } from '@causeway/contracts';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from 'mongodb';

import type { Handler } from '../consumer/handler.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import { KafkaTopicError } from './errors.ts';
import type { KafkaPort } from './port.ts';

/** Whose topics they are. */
export interface EventTopicsOptions {
  readonly service: string;
  readonly db: Db;
  readonly kafka: KafkaPort;
  /** Of the service's topic, and of those that its handlers read. */
  readonly partitions: number;
  readonly handlers: readonly Handler[];
}

/** A recorded event is at most 2 MiB as BSON; as JSON with its headers it stays under this. */
const maxMessageBytes = 4 * 1024 * 1024;

/** The service's own topic, and those that its handlers read. */
export const topicsOf = ({ service, handlers }: Pick<EventTopicsOptions, 'service' | 'handlers'>): string[] => [
  ...new Set([topicOf(service), ...handlers.flatMap(({ on }) => on.map(({ type }) => topicOf(serviceOf(type))))]),
];

/**
 * Creates the topics that a service writes and reads.
 *
 * @throws KafkaTopicError - there are other partitions than the service was created with
 */
export const ensureEventTopics = async (options: EventTopicsOptions): Promise<void> => {
  const { service, db, kafka, partitions } = options;
  const topic = topicOf(service);
  // The number is part of every subject's place: another one would break the order of all of them.
  const settings = db.collection<{ _id: string; value: number }>('settings');
  await settings.updateOne({ _id: 'slots' }, { $setOnInsert: { value: partitions } }, { upsert: true });
  const fixed = (await settings.findOne({ _id: 'slots' }))?.value;
  if (fixed !== partitions) {
    throw new KafkaTopicError(
      topic,
      `${service} was created with ${fixed} slots, and KAFKA_PARTITIONS says ${partitions}. The number is fixed: set it back.`,
    );
  }
  const config = {
    'max.message.bytes': String(maxMessageBytes),
    'retention.ms': String(eventRetentionMs),
    'segment.ms': String(eventSegmentMs),
  };
  await kafka.ensureTopics([
    ...topicsOf(options).map((name) => ({ name, partitions, config })),
    { name: handlersTopic, partitions: 1, config: { 'cleanup.policy': 'compact' } },
  ]);
};

/** Kafka may be on its way up: so long is it waited for. */
const startMs = 60_000;

/** Tries until it works, the time is up or `signal` ends it: in a fresh stack Kafka may come up after us. */
export const untilKafka = async (
  work: () => Promise<void>,
  { logger, signal }: { readonly logger: Pick<RelayLogger, 'warn'>; readonly signal: AbortSignal },
): Promise<void> => {
  const deadline = performance.now() + startMs;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (error instanceof KafkaTopicError || performance.now() > deadline || signal.aborted) throw error;
      logger.warn({ error }, 'Kafka is not ready yet; it is tried again');
      await delay(200 + Math.random() * 300, undefined, { signal });
    }
  }
};
