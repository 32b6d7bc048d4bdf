import { Backoff, pause } from './backoff.ts';
import { KafkaTopicError, KafkaUnavailableError } from './errors.ts';
import { GroupConsumer } from './group/group-consumer.ts';
import { TopicReader } from './group/topic-reader.ts';
import type {
  GroupConsumerOptions,
  KafkaConsumer,
  KafkaDriver,
  KafkaPort,
  KafkaProducer,
  KafkaProducerOptions,
  KafkaReader,
  ReadAllOptions,
  TopicSpec,
} from './port.ts';
import { IdempotentProducer } from './produce/idempotent-producer.ts';
import type { TopicAdmin } from './topic-admin.ts';
import { type KafkaWire, WireError } from './wire.ts';

/** How long an administrative call goes on trying. */
const CALL_BOUND_MS = 10_000;
const MAX_MESSAGE_BYTES = 'max.message.bytes';

/** The protocol's names for "no such topic": by name, and by the id of one that was deleted. */
const NO_SUCH_TOPIC = new Set<string>(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INVALID_TOPIC_EXCEPTION']);
/** What a repetition cannot mend. */
const REFUSED = new Set<string>([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_PARTITIONS',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_CONFIG',
  'POLICY_VIOLATION',
]);

export interface WirePortOptions {
  driver: KafkaDriver;
  /** A wire has connections of its own, and belongs to one user of it. */
  createWire(options: { clientId?: string; rebalanceTimeoutMs?: number }): KafkaWire;
  admin: TopicAdmin;
}

/** The Kafka port over a driver's single requests. */
export class WirePort implements KafkaPort {
  readonly driver: KafkaDriver;
  readonly #options: WirePortOptions;
  readonly #calls: KafkaWire;
  readonly #users = new Set<{ close(): Promise<void> }>();
  #closed: Promise<void> | undefined;

  constructor(options: WirePortOptions) {
    this.driver = options.driver;
    this.#options = options;
    this.#calls = options.createWire({});
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    for (const spec of specs) await this.#ensureTopic(spec);
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#call(name, () => this.#options.admin.deleteTopic(name));
  }

  async topicSettings(topic: string, names: readonly string[]): Promise<Map<string, string>> {
    const settings = await this.#call(topic, () => this.#options.admin.topicSettings(topic, names));
    return new Map([...settings].map(([name, { value }]) => [name, value]));
  }

  async partitionCount(topic: string): Promise<number> {
    const leaders = await this.#call(topic, () => this.#calls.leaders([topic]));
    return leaders.get(topic)?.length ?? 0;
  }

  async endOffsets(topic: string): Promise<Map<number, bigint>> {
    return await this.#call(topic, () => this.#calls.offsets(topic, 'latest'));
  }

  async beginningOffsets(topic: string): Promise<Map<number, bigint>> {
    return await this.#call(topic, () => this.#calls.offsets(topic, 'earliest'));
  }

  producer({ clientId, requestTimeoutMs = 10_000 }: KafkaProducerOptions = {}): Promise<KafkaProducer> {
    const wire = this.#options.createWire(clientId === undefined ? {} : { clientId });
    return Promise.resolve(this.#adopt(new IdempotentProducer(wire, requestTimeoutMs)));
  }

  groupConsumer(options: GroupConsumerOptions): Promise<KafkaConsumer> {
    const wire = this.#options.createWire({
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 30_000,
      ...(options.clientId === undefined ? {} : { clientId: options.clientId }),
    });
    return Promise.resolve(this.#adopt(new GroupConsumer(wire, options).start()));
  }

  readAll(topic: string, options: ReadAllOptions): Promise<KafkaReader> {
    return Promise.resolve(this.#adopt(new TopicReader(this.#options.createWire({}), topic, options).start()));
  }

  async consumerLag(groupId: string, topics: readonly string[]): Promise<Map<string, Map<number, bigint>>> {
    const lags = new Map<string, Map<number, bigint>>();
    for (const topic of topics) {
      const [ends, beginnings] = await Promise.all([this.endOffsets(topic), this.beginningOffsets(topic)]);
      const partitions = [...ends.keys()].map((partition) => ({ topic, partition }));
      const committed = await this.#call(topic, () => this.#calls.committed(groupId, partitions));
      const positions = new Map(committed.map(({ partition, offset }) => [partition, offset]));
      const lag = new Map<number, bigint>();
      for (const [partition, end] of ends) {
        const position = positions.get(partition) ?? beginnings.get(partition) ?? end;
        lag.set(partition, end > position ? end - position : 0n);
      }
      lags.set(topic, lag);
    }
    return lags;
  }

  close(): Promise<void> {
    this.#closed ??= (async (): Promise<void> => {
      await Promise.allSettled([...this.#users].map((user) => user.close()));
      await Promise.allSettled([this.#calls.close(), this.#options.admin.close()]);
    })();
    return this.#closed;
  }

  #adopt<User extends { close(): Promise<void> }>(user: User): User {
    this.#users.add(user);
    return user;
  }

  async #ensureTopic(spec: TopicSpec): Promise<void> {
    const { name } = spec;
    const created = await this.#call(name, () => this.#options.admin.createTopic(spec));
    const count = await this.#partitionsReady(name);
    if (count !== spec.partitions) {
      throw new KafkaTopicError(
        name,
        `topic ${name} has ${count} partitions, and ${spec.partitions} are asked for: their number is fixed at creation`,
      );
    }
    if (!created) await this.#completeSettings(spec);
  }

  /** Waits until each partition has a leader. @returns Their number. */
  async #partitionsReady(topic: string): Promise<number> {
    return await this.#call(
      topic,
      async () => {
        const nodes = (await this.#calls.leaders([topic])).get(topic) ?? [];
        if (nodes.length === 0 || nodes.includes(-1)) throw new WireError('LEADER_NOT_AVAILABLE');
        return nodes.length;
      },
      { awaitTopic: true },
    );
  }

  /** Of a topic that was there: what nobody has set on it becomes ours, and what is set stays, but for a limit that is too low. */
  async #completeSettings({ name, config = {} }: TopicSpec): Promise<void> {
    const { admin } = this.#options;
    if (Object.keys(config).length === 0) return;
    const missing = async (): Promise<Map<string, string>> => {
      const there = await admin.topicSettings(name, Object.keys(config));
      const isMissing = ([setting, wanted]: [string, string]): boolean => {
        const { value = '0', own = false } = there.get(setting) ?? {};
        return setting === MAX_MESSAGE_BYTES ? Number(value) < Number(wanted) : !own;
      };
      return new Map(Object.entries(config).filter(isMissing));
    };
    await this.#call(name, async () => {
      const values = await missing();
      if (values.size === 0) return;
      try {
        await admin.setTopicSettings(name, values);
      } catch (error) {
        // Who may not set how long events are kept goes by what is set: `topicSettings` tells.
        if (error instanceof WireError && REFUSED.has(error.code) && !values.has(MAX_MESSAGE_BYTES)) return;
        throw error;
      }
      // Brokers learn of it a moment after the controller has taken it.
      if ((await missing()).size > 0) throw new WireError('SETTING_NOT_IN_FORCE');
    });
  }

  /** Goes on trying for a bounded time, and turns what is left into the port's errors. */
  async #call<Answer>(topic: string, call: () => Promise<Answer>, { awaitTopic = false } = {}): Promise<Answer> {
    const deadlineMs = performance.now() + CALL_BOUND_MS;
    const backoff = new Backoff(50, 1_000);
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const code = error instanceof WireError ? error.code : '';
        if (REFUSED.has(code)) throw new KafkaTopicError(topic, `topic ${topic}: ${code}`, error);
        const missing = NO_SUCH_TOPIC.has(code);
        if (missing && !awaitTopic) throw new KafkaTopicError(topic, `there is no topic ${topic}`, error);
        if (performance.now() > deadlineMs || this.#closed !== undefined) {
          throw new KafkaUnavailableError(`Kafka did not answer for topic ${topic} in time: ${code}`, error);
        }
        await pause(backoff.nextMs());
      }
    }
  }
}
