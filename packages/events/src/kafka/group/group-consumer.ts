import { Backoff } from '../backoff.ts';
import { KafkaNotAssignedError } from '../errors.ts';
import type {
  AssignedPartition,
  GroupConsumerOptions,
  KafkaConsumer,
  TopicPartition,
  TopicPartitionOffset,
} from '../port.ts';
import type { KafkaWire } from '../wire.ts';
import { Fetcher } from './fetcher.ts';
import { Membership } from './membership.ts';
import { asError, PartitionFeed } from './partition-feed.ts';

/**
 * Of all partitions of a member together: some 16 KiB for each of the records that may be held, so that with events of the usual size the
 * records count, and with the largest (2 MiB) a process of half a gigabyte has room for it several times over.
 */
const MAX_IN_FLIGHT_BYTES = 32 * 1024 * 1024;

/** The partitions of one generation. What belongs to an older one can neither deliver nor commit. */
interface Assignment {
  readonly partitions: readonly TopicPartition[];
  readonly feeds: Map<string, PartitionFeed>;
  readonly ended: AbortController;
  /** Whether `onAssigned` was called: only then is `onRevoked` due. */
  announced: boolean;
  /** The start-up of the feeds; over before `onRevoked` is called. */
  starting: Promise<void>;
}

const hasEnded = (assignment: Assignment): boolean => assignment.ended.signal.aborted;

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** A group consumer over single requests, the same for every driver. Owns the wire. */
export class GroupConsumer implements KafkaConsumer {
  readonly #wire: KafkaWire;
  readonly #options: GroupConsumerOptions;
  readonly #membership: Membership;
  readonly #fetcher: Fetcher;
  /** The last feed of each partition: its delivery may still run when the partition comes back to us. */
  readonly #lastFeeds = new Map<string, PartitionFeed>();
  #assignment: Assignment | undefined;
  /** The end of the generation before: only then may the next one be announced. */
  #left: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(wire: KafkaWire, options: GroupConsumerOptions) {
    this.#wire = wire;
    this.#options = options;
    const onError = (error: Error): void => options.onError(error);
    this.#fetcher = new Fetcher({
      wire,
      topics: options.topics,
      maxBytesPerPartition: options.maxBytesPerPartition ?? 1_048_576,
      onError,
    });
    this.#membership = new Membership({
      wire,
      groupId: options.groupId,
      topics: options.topics,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 30_000,
      onJoined: (partitions) => this.#onJoined(partitions),
      onLeaving: (lost) => this.#onLeaving(lost),
      onError,
    });
  }

  start(): this {
    this.#membership.start();
    return this;
  }

  get assigned(): readonly TopicPartition[] {
    return this.#assignment?.partitions ?? [];
  }

  async commit(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    for (const { topic, partition } of offsets) {
      if (!this.#assignment?.partitions.some((each) => each.topic === topic && each.partition === partition)) {
        throw new KafkaNotAssignedError(topic, partition);
      }
    }
    await this.#membership.commit(offsets);
  }

  pause(partition: TopicPartition): void {
    this.#assignment?.feeds.get(keyOf(partition))?.pause();
  }

  resume(partition: TopicPartition): void {
    this.#assignment?.feeds.get(keyOf(partition))?.resume();
  }

  close(): Promise<void> {
    this.#closed ??= this.#membership.close().then(async () => {
      this.#fetcher.close();
      await this.#wire.close();
    });
    return this.#closed;
  }

  #onJoined(partitions: readonly TopicPartition[]): void {
    const assignment: Assignment = {
      partitions,
      feeds: new Map(),
      ended: new AbortController(),
      announced: false,
      starting: Promise.resolve(),
    };
    this.#assignment = assignment;
    assignment.starting = this.#left.then(() => this.#startFeeds(assignment));
  }

  #onLeaving(lost: boolean): Promise<void> {
    const assignment = this.#assignment;
    if (!assignment) return Promise.resolve();
    const leaving = this.#leave(assignment, lost);
    // Who reads `onRevoked` late, since a drain took longer than the group waits, must not take it for the partitions that came after.
    this.#left = leaving.catch(() => undefined);
    return leaving;
  }

  async #leave(assignment: Assignment, lost: boolean): Promise<void> {
    if (lost) this.#assignment = undefined;
    assignment.ended.abort();
    for (const feed of assignment.feeds.values()) {
      feed.stop();
      this.#fetcher.remove(feed);
    }
    await assignment.starting;
    if (assignment.announced) await this.#options.onRevoked(assignment.partitions, lost);
    if (!lost) await Promise.all([...assignment.feeds.values()].map((feed) => feed.stopped()));
    if (this.#assignment === assignment) this.#assignment = undefined;
  }

  async #startFeeds(assignment: Assignment): Promise<void> {
    if (assignment.partitions.length === 0) return;
    const backoff = new Backoff(100, 2_000);
    while (!hasEnded(assignment)) {
      try {
        const partitions = await this.#committed(assignment.partitions);
        if (hasEnded(assignment)) return;
        assignment.announced = true;
        const starts = await this.#startPositions(partitions, await this.#options.onAssigned(partitions));
        if (!hasEnded(assignment)) this.#addFeeds(assignment, starts);
        return;
      } catch (error) {
        if (!this.#closed) this.#options.onError(asError(error));
        await backoff.wait(assignment.ended.signal);
      }
    }
  }

  async #committed(partitions: readonly TopicPartition[]): Promise<AssignedPartition[]> {
    const committed = await this.#wire.committed(this.#options.groupId, partitions);
    const offsets = new Map(committed.map((each) => [keyOf(each), each.offset]));
    return partitions.map((each) => ({ ...each, committed: offsets.get(keyOf(each)) ?? null }));
  }

  async #startPositions(
    partitions: readonly AssignedPartition[],
    wanted: readonly TopicPartitionOffset[],
  ): Promise<Map<string, bigint>> {
    const starts = new Map(wanted.map((each) => [keyOf(each), each.offset]));
    const earliest = new Map<string, Map<number, bigint>>();
    for (const each of partitions) {
      if (starts.has(keyOf(each))) continue;
      let start = each.committed;
      if (start === null) {
        const offsets = earliest.get(each.topic) ?? (await this.#wire.offsets(each.topic, 'earliest'));
        earliest.set(each.topic, offsets);
        start = offsets.get(each.partition) ?? 0n;
      }
      starts.set(keyOf(each), start);
    }
    return starts;
  }

  #addFeeds(assignment: Assignment, starts: ReadonlyMap<string, bigint>): void {
    const {
      maxInFlightRecords = 2_000,
      maxInFlightBytes = MAX_IN_FLIGHT_BYTES,
      onRecords,
      onOutOfRange,
    } = this.#options;
    const each = assignment.partitions.length;
    const maxHeld = Math.max(1, Math.floor(maxInFlightRecords / each));
    const maxHeldBytes = Math.max(1, Math.floor(maxInFlightBytes / each));
    for (const { topic, partition } of assignment.partitions) {
      const key = keyOf({ topic, partition });
      const feed = new PartitionFeed(
        {
          topic,
          partition,
          position: starts.get(key) ?? 0n,
          maxHeld,
          maxHeldBytes,
          onRecords: (records) => onRecords(topic, partition, records),
          onGap: (wanted, earliest) => onOutOfRange(topic, partition, wanted, earliest),
          onError: (error) => this.#options.onError(error),
          onRoom: () => this.#fetcher.wake(),
        },
        this.#lastFeeds.get(key),
      );
      this.#lastFeeds.set(key, feed);
      assignment.feeds.set(key, feed);
      this.#fetcher.add(feed);
    }
  }
}
