import type { KafkaRecord, TopicPartitionOffset } from './port.ts';

/** Base of what the Kafka port throws. `retryable`: the same call may succeed later. */
export class KafkaError extends Error {
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.retryable = retryable;
  }
}

/** No broker, leader or coordinator answered in time, or it asked for patience. */
export class KafkaUnavailableError extends KafkaError {
  constructor(message: string, cause?: unknown) {
    super(message, true, cause);
  }
}

/** A topic is missing, cannot be created, or has another number of partitions than it must have. */
export class KafkaTopicError extends KafkaError {
  readonly topic: string;

  constructor(topic: string, message: string, cause?: unknown) {
    super(message, false, cause);
    this.topic = topic;
  }
}

/** Some records of a `send` are not known to be written. */
export class KafkaSendError extends KafkaError {
  /** In the order of the call. May have been written after all, if the answer was lost. */
  readonly failed: readonly KafkaRecord[];
  /** The first offset of each partition of which something was acknowledged. */
  readonly written: readonly TopicPartitionOffset[];

  constructor(
    message: string,
    retryable: boolean,
    outcome: { failed: readonly KafkaRecord[]; written: readonly TopicPartitionOffset[] },
    cause?: unknown,
  ) {
    super(message, retryable, cause);
    this.failed = outcome.failed;
    this.written = outcome.written;
  }
}

/** A commit names a partition that is not assigned to this consumer. */
export class KafkaNotAssignedError extends KafkaError {
  constructor(topic: string, partition: number) {
    super(`${topic}/${String(partition)} is not assigned to this consumer`, false);
  }
}

/** Bytes at this place cannot be read as records. They are asked for again, and then delivered as unreadable. */
export class KafkaPoisonedError extends KafkaError {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;

  constructor(topic: string, partition: number, offset: bigint, cause: unknown) {
    super(`undecodable records in ${topic}/${String(partition)} at offset ${String(offset)}`, false, cause);
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
  }
}
