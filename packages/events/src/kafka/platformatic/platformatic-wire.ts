import {
  type Broker,
  type Connection,
  ConnectionPool,
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  fetchV17,
  findCoordinatorV6,
  heartbeatV4,
  initProducerIdV5,
  joinGroupV9,
  leaveGroupV5,
  listOffsetsV9,
  metadataV12,
  offsetCommitV9,
  offsetFetchV9,
  ResponseError,
  syncGroupV5,
} from '@platformatic/kafka';
import { settledWithin } from '../backoff.ts';
import type { TopicPartition, TopicPartitionOffset } from '../port.ts';
import type {
  FetchAnswer,
  FetchAsk,
  GroupMember,
  JoinAnswer,
  JoinRequest,
  KafkaWire,
  OffsetPosition,
  ProduceAnswer,
  ProduceBatch,
  ProducerId,
  SyncRequest,
} from '../wire.ts';
import { listOffsetsTimestamp, WireError } from '../wire.ts';
import { produceBatches } from './produce-batches.ts';
import { readFetchResponse } from './read-fetch-response.ts';
import { toWireError } from './wire-error.ts';

const PROTOCOL_TYPE = 'consumer';
const ASSIGNOR = 'roundrobin';
const GROUP_COORDINATOR = 0;
const CLOSE_BOUND_MS = 2_000;

export interface PlatformaticWireOptions {
  brokers: readonly Broker[];
  clientId: string;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  /** A join is answered only when the whole group has joined. */
  rebalanceTimeoutMs: number;
}

/**
 * Requests in the versions that every Kafka since 4.0 answers. Three connections a broker, because a broker reads a connection's next
 * request only after it has answered the one before: long polls, joins and all the rest must not wait for each other.
 */
export class PlatformaticWire implements KafkaWire {
  readonly #options: PlatformaticWireOptions;
  readonly #calls: ConnectionPool;
  readonly #joins: ConnectionPool;
  readonly #fetches: ConnectionPool;
  #nodes = new Map<number, Broker>();
  #topicIds = new Map<string, string>();
  readonly #coordinators = new Map<string, Broker>();

