import { KafkaSendError } from '../kafka/errors.ts';
import type { FetchedRecord, GroupConsumerOptions, KafkaConsumer, KafkaPort, KafkaProducer } from '../kafka/port.ts';

/**
 * A Kafka within Kafka, for a test that runs beside others on one broker: every topic and group gets a prefix, which nobody inside
 * sees.
 *
 * @param kafka - the real one; closed with this
 * @param prefix - of the test alone
 */
export function isolatedKafka(kafka: KafkaPort, prefix: string): KafkaPort {
  const into = (topic: string): string => prefix + topic;
  const intoAll = <T extends { readonly topic: string }>(items: readonly T[]): T[] =>
    items.map((each) => ({ ...each, topic: into(each.topic) }));
  const outOf = <T extends { readonly topic: string }>(item: T): T => ({ ...item, topic: bare(item.topic) });
  const bare = (topic: string): string => topic.slice(prefix.length);

  const wrapProducer = (producer: KafkaProducer): KafkaProducer => ({
    async send(records) {
      try {
        return (await producer.send(intoAll(records))).map(outOf);
      } catch (error) {
        if (!(error instanceof KafkaSendError)) throw error;
        const outcome = { failed: error.failed.map(outOf), written: error.written.map(outOf) };
        throw new KafkaSendError(error.message, error.retryable, outcome, error);
      }
    },
    close: () => producer.close(),
  });

  const wrapOptions = (options: GroupConsumerOptions): GroupConsumerOptions => ({
    ...options,
    groupId: prefix + options.groupId,
    topics: options.topics.map(into),
    onAssigned: async (partitions) => intoAll(await options.onAssigned(partitions.map(outOf))),
    onRevoked: (partitions, lost) => options.onRevoked(partitions.map(outOf), lost),
    onRecords: (topic, partition, records) =>
      options.onRecords(bare(topic), partition, records.map(outOf<FetchedRecord>)),
    onOutOfRange: (topic, ...rest) => options.onOutOfRange(bare(topic), ...rest),
  });

  const wrapConsumer = (consumer: KafkaConsumer): KafkaConsumer => ({
    get assigned() {
      return consumer.assigned.map(outOf);
    },
    commit: (offsets) => consumer.commit(intoAll(offsets)),
    pause: (partition) => consumer.pause({ ...partition, topic: into(partition.topic) }),
    resume: (partition) => consumer.resume({ ...partition, topic: into(partition.topic) }),
    close: () => consumer.close(),
  });

  return {
    driver: kafka.driver,
    ensureTopics: (specs) => kafka.ensureTopics(specs.map((spec) => ({ ...spec, name: into(spec.name) }))),
    deleteTopics: (names) => kafka.deleteTopics(names.map(into)),
    topicSettings: (topic, names) => kafka.topicSettings(into(topic), names),
    partitionCount: (topic) => kafka.partitionCount(into(topic)),
    endOffsets: (topic) => kafka.endOffsets(into(topic)),
    beginningOffsets: (topic) => kafka.beginningOffsets(into(topic)),
    producer: async (options) => wrapProducer(await kafka.producer(options)),
    groupConsumer: async (options) => wrapConsumer(await kafka.groupConsumer(wrapOptions(options))),
    readAll: (topic, options) =>
      kafka.readAll(into(topic), { ...options, onRecord: (record) => options.onRecord(outOf(record)) }),
    consumerLag: async (groupId, topics) => {
      const lag = await kafka.consumerLag(prefix + groupId, topics.map(into));
      return new Map([...lag].map(([topic, partitions]) => [bare(topic), partitions]));
    },
    close: () => kafka.close(),
  };
}
