import kafkajs, { type Logger } from 'kafkajs';
import type Broker from 'kafkajs/src/broker/index.js';
import type { BrokerAddress } from '../kafka-connection.ts';
import type { TopicPartition, TopicPartitionOffset } from '../port.ts';
import {
  type FetchAnswer,
  type FetchAsk,
  type GroupMember,
  type JoinAnswer,
  type JoinRequest,
  type KafkaWire,
  listOffsetsTimestamp,
  type OffsetPosition,
  type ProduceAnswer,
  type ProduceBatch,
  type ProducerId,
  type SyncRequest,
  WireError,
} from '../wire.ts';
import { BrokerLink } from './broker-link.ts';
import { readMessages } from './read-messages.ts';
import { toWireError } from './wire-error.ts';

// Node sees no named exports of these in kafkajs, which is CommonJS.
const { AssignerProtocol } = kafkajs;

const ASSIGNOR = 'roundrobin';
const GROUP_COORDINATOR = 0;
const COORDINATOR_MOVED = new Set<string>(['NETWORK', 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE']);

export interface KafkajsWireOptions {
  brokers: readonly BrokerAddress[];
  clientId: string;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  logger: Logger;
}

/**
 * Single requests by kafkajs. It keeps a connection for fetches beside one for the rest; joins, which are answered only when the whole
 * group has joined, get a link of their own, so that nothing waits behind them.
 */
export class KafkajsWire implements KafkaWire {
  readonly #options: KafkajsWireOptions;
  readonly #links = new Map<string, BrokerLink>();
  #nodes = new Map<number, BrokerAddress>();
  readonly #coordinators = new Map<string, BrokerAddress>();
  #closed = false;

  constructor(options: KafkajsWireOptions) {
    this.#options = options;
  }

  async leaders(topics: readonly string[]): Promise<Map<string, number[]>> {
    const response = await this.#anywhere((broker) => broker.metadata(topics));
    this.#nodes = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    return new Map(
      response.topicMetadata.map(({ topic, partitionMetadata }) => {
        const nodes = new Array<number>(partitionMetadata.length).fill(-1);
        for (const { partitionId, leader } of partitionMetadata) nodes[partitionId] = leader;
        return [topic, nodes];
      }),
    );
  }

  async offsets(topic: string, which: OffsetPosition): Promise<Map<number, bigint>> {
    const leaders = (await this.leaders([topic])).get(topic) ?? [];
    const timestamp = listOffsetsTimestamp(which);
    const offsets = new Map<number, bigint>();
    for (const node of new Set(leaders)) {
      const partitions = leaders.flatMap((leader, partition) => (leader === node ? [{ partition, timestamp }] : []));
      const response = await this.#atNode(node, (broker) =>
        broker.listOffsets({ replicaId: -1, isolationLevel: 0, topics: [{ topic, partitions }] }),
      );
      for (const { partition, offset } of response.responses.flatMap((each) => each.partitions)) {
        offsets.set(partition, BigInt(offset));
      }
    }
    return offsets;
  }

  async fetch(node: number, asks: readonly FetchAsk[], maxWaitMs: number): Promise<FetchAnswer[]> {
    const response = await this.#atNode(node, (broker) =>
      broker.fetch({
        replicaId: -1,
        isolationLevel: 0,
        maxWaitTime: maxWaitMs,
        minBytes: 1,
        maxBytes: Math.max(...asks.map((ask) => ask.maxBytes)) + 8_388_608,
        topics: byTopic(asks, ({ partition, offset, maxBytes }) => ({
          partition,
          fetchOffset: String(offset),
          maxBytes,
        })),
      }),
    );
    const answers: FetchAnswer[] = [];
    for (const ask of asks) {
      const partition = response.responses
        .find((each) => each.topicName === ask.topic)
        ?.partitions.find((each) => each.partition === ask.partition);
      if (!partition) continue;
      const read = readMessages(ask, partition.messages);
      // kafkajs does not show batches without records. Alone in a request, a partition that has more gets at least one batch; if it
      // shows nothing, that batch is empty.
      const nothingShown = read.next === ask.offset && BigInt(partition.highWatermark) > ask.offset;
      if (nothingShown && asks.length > 1) answers.push(...(await this.fetch(node, [ask], 0)));
      else {
        const { topic, partition: index } = ask;
        answers.push({ topic, partition: index, ...read, next: nothingShown ? ask.offset + 1n : read.next });
      }
    }
    return answers;
  }

  async initProducer(): Promise<ProducerId> {
    const { producerId, producerEpoch } = await this.#anywhere((broker) =>
      broker.initProducerId({ transactionTimeout: 0 }),
    );
    return { id: BigInt(producerId), epoch: producerEpoch };
  }

  async produce(
    node: number,
    producer: ProducerId,
    batches: readonly ProduceBatch[],
    timeoutMs: number,
  ): Promise<ProduceAnswer[]> {
    try {
      const response = await this.#atNode(node, (broker) =>
        broker.produce({
          acks: -1,
          timeout: timeoutMs,
          producerId: String(producer.id),
          producerEpoch: producer.epoch,
          topicData: byTopic(batches, ({ partition, baseSequence, records }) => ({
            partition,
            firstSequence: baseSequence,
            messages: records.map(({ key, value, headers }) => ({
              key,
              value,
              headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
            })),
          })),
        }),
      );
      return response.topics.flatMap(({ topicName, partitions }) =>
        partitions.map(({ partition, baseOffset }) => ({ topic: topicName, partition, offset: BigInt(baseOffset) })),
      );
    } catch (error) {
      const [only] = batches;
      if (!(error instanceof WireError) || error.code === 'NETWORK' || !only) throw error;
      if (batches.length === 1) return [{ topic: only.topic, partition: only.partition, offset: -1n, error }];
      // kafkajs tells the first error and not whose it is. Asked again one by one: what was written is known by its numbers.
      const answers = [];
      for (const batch of batches) answers.push(...(await this.produce(node, producer, [batch], timeoutMs)));
      return answers;
    }
  }

  async join({ groupId, memberId, topics, sessionTimeoutMs, rebalanceTimeoutMs }: JoinRequest): Promise<JoinAnswer> {
    const metadata = AssignerProtocol.MemberMetadata.encode({
      version: 0,
      topics: [...topics],
      userData: Buffer.alloc(0),
    });
    const response = await this.#coordinated(groupId, 'joins', (broker) =>
      broker.joinGroup({
        groupId,
        memberId,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: rebalanceTimeoutMs,
        groupProtocols: [{ name: ASSIGNOR, metadata }],
      }),
    );
    return {
      groupId,
      memberId: response.memberId,
      generation: response.generationId,
      leader: response.leaderId === response.memberId,
      members: response.members.map((member) => ({
        memberId: member.memberId,
        topics: AssignerProtocol.MemberMetadata.decode(member.memberMetadata)?.topics ?? [],
      })),
    };
  }

  async sync({ groupId, memberId, generation, assignments }: SyncRequest): Promise<TopicPartition[]> {
    const groupAssignment = [...assignments].map(([member, partitions]) => ({
      memberId: member,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment: Object.fromEntries(
          byTopic(partitions, ({ partition }) => partition).map((each) => [each.topic, each.partitions]),
        ),
        userData: Buffer.alloc(0),
      }),
    }));
    const { memberAssignment } = await this.#coordinated(groupId, 'joins', (broker) =>
      broker.syncGroup({ groupId, memberId, generationId: generation, groupAssignment }),
    );
    const assigned = AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {};
    return Object.entries(assigned).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
  }

  async heartbeat({ groupId, memberId, generation }: GroupMember): Promise<void> {
    await this.#coordinated(groupId, 'calls', (broker) =>
      broker.heartbeat({ groupId, memberId, groupGenerationId: generation }),
    );
  }

  async leave({ groupId, memberId }: GroupMember): Promise<void> {
    await this.#coordinated(groupId, 'calls', (broker) => broker.leaveGroup({ groupId, memberId }));
  }

  async commit(
    { groupId, memberId, generation }: GroupMember,
    offsets: readonly TopicPartitionOffset[],
  ): Promise<void> {
    const topics = byTopic(offsets, ({ partition, offset }) => ({ partition, offset: String(offset) }));
    await this.#coordinated(groupId, 'calls', (broker) =>
      broker.offsetCommit({ groupId, memberId, groupGenerationId: generation, topics }),
    );
  }

  async committed(groupId: string, partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const { responses } = await this.#coordinated(groupId, 'calls', (broker) =>
      broker.offsetFetch({ groupId, topics }),
    );
    return responses.flatMap(({ topic, partitions: answers }) =>
      answers
        .map(({ partition, offset }) => ({ topic, partition, offset: BigInt(offset) }))
        .filter(({ offset }) => offset >= 0n),
    );
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const link of this.#links.values()) link.drop();
    this.#links.clear();
    return Promise.resolve();
  }

  async #coordinated<Answer>(
    groupId: string,
    purpose: 'calls' | 'joins',
    call: (broker: Broker) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      const coordinator = this.#coordinators.get(groupId) ?? (await this.#findCoordinator(groupId));
      this.#coordinators.set(groupId, coordinator);
      return await this.#at(coordinator, purpose, call);
    } catch (error) {
      if (error instanceof WireError && COORDINATOR_MOVED.has(error.code)) this.#coordinators.delete(groupId);
      throw error;
    }
  }

  async #findCoordinator(groupId: string): Promise<BrokerAddress> {
    const request = { groupId, coordinatorType: GROUP_COORDINATOR };
    return (await this.#anywhere((broker) => broker.findGroupCoordinator(request))).coordinator;
  }

  /** At the first broker that can be reached; those that were heard of come first. */
  async #anywhere<Answer>(call: (broker: Broker) => Promise<Answer>): Promise<Answer> {
    let failure = new WireError('NETWORK');
    for (const address of [...this.#nodes.values(), ...this.#options.brokers]) {
      try {
        return await this.#at(address, 'calls', call);
      } catch (error) {
        if (!(error instanceof WireError) || error.code !== 'NETWORK') throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #atNode<Answer>(node: number, call: (broker: Broker) => Promise<Answer>): Promise<Answer> {
    const address = this.#nodes.get(node);
    if (!address) throw new WireError('LEADER_NOT_AVAILABLE');
    return await this.#at(address, 'calls', call);
  }

  async #at<Answer>(
    { host, port }: BrokerAddress,
    purpose: 'calls' | 'joins',
    call: (broker: Broker) => Promise<Answer>,
  ): Promise<Answer> {
    if (this.#closed) throw new WireError('NETWORK', new Error('closed'));
    const key = `${purpose} ${host}:${port}`;
    let link = this.#links.get(key);
    if (!link) {
      link = new BrokerLink({ host, port, ...this.#options });
      this.#links.set(key, link);
    }
    try {
      return await call(await link.broker());
    } catch (error) {
      const wireError = toWireError(error);
      if (wireError.code === 'NETWORK') {
        // Also after a time-out: kafkajs would go on using a connection that no answer comes from.
        if (this.#links.get(key) === link) this.#links.delete(key);
        link.drop();
      }
      throw wireError;
    }
  }
}

function byTopic<Item extends TopicPartition, Entry>(
  items: readonly Item[],
  toEntry: (item: Item) => Entry,
): { topic: string; partitions: Entry[] }[] {
  const grouped = new Map<string, Entry[]>();
  for (const item of items) grouped.set(item.topic, [...(grouped.get(item.topic) ?? []), toEntry(item)]);
  return [...grouped].map(([topic, partitions]) => ({ topic, partitions }));
}
