import type {
  AssignedPartition,
  FetchedRecord,
  GroupConsumerOptions,
  KafkaConsumer,
  KafkaPort,
  TopicPartition,
} from '../port.ts';
import { eventually } from './eventually.ts';

export type Handlers = Partial<
  Pick<
    GroupConsumerOptions,
    'onAssigned' | 'onRecords' | 'onOutOfRange' | 'onRevoked' | 'maxInFlightRecords' | 'maxInFlightBytes'
  >
> & { commits?: boolean; sessionTimeoutMs?: number; rebalanceTimeoutMs?: number };

/** A group consumer as a service would write it: handles, then commits, and drains before it gives up. It notes what happens. */
export class TestConsumer {
  readonly records: FetchedRecord[] = [];
  readonly errors: Error[] = [];
  readonly assignments: AssignedPartition[][] = [];
  readonly revocations: { partitions: readonly TopicPartition[]; lost: boolean }[] = [];
  readonly #inHand = new Set<Promise<void>>();
  #consumer: KafkaConsumer | undefined;

  static async start(
    port: KafkaPort,
    groupId: string,
    topics: string[],
    handlers: Handlers = {},
  ): Promise<TestConsumer> {
    const test = new TestConsumer();
    const { commits = true, onRecords, onAssigned, onRevoked, ...rest } = handlers;
    const consumer = await port.groupConsumer({
      groupId,
      topics,
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 10_000,
      onOutOfRange: (topic) => Promise.reject(new Error(`not expected to be out of range: ${topic}`)),
      ...rest,
      onAssigned: async (partitions) => {
        test.assignments.push([...partitions]);
        return (await onAssigned?.(partitions)) ?? [];
      },
      onRevoked: async (partitions, lost) => {
        await Promise.all(test.#inHand);
        await onRevoked?.(partitions, lost);
        test.revocations.push({ partitions, lost });
      },
      onRecords: async (topic, partition, records) => {
        const handled = (async (): Promise<void> => {
          await onRecords?.(topic, partition, records);
          test.records.push(...records);
          const last = records.at(-1);
          if (commits && last) await consumer.commit([{ topic, partition, offset: last.offset + 1n }]);
        })();
        test.#inHand.add(handled);
        await handled.finally(() => test.#inHand.delete(handled));
      },
      onError: (error) => void test.errors.push(error),
    });
    test.#consumer = consumer;
    return test;
  }

  get consumer(): KafkaConsumer {
    if (!this.#consumer) throw new Error('not started');
    return this.#consumer;
  }

  /** The values of a partition, as text. */
  values(partition?: number): string[] {
    return this.records
      .filter((record) => partition === undefined || record.partition === partition)
      .map((record) => record.value?.toString() ?? 'null');
  }

  async assigned(count: number): Promise<void> {
    await eventually(() => this.consumer.assigned.length === count && this.assignments.length > 0);
  }

  async received(count: number): Promise<void> {
    await eventually(() => this.records.length >= count);
  }
}
