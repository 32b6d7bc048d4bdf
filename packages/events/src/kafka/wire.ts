import type { FetchedRecord, KafkaRecord, TopicPartition, TopicPartitionOffset } from './port.ts';

/** A place in a topic; a number is a time in milliseconds since 1970. */
export type OffsetPosition = 'earliest' | 'latest' | number;

/** A place as the protocol's ListOffsets names it: -2 is the first record, -1 the end, the rest are times. */
export const listOffsetsTimestamp = (which: OffsetPosition): number => {
  if (which === 'earliest') return -2;
  return which === 'latest' ? -1 : Math.max(0, Math.floor(which));
};

/**
 * Single requests to Kafka: what a driver's library has to offer beneath the producer, the group consumer and the reader.
 *
 * Neither library's own consumer can be used. Both rejoin the group as soon as they hear of a rebalance, without waiting for handlers
 * (so that another member runs the same partition at the same time), commit under a membership that they have lost, and reset an
 * offset that is out of range. Nor can their producers: after a failure they number records from zero again while other calls still
 * send under the old producer id, and a broker takes such a batch for a repetition, acknowledges it and drops it. Membership, fetching,
 * delivery (`group/`) and numbering (`produce/`) are therefore ours, once for both drivers; the libraries do what they do well:
 * connections, encoding, decoding, administration.
 *
 * Every call is bounded and rejects with a {@link WireError}.
 */
export interface KafkaWire {
  /** The node that leads each partition, by index; -1 where there is none now. Asked anew at each call. */
  leaders(topics: readonly string[]): Promise<Map<string, number[]>>;
  /**
   * Offsets of all partitions, by index: the first, the next to be written, or the first whose timestamp (milliseconds since 1970)
   * is not before the one given; -1 where there is none.
   */
  offsets(topic: string, which: OffsetPosition): Promise<Map<number, bigint>>;
  /** One long poll of one node. Rejects only if nothing is known of any partition; otherwise errors are by partition. */
  fetch(node: number, asks: readonly FetchAsk[], maxWaitMs: number): Promise<FetchAnswer[]>;
  /** A new producer id: numbers start from zero with it. */
  initProducer(): Promise<ProducerId>;
  /** One request to one node, acks=all. Errors are by batch; rejects only if nothing is known of any. */
  produce(
    node: number,
    producer: ProducerId,
    batches: readonly ProduceBatch[],
    timeoutMs: number,
  ): Promise<ProduceAnswer[]>;
  join(request: JoinRequest): Promise<JoinAnswer>;
  /** @returns What is assigned to this member. */
  sync(request: SyncRequest): Promise<TopicPartition[]>;
  heartbeat(member: GroupMember): Promise<void>;
  leave(member: GroupMember): Promise<void>;
  commit(member: GroupMember, offsets: readonly TopicPartitionOffset[]): Promise<void>;
  /** Those of the partitions for which the group has committed an offset. */
  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]>;
  /** Fails whatever is under way. Bounded; never rejects. */
  close(): Promise<void>;
}

export interface ProducerId {
  id: bigint;
  epoch: number;
}

export interface ProduceBatch extends TopicPartition {
  /** The number of its first record under the producer id. */
  baseSequence: number;
  records: readonly KafkaRecord[];
}

export interface ProduceAnswer extends TopicPartition {
  /** Of the first record. */
  offset: bigint;
  error?: WireError;
}

export interface GroupMember {
  groupId: string;
  memberId: string;
  generation: number;
}

export interface JoinRequest {
  groupId: string;
  /** Empty at first; the coordinator gives one. */
  memberId: string;
  topics: readonly string[];
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
}

export interface JoinAnswer extends GroupMember {
  /** Whether this member assigns; then `members` has everybody, else it is empty. */
  leader: boolean;
  members: readonly SubscribedMember[];
}

export interface SubscribedMember {
  memberId: string;
  topics: readonly string[];
}

export interface SyncRequest extends GroupMember {
  /** From the leader: by member id. */
  assignments: ReadonlyMap<string, readonly TopicPartition[]>;
}

export interface FetchAsk extends TopicPartitionOffset {
  maxBytes: number;
}

export interface FetchAnswer extends TopicPartition {
  /** From the asked offset on, in order. */
  records: FetchedRecord[];
  /** Where to go on: past the records, and past what holds none (compacted away, control markers). */
  next: bigint;
  error?: WireError;
}

/** A Kafka error by its protocol name (`REBALANCE_IN_PROGRESS`), or one of these. */
export type WireErrorCode =
  | 'OFFSET_OUT_OF_RANGE'
  | 'MEMBER_ID_REQUIRED'
  | 'UNKNOWN_MEMBER_ID'
  | 'ILLEGAL_GENERATION'
  | 'FENCED_INSTANCE_ID'
  | 'REBALANCE_IN_PROGRESS'
  | 'UNKNOWN_TOPIC_OR_PARTITION'
  /** No connection, or no answer in time. */
  | 'NETWORK'
  /** The answer cannot be decoded. */
  | 'UNDECODABLE'
  | (string & {});

/** A request that came to nothing, by the code that says why, whichever driver has sent it. */
export class WireError extends Error {
  readonly code: WireErrorCode;
  /** With `MEMBER_ID_REQUIRED`: the id to join with. */
  readonly memberId: string | undefined;

  constructor(code: WireErrorCode, cause?: unknown, memberId?: string) {
    super(cause instanceof Error ? `${code}: ${cause.message}` : code, cause === undefined ? undefined : { cause });
    this.name = 'WireError';
    this.code = code;
    this.memberId = memberId;
  }
}

/** Whether the coordinator no longer knows this member at this generation: its partitions are, or may be, somebody else's. */
export function membershipIsLost(error: unknown): boolean {
  return (
    error instanceof WireError &&
    (error.code === 'UNKNOWN_MEMBER_ID' || error.code === 'ILLEGAL_GENERATION' || error.code === 'FENCED_INSTANCE_ID')
  );
}
