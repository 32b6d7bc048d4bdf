/**
 * What the rest of this package asks of Kafka. Two drivers answer it, and one conformance suite (`conformance.ts`) holds both to it.
 *
 * The port is at-least-once and never loses: a record may be delivered again after a crash or a rebalance, but none is passed over,
 * and those of one partition arrive in offset order. Effect-once is made above it, by our own rows.
 */

export type KafkaDriver = 'platformatic' | 'kafkajs';

export interface TopicPartition {
  topic: string;
  partition: number;
}

/** In a commit or a start position, `offset` is that of the next record to read. */
export interface TopicPartitionOffset extends TopicPartition {
  offset: bigint;
}

/** A record to send. The partition is always ours (murmur2 of the subject): no driver's partitioner is ever asked. */
export interface KafkaRecord extends TopicPartition {
  key: Buffer | null;
  value: Buffer | null;
  /** UTF-8 strings. */
  headers: Record<string, string>;
}

export interface FetchedRecord extends TopicPartition {
  offset: bigint;
  /** Milliseconds since the epoch, as the topic's `message.timestamp.type` has it. */
  timestampMs: number;
  key: Buffer | null;
  value: Buffer | null;
  /** UTF-8 strings; of a repeated header the last one. */
  headers: Record<string, string>;
  /** Names of headers that came more than once; absent where none did. */
  doubled?: readonly string[];
  /** Why the bytes at this offset cannot be decoded; absent where they can. Then there is no key, value or header. */
  unreadable?: string;
}

export interface TopicSpec {
  name: string;
  partitions: number;
  /** Default: the broker's own (1 on the embedded one). */
  replicationFactor?: number;
  /** Topic settings by Kafka's names, e.g. `max.message.bytes`, `cleanup.policy`, `retention.ms`. */
  config?: Record<string, string>;
}

/** What the drivers say beside errors. A pino logger fits. Never gets a record's key, value or headers. */
export interface KafkaLogger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export interface KafkaPort {
  readonly driver: KafkaDriver;

  /**
   * Creates the topics that are missing; idempotent, also between processes. An existing topic keeps what was set on it, except that
   * `max.message.bytes` is raised where it is below the spec's; what was never set on it becomes as the spec has it, where we may.
   *
   * @throws {KafkaTopicError} A topic exists with another number of partitions (its message names both), or could not be created.
   * @throws {KafkaUnavailableError} No broker answered in time.
   */
  ensureTopics(specs: readonly TopicSpec[]): Promise<void>;

  /** Deletes topics and their records; one that is not there is passed over. For tests and tools. */
  deleteTopics(names: readonly string[]): Promise<void>;

  /**
   * Settings of a topic that are in force, by Kafka's names, whoever has set them.
   *
   * @throws {KafkaTopicError} There is no such topic.
   */
  topicSettings(topic: string, names: readonly string[]): Promise<Map<string, string>>;

  /** @throws {KafkaTopicError} There is no such topic. */
  partitionCount(topic: string): Promise<number>;

  /** By partition, the offset that the next record will get. @throws {KafkaTopicError} There is no such topic. */
  endOffsets(topic: string): Promise<Map<number, bigint>>;

  /** By partition, the offset of the first record that is still there. @throws {KafkaTopicError} There is no such topic. */
  beginningOffsets(topic: string): Promise<Map<number, bigint>>;

  producer(options?: KafkaProducerOptions): Promise<KafkaProducer>;

  /** Joins the group. Resolves before the first assignment. A broker that is away is waited for, behind the resolved promise. */
  groupConsumer(options: GroupConsumerOptions): Promise<KafkaConsumer>;

  /** Reads every partition of a topic from its beginning, or from a time, without a group and without commits, and goes on following it. */
  readAll(topic: string, options: ReadAllOptions): Promise<KafkaReader>;

  /**
   * How far a group is behind, by topic and partition: end minus committed offset; where the group has committed nothing, end minus
   * beginning. Never negative.
   */
  consumerLag(groupId: string, topics: readonly string[]): Promise<Map<string, Map<number, bigint>>>;

  /** Closes everything that was made through this port. Bounded; idempotent; never rejects. */
  close(): Promise<void>;
}

export interface KafkaProducerOptions {
  clientId?: string;
  /** The bound of one `send`, retries included. Default 10,000. */
  requestTimeoutMs?: number;
}

export interface KafkaProducer {
  /**
   * Sends with acks=all from an idempotent producer. Records of one partition keep their order, within the call and across calls
   * that are awaited one after the other. A call is not atomic over partitions.
   *
   * @returns The offset of the first record of each partition, once every record is acknowledged.
   * @throws {KafkaSendError} At the latest after `requestTimeoutMs`. What it lists as `failed` is not known to be written (it still may
   *   be, after a time-out: send again and expect duplicates); what it does not list is.
   */
  send(records: readonly KafkaRecord[]): Promise<TopicPartitionOffset[]>;

