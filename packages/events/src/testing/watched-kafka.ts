import { KafkaUnavailableError } from '../kafka/errors.ts';
import type { FetchedRecord, GroupConsumerOptions, KafkaPort, TopicPartitionOffset } from '../kafka/port.ts';

/** What a group consumer is seen to do. */
export interface WatchedKafka {
  /** To be given to the replica. */
  readonly kafka: KafkaPort;
  /** What was delivered, in order. */
  readonly delivered: FetchedRecord[];
  /** What was committed, in order. */
  readonly committed: TopicPartitionOffset[];
  readonly seen: { assignments: number; revocations: number };
  /** From now on no commit gets through, as if the process had died before it. */
  loseCommits(): void;
}

/** A port whose group consumers are watched, for a test that must know what goes in and what is committed. */
export const watchKafka = (
  kafka: KafkaPort,
  settings: Pick<GroupConsumerOptions, 'sessionTimeoutMs' | 'rebalanceTimeoutMs'> = {},
): WatchedKafka => {
  const delivered: FetchedRecord[] = [];
  const committed: TopicPartitionOffset[] = [];
  const seen = { assignments: 0, revocations: 0 };
  let lost = false;

  const groupConsumer: KafkaPort['groupConsumer'] = async (options) => {
    const consumer = await kafka.groupConsumer({
      ...options,
      ...settings,
      onAssigned(partitions) {
        seen.assignments += 1;
        return options.onAssigned(partitions);
      },
      onRevoked(partitions, isLost) {
        seen.revocations += 1;
        return options.onRevoked(partitions, isLost);
      },
      onRecords(topic, partition, records) {
        delivered.push(...records);
        return options.onRecords(topic, partition, records);
      },
    });
    const commit = async (offsets: readonly TopicPartitionOffset[]): Promise<void> => {
      if (lost) throw new KafkaUnavailableError('the process has died');
      await consumer.commit(offsets);
      committed.push(...offsets);
    };
    return {
      get assigned() {
        return consumer.assigned;
      },
      commit,
      pause: (partition) => consumer.pause(partition),
      resume: (partition) => consumer.resume(partition),
      close: () => consumer.close(),
    };
  };

  return {
    kafka: {
      driver: kafka.driver,
      ensureTopics: (specs) => kafka.ensureTopics(specs),
      deleteTopics: (names) => kafka.deleteTopics(names),
      topicSettings: (topic, names) => kafka.topicSettings(topic, names),
      partitionCount: (topic) => kafka.partitionCount(topic),
      endOffsets: (topic) => kafka.endOffsets(topic),
      beginningOffsets: (topic) => kafka.beginningOffsets(topic),
      producer: (options) => kafka.producer(options),
      readAll: (topic, options) => kafka.readAll(topic, options),
      consumerLag: (groupId, topics) => kafka.consumerLag(groupId, topics),
      close: () => kafka.close(),
      groupConsumer,
    },
    delivered,
    committed,
    seen,
    loseCommits: () => void (lost = true),
  };
};
