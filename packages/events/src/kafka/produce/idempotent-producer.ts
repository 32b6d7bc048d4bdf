import { Backoff, pause } from '../backoff.ts';
import { KafkaSendError } from '../errors.ts';
import type { KafkaProducer, KafkaRecord, TopicPartitionOffset } from '../port.ts';
import { type KafkaWire, type ProduceAnswer, type ProducerId, WireError } from '../wire.ts';
import { NodeDispatcher } from './node-dispatcher.ts';
import { type PartitionBatches, toPartitionBatches } from './record-batches.ts';

/** A producer id and how far each partition has been numbered under it. Never numbered from zero twice. */
interface Session {
  readonly producer: ProducerId;
  readonly nextSequence: Map<string, number>;
}

/** A batch of one partition, and what its earlier attempts fix. */
interface Attempt {
  readonly key: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly KafkaRecord[];
  readonly deadlineMs: number;
  session: Session | undefined;
  lastError: WireError | undefined;
}

/** The broker cannot place the batch among what it knows of the producer id: number it anew under a new id. */
const SESSION_LOST = new Set<string>([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'DUPLICATE_SEQUENCE_NUMBER',
]);

/** What no repetition of the same batch can mend. */
const FATAL = new Set<string>([
  'UNKNOWN_PARTITION',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'POLICY_VIOLATION',
]);

/** Sequence numbers are 31 bits and start again from zero (KIP-98). */
const SEQUENCE_LIMIT = 2 ** 31;

/**
 * An idempotent producer (KIP-98, without transactions). Each partition has at most one batch under way; a batch whose fate is unknown
 * is repeated under its number until the deadline, so that the broker can tell that it has it already. A number whose batch was given
 * up is never used for another: the broker would take that one for the repetition and drop it. Instead, a new producer id is begun.
 */