  constructor(options: PlatformaticWireOptions) {
    const { clientId, connectTimeoutMs: connectTimeout, requestTimeoutMs, rebalanceTimeoutMs } = options;
    this.#options = options;
    this.#calls = new ConnectionPool(clientId, { connectTimeout, requestTimeout: requestTimeoutMs });
    this.#fetches = new ConnectionPool(clientId, { connectTimeout, requestTimeout: requestTimeoutMs });
    this.#joins = new ConnectionPool(clientId, {
      connectTimeout,
      requestTimeout: rebalanceTimeoutMs + requestTimeoutMs,
    });
  }

  async leaders(topics: readonly string[]): Promise<Map<string, number[]>> {
    return await answered(async () => {
      const response = await metadataV12.api.async(await this.#anyConnection(), [...topics], false, false);
      this.#nodes = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
      const leaders = new Map<string, number[]>();
      for (const topic of response.topics) {
        if (topic.name == null) continue;
        this.#topicIds.set(topic.name, topic.topicId);
        const nodes = new Array<number>(topic.partitions.length).fill(-1);
        for (const { partitionIndex, leaderId } of topic.partitions) nodes[partitionIndex] = leaderId;
        leaders.set(topic.name, nodes);
      }
      return leaders;
    });
  }

  async offsets(topic: string, which: OffsetPosition): Promise<Map<number, bigint>> {
    const leaders = (await this.leaders([topic])).get(topic) ?? [];
    const timestamp = BigInt(listOffsetsTimestamp(which));
    return await answered(async () => {
      const offsets = new Map<number, bigint>();
      for (const node of new Set(leaders)) {
        const partitions = leaders.flatMap((leader, partitionIndex) =>
          leader === node ? [{ partitionIndex, currentLeaderEpoch: -1, timestamp }] : [],
        );
        const connection = await this.#nodeConnection(this.#calls, node);
        const response = await listOffsetsV9.api.async(connection, -1, 0, [{ name: topic, partitions }]);
        for (const { partitionIndex, offset } of response.topics.flatMap((each) => each.partitions)) {
          offsets.set(partitionIndex, offset);
        }
      }
      return offsets;
    });
  }

  async fetch(node: number, asks: readonly FetchAsk[], maxWaitMs: number): Promise<FetchAnswer[]> {
    return await answered(async () => {
      const connection = await this.#nodeConnection(this.#fetches, node);
      const topics = [...new Set(asks.map((ask) => ask.topic))].map((topic) => ({
        topicId: this.#topicId(topic),
        partitions: asks
          .filter((ask) => ask.topic === topic)
          .map(({ partition, offset, maxBytes }) => ({
            partition,
            currentLeaderEpoch: -1,
            fetchOffset: offset,
            lastFetchedEpoch: -1,
            partitionMaxBytes: maxBytes,
          })),
      }));
      const maxBytes = Math.max(...asks.map((ask) => ask.maxBytes)) + 8_388_608;
      const response = await fetchV17.api
        .async(connection, maxWaitMs, 1, maxBytes, 0, 0, -1, topics, [], '')
        .catch((error: unknown) => {
          // An error of one partition makes the library reject, but all of the answer is there.
          if (error instanceof ResponseError && isFetchResponse(error.response)) return error.response;
          throw error;
        });
      return readFetchResponse(response, asks, (topic) => this.#topicId(topic));
    });
  }

  async initProducer(): Promise<ProducerId> {
    return await answered(async () => {
      // -1, -1: not a continuation of an older producer id (KIP-360).
      const response = await initProducerIdV5.api.async(await this.#anyConnection(), null, 0, -1n, -1);
      return { id: response.producerId, epoch: response.producerEpoch };
    });
  }

  async produce(
    node: number,
    { id, epoch }: ProducerId,
    batches: readonly ProduceBatch[],
    timeoutMs: number,
  ): Promise<ProduceAnswer[]> {
    return await answered(async () => {
      const connection = await this.#nodeConnection(this.#fetches, node);
      return await produceBatches(connection, { id, epoch }, batches, timeoutMs);
    });
  }

  async join({ groupId, memberId, topics, sessionTimeoutMs, rebalanceTimeoutMs }: JoinRequest): Promise<JoinAnswer> {
    return await this.#coordinated(groupId, this.#joins, async (connection) => {
      const metadata = encodeConsumerProtocolSubscription({ version: 0, topics: [...topics] });
      const protocols = [{ name: ASSIGNOR, metadata }];
      const response = await joinGroupV9.api.async(
        connection,
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId,
        null,
        PROTOCOL_TYPE,
        protocols,
        null,
      );
      return {
        groupId,
        memberId: response.memberId,
        generation: response.generationId,
        leader: response.leader === response.memberId,
        members: response.members.map((member) => ({
          memberId: member.memberId,
          topics: decodeConsumerProtocolSubscription(member.metadata).topics,
        })),
      };
    });
  }

  async sync({ groupId, memberId, generation, assignments }: SyncRequest): Promise<TopicPartition[]> {
    return await this.#coordinated(groupId, this.#joins, async (connection) => {
      const encoded = [...assignments].map(([member, partitions]) => ({
        memberId: member,
        assignment: encodeConsumerProtocolAssignment({ version: 0, assignedPartitions: byTopic(partitions) }),
      }));
      const response = await syncGroupV5.api.async(
        connection,
        groupId,
        generation,
        memberId,
        null,
        PROTOCOL_TYPE,
        ASSIGNOR,
        encoded,
      );
      if (response.assignment.length === 0) return [];
      return decodeConsumerProtocolAssignment(response.assignment).assignedPartitions.flatMap(({ topic, partitions }) =>
        partitions.map((partition) => ({ topic, partition })),
      );
    });
  }

  async heartbeat({ groupId, memberId, generation }: GroupMember): Promise<void> {
    await this.#coordinated(groupId, this.#calls, (connection) =>
      heartbeatV4.api.async(connection, groupId, generation, memberId, null),
    );
  }

  async leave({ groupId, memberId }: GroupMember): Promise<void> {
    await this.#coordinated(groupId, this.#calls, (connection) =>
      leaveGroupV5.api.async(connection, groupId, [{ memberId }]),
    );
  }

  async commit(
    { groupId, memberId, generation }: GroupMember,
    offsets: readonly TopicPartitionOffset[],
  ): Promise<void> {
    const topics = byTopic(offsets).map(({ topic }) => ({
      name: topic,
      partitions: offsets
        .filter((each) => each.topic === topic)
        .map(({ partition, offset }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: -1,
          committedMetadata: null,
        })),
    }));
    await this.#coordinated(groupId, this.#calls, (connection) =>
      offsetCommitV9.api.async(connection, groupId, generation, memberId, null, topics),
    );
  }

  async committed(groupId: string, partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
    const topics = byTopic(partitions).map(({ topic, partitions: indexes }) => ({
      name: topic,
      partitionIndexes: indexes,
    }));
    return await this.#coordinated(groupId, this.#calls, async (connection) => {
      const response = await offsetFetchV9.api.async(connection, [{ groupId, memberEpoch: -1, topics }], true);
      return response.groups
        .flatMap((group) => group.topics)
        .flatMap(({ name, partitions: answers }) =>
          answers
            .filter((each) => each.committedOffset >= 0n)
            .map((each) => ({ topic: name, partition: each.partitionIndex, offset: each.committedOffset })),
        );
    });
  }

  async close(): Promise<void> {
    const pools = [this.#calls, this.#joins, this.#fetches];
    await settledWithin(Promise.allSettled(pools.map((pool) => pool.close())), CLOSE_BOUND_MS);
  }

  async #coordinated<Answer>(
    groupId: string,
    pool: ConnectionPool,
    call: (connection: Connection) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await answered(async () => {
        const coordinator = this.#coordinators.get(groupId) ?? (await this.#findCoordinator(groupId));
        this.#coordinators.set(groupId, coordinator);
        return await call(await pool.get(coordinator));
      });
    } catch (error) {
      if (error instanceof WireError && COORDINATOR_MOVED.has(error.code)) this.#coordinators.delete(groupId);
      throw error;
    }
  }

  async #findCoordinator(groupId: string): Promise<Broker> {
    const response = await findCoordinatorV6.api.async(await this.#anyConnection(), GROUP_COORDINATOR, [groupId]);
    const [coordinator] = response.coordinators;
    if (!coordinator) throw new WireError('COORDINATOR_NOT_AVAILABLE');
    return { host: coordinator.host, port: coordinator.port };
  }

  /** Brokers that were heard of come first: after a move the bootstrap addresses may be out of date. */
  async #anyConnection(): Promise<Connection> {
    return await this.#calls.getFirstAvailable([...this.#nodes.values(), ...this.#options.brokers]);
  }

  async #nodeConnection(pool: ConnectionPool, node: number): Promise<Connection> {
    const broker = this.#nodes.get(node);
    if (!broker) throw new WireError('LEADER_NOT_AVAILABLE');
    return await pool.get(broker);
  }

  #topicId(topic: string): string {
    const id = this.#topicIds.get(topic);
    if (id === undefined) throw new WireError('UNKNOWN_TOPIC_OR_PARTITION');
    return id;
  }
}

const COORDINATOR_MOVED = new Set<string>(['NETWORK', 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE']);

async function answered<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    throw toWireError(error);
  }
}

function isFetchResponse(value: unknown): value is fetchV17.FetchResponse {
  return typeof value === 'object' && value !== null && 'responses' in value;
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const grouped = new Map<string, number[]>();
  for (const { topic, partition } of partitions) grouped.set(topic, [...(grouped.get(topic) ?? []), partition]);
  return [...grouped].map(([topic, indexes]) => ({ topic, partitions: indexes }));
}