  /** Bounded; idempotent; never rejects. */
  close(): Promise<void>;
}

export interface AssignedPartition extends TopicPartition {
  /** The group's committed offset, or null where it has none. */
  committed: bigint | null;
}

export interface GroupConsumerOptions {
  groupId: string;
  topics: readonly string[];
  clientId?: string;
  /** Without a heartbeat for so long, the group takes the partitions away. Default 10,000. */
  sessionTimeoutMs?: number;
  /** The bound of `onRevoked` (and of the group's patience with a member in a rebalance). Default 30,000. */
  rebalanceTimeoutMs?: number;
  /** Of one fetch; at least the largest record, which is delivered even if it is larger. Default 1 MiB. */
  maxBytesPerPartition?: number;
  /**
   * Back-pressure: nothing more is fetched while so many records, evenly over the assigned partitions, are not yet handled; one fetch may
   * go beyond it. No delivery is larger. Default 2,000.
   */
  maxInFlightRecords?: number;
  /** The same in bytes, over all assigned partitions; of each of them one batch may go beyond it. Default 32 MiB. */
  maxInFlightBytes?: number;

  /**
   * Called before any record of newly assigned partitions is delivered. Bounded by the rebalance timeout; a rejection goes to `onError`
   * and it is called again, after a backoff, while the partitions are still ours.
   *
   * @returns Where to start; a partition that is not named starts at its committed offset, and without one at the earliest record.
   */
  onAssigned(partitions: readonly AssignedPartition[]): Promise<readonly TopicPartitionOffset[]>;

  /**
   * Called when partitions are to be given up. It drains, commits and resolves; only then does the driver let go (at the latest after
   * the rebalance timeout). No new delivery of theirs begins meanwhile. With `lost` they belong to somebody else already: commits of
   * theirs are refused.
   */
  onRevoked(partitions: readonly TopicPartition[], lost: boolean): Promise<void>;

  /**
   * Delivers records of one partition in offset order. An offset whose batch cannot be decoded, asked for several times, is delivered
   * too, as `unreadable`. The next delivery of the same partition waits until this one settles; other
   * partitions go on. A rejection goes to `onError`, and the same records are delivered again after a backoff. While `onRevoked` is under
   * way it may settle early, with only the first of the records handled: what is not committed is delivered to the next owner.
   */
  onRecords(topic: string, partition: number, records: readonly FetchedRecord[]): Promise<void>;

  /**
   * The offset to read is gone (retention) or does not exist (Kafka has lost its end). It is never reset silently: the partition stands
   * still until this says where to go on, which it does after a backfill. A rejection goes to `onError`, and it is asked again after a
   * backoff.
   *
   * @param wanted The offset that could not be read.
   * @param earliest The first offset that can be read; `wanted` is above it only where the topic's end is below `wanted`.
   */
  onOutOfRange(topic: string, partition: number, wanted: bigint, earliest: bigint): Promise<bigint>;

  /** Everything that went wrong and is being retried. Must not throw. */
  onError(error: Error): void;
}

export interface KafkaConsumer {
  /** The partitions that are ours now. */
  readonly assigned: readonly TopicPartition[];

  /**
   * @throws {KafkaNotAssignedError} A partition is not ours (any more). Nothing of the call is committed.
   * @throws {KafkaUnavailableError} The coordinator did not take it within 5 s. A later commit covers it.
   */
  commit(offsets: readonly TopicPartitionOffset[]): Promise<void>;

  /** Begins no new delivery of the partition until it is resumed. A new assignment is never paused. Not ours: does nothing. */
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;

  /** Stops delivering, calls `onRevoked` for what is assigned, leaves the group. Bounded; idempotent; never rejects. */
  close(): Promise<void>;
}

export interface ReadAllOptions {
  /** From the first record that is there, or from the first that is not older than a time (milliseconds since 1970). */
  from: 'beginning' | { readonly sinceMs: number };
  /** Closes the reader. */
  signal?: AbortSignal;
  /**
   * Called for one record after the other; the next waits for it. A rejection stops the reader: `onError`, then closed. What cannot be
   * decoded is passed over, and said to `onError`.
   */
  onRecord(record: FetchedRecord): Promise<void> | void;
  /** Called once, after every record was handled that was there when the reader started. At once for an empty topic. */
  onCaughtUp(): void;
  /** Everything that went wrong and is being retried, or was passed over. Must not throw. */
  onError?(error: Error): void;
}

export interface KafkaReader {
  /** Settles the record in hand, then stops. Bounded; idempotent; never rejects. */
  close(): Promise<void>;
}