export class IdempotentProducer implements KafkaProducer {
  readonly #wire: KafkaWire;
  readonly #requestTimeoutMs: number;
  readonly #dispatchers = new Map<number, NodeDispatcher>();
  /** By partition, the batch that is under way or waiting last. */
  readonly #lanes = new Map<string, Promise<unknown>>();
  readonly #closing = new AbortController();
  #session: Session | undefined;
  #beginning: Promise<Session> | undefined;
  #leaders = new Map<string, number[]>();
  #findingLeaders: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(wire: KafkaWire, requestTimeoutMs: number) {
    this.#wire = wire;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  async send(records: readonly KafkaRecord[]): Promise<TopicPartitionOffset[]> {
    const deadlineMs = performance.now() + this.#requestTimeoutMs;
    const partitions = toPartitionBatches(records);
    const outcomes = await Promise.all(partitions.map((each) => this.#sendInLane(each, deadlineMs)));
    const failures = outcomes.flatMap((outcome) => (outcome.error ? [outcome.error] : []));
    const [firstFailure] = failures;
    if (firstFailure) {
      const failed = new Set(outcomes.flatMap((outcome) => outcome.failed));
      throw new KafkaSendError(
        `${failed.size} of ${records.length} records are not known to be written: ${firstFailure.message}`,
        failures.every((error) => !FATAL.has(error.code)),
        {
          failed: records.filter((record) => failed.has(record)),
          written: outcomes.filter((outcome) => outcome.offset >= 0n).map(toOffset),
        },
        firstFailure,
      );
    }
    return outcomes.map(toOffset);
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#closed ??= this.#wire.close();
    return this.#closed;
  }

  /** After whatever is under way to the partition. A batch that fails takes those after it along: order survives. */
  async #sendInLane({ topic, partition, batches }: PartitionBatches, deadlineMs: number): Promise<SendOutcome> {
    const key = `${topic}/${partition}`;
    const before = this.#lanes.get(key);
    const mine = (async (): Promise<SendOutcome> => {
      await before;
      let first: bigint | undefined;
      for (const [index, records] of batches.entries()) {
        const attempt = { key, topic, partition, records, deadlineMs, session: undefined, lastError: undefined };
        const answer = await this.#sendBatch(attempt);
        if (answer.error) {
          return { topic, partition, offset: first ?? -1n, error: answer.error, failed: batches.slice(index).flat() };
        }
        first ??= answer.offset;
      }
      return { topic, partition, offset: first ?? -1n, failed: [] };
    })();
    this.#lanes.set(key, mine);
    const outcome = await mine;
    if (this.#lanes.get(key) === mine) this.#lanes.delete(key);
    return outcome;
  }

  async #sendBatch(attempt: Attempt): Promise<ProduceAnswer> {
    const backoff = new Backoff(20, 1_000);
    const { topic, partition } = attempt;
    while (!this.#closing.signal.aborted && performance.now() < attempt.deadlineMs) {
      const answer = await this.#attempt(attempt);
      if (!answer.error) return answer;
      attempt.lastError = answer.error;
      if (FATAL.has(answer.error.code)) break;
      if (SESSION_LOST.has(answer.error.code)) {
        this.#abandon(attempt.session);
        attempt.session = undefined;
      } else {
        this.#leaders.delete(topic);
      }
      await pause(
        Math.min(backoff.nextMs(), Math.max(0, attempt.deadlineMs - performance.now())),
        this.#closing.signal,
      );
    }
    // Its fate may be unknown for ever.
    this.#abandon(attempt.session);
    const error = attempt.lastError ?? new WireError(this.#closing.signal.aborted ? 'CLOSED' : 'REQUEST_TIMED_OUT');
    return { topic, partition, offset: -1n, error };
  }

  /** One try, within the deadline. Never rejects. */
  async #attempt(attempt: Attempt): Promise<ProduceAnswer> {
    const { topic, partition } = attempt;
    const patience = new AbortController();
    const timeout = pause(Math.max(1, attempt.deadlineMs - performance.now()), patience.signal).then(() => {
      throw new WireError('REQUEST_TIMED_OUT');
    });
    timeout.catch(() => undefined);
    try {
      return await Promise.race([this.#request(attempt), timeout]);
    } catch (error) {
      return {
        topic,
        partition,
        offset: -1n,
        error: error instanceof WireError ? error : new WireError('NETWORK', error),
      };
    } finally {
      patience.abort();
    }
  }

  async #request(attempt: Attempt): Promise<ProduceAnswer> {
    const { key, topic, partition, records } = attempt;
    const node = await this.#leaderOf(topic, partition);
    const session = attempt.session ?? (await this.#currentSession());
    // Given up while it waited: it must not use a number that the next batch will use too.
    if (performance.now() >= attempt.deadlineMs) throw new WireError('REQUEST_TIMED_OUT');
    attempt.session = session;
    const { producer, nextSequence } = session;
    const baseSequence = nextSequence.get(key) ?? 0;
    let dispatcher = this.#dispatchers.get(node);
    if (!dispatcher) {
      dispatcher = new NodeDispatcher(this.#wire, node, this.#requestTimeoutMs);
      this.#dispatchers.set(node, dispatcher);
    }
    const answer = await dispatcher.send(producer, { topic, partition, baseSequence, records });
    if (!answer.error) nextSequence.set(key, (baseSequence + records.length) % SEQUENCE_LIMIT);
    return answer;
  }

  async #leaderOf(topic: string, partition: number): Promise<number> {
    while (!this.#leaders.has(topic)) {
      this.#findingLeaders ??= this.#findLeaders(topic).finally(() => (this.#findingLeaders = undefined));
      await this.#findingLeaders;
    }
    const nodes = this.#leaders.get(topic) ?? [];
    const node = nodes[partition];
    if (node === undefined) throw new WireError('UNKNOWN_PARTITION');
    if (node < 0) throw new WireError('LEADER_NOT_AVAILABLE');
    return node;
  }

  async #findLeaders(topic: string): Promise<void> {
    const leaders = await this.#wire.leaders([topic]);
    for (const [name, nodes] of leaders) this.#leaders.set(name, nodes);
    if (!leaders.has(topic)) throw new WireError('UNKNOWN_TOPIC_OR_PARTITION');
  }

  async #currentSession(): Promise<Session> {
    if (this.#session) return this.#session;
    this.#beginning ??= this.#wire
      .initProducer()
      .then((producer) => (this.#session = { producer, nextSequence: new Map() }))
      .finally(() => (this.#beginning = undefined));
    return await this.#beginning;
  }

  /** Batches of other partitions that are under way keep it; nothing new begins under it. */
  #abandon(session: Session | undefined): void {
    if (session && this.#session === session) this.#session = undefined;
  }
}

function toOffset({ topic, partition, offset }: SendOutcome): TopicPartitionOffset {
  return { topic, partition, offset };
}

interface SendOutcome extends TopicPartitionOffset {
  error?: WireError;
  failed: KafkaRecord[];
}
