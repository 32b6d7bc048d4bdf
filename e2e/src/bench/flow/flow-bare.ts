// The way of an event by bare drivers, step after step: what the same round trips cost by themselves.
import { randomUUID } from 'node:crypto';
import { createKafka } from '@causeway/events';
import type { KafkaPort } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import { MongoClient, type Db } from 'mongodb';
import { answerCalls } from './calls.ts';
import { clock, partitions, type FlowWorld } from './flow-contracts.ts';
import { closedLoop, openLoop } from './loops.ts';

type KafkaProducer = Awaited<ReturnType<KafkaPort['producer']>>;
type KafkaReader = Awaited<ReturnType<KafkaPort['readAll']>>;

interface Row {
  readonly _id: string;
}

/** As many effects side by side as a replica has handlers running. */
const concurrency = 16;

const patienceMs = 10_000;

class Chain {
  readonly #client: MongoClient;
  readonly #kafka: KafkaPort;
  readonly #db: Db;
  readonly #topic: string;
  readonly #arrived = new Map<string, () => void>();
  #producer: KafkaProducer | undefined;
  #reader: KafkaReader | undefined;
  #times: number[] = [];

  constructor({ mongodb, kafka, writer }: FlowWorld) {
    const logger = createLogger({ service: writer, level: 'fatal' });
    this.#client = new MongoClient(mongodb, { appName: writer, maxPoolSize: 100, w: 'majority' });
    this.#db = this.#client.db(`bench-${writer}`);
    this.#kafka = createKafka({ driver: 'platformatic', brokers: kafka.split(','), clientId: writer, logger });
    this.#topic = `bench.${writer}`;
  }

  async open(): Promise<void> {
    for (const name of ['items', 'log', 'claims', 'copies']) await this.#db.createCollection(name);
    await this.#kafka.ensureTopics([{ name: this.#topic, partitions }]);
    this.#producer = await this.#kafka.producer();
    const there = Promise.withResolvers<undefined>();
    this.#reader = await this.#kafka.readAll(this.#topic, {
      from: 'beginning',
      // Not waited for: effects are side by side.
      onRecord: ({ key }) => this.#arrived.get(key?.toString() ?? '')?.(),
      onCaughtUp: () => there.resolve(undefined),
    });
    await there.promise;
  }

  #insert = async (collection: string, _id: string, size = 300): Promise<void> => {
    await this.#db.collection<Row>(collection).insertOne({ _id, text: 'x'.repeat(size) } as Row);
  };

  /** What a transaction handler's attempt is made of: a claim, an effect, a note of what it has caused. */
  #effect = async (_id: string): Promise<void> => {
    const claims = this.#db.collection<Row>('claims');
    await this.#client.withSession(async (session) => {
      session.startTransaction();
      await claims.updateOne({ _id }, { $set: { status: 'done' } }, { upsert: true, session });
      await this.#db.collection<Row>('copies').insertOne({ _id }, { session });
      await claims.updateOne({ _id }, { $set: { caused: [_id] } }, { session });
      await session.commitTransaction();
    });
  };

  #once = async (): Promise<void> => {
    const id = randomUUID();
    const arrived = Promise.withResolvers<undefined>();
    this.#arrived.set(id, () => arrived.resolve(undefined));
    const late = setTimeout(() => arrived.reject(new Error('a record did not come back from Kafka')), patienceMs);
    await this.#insert('items', id);
    const committed = clock();
    await this.#insert('log', id, 600);
    const partition = Number.parseInt(id.slice(0, 4), 16) % partitions;
    const record = {
      topic: this.#topic,
      partition,
      key: Buffer.from(id),
      value: Buffer.from('x'.repeat(300)),
      headers: {},
    };
    await this.#producer?.send([record]);
    await arrived.promise;
    clearTimeout(late);
    this.#arrived.delete(id);
    await this.#effect(id);
    this.#times.push(clock() - committed);
  };

  /** @returns milliseconds from each commit to its effect */
  async idle(order: { readonly forMs: number; readonly ratePerSecond: number }): Promise<readonly number[]> {
    this.#times = [];
    await openLoop(this.#once, order.forMs, order.ratePerSecond);
    return this.#times;
  }

  /** @returns effects in a second, as many at a time as a replica runs */
  busy(forMs: number): Promise<number> {
    return closedLoop(this.#once, forMs, concurrency);
  }

  async end(): Promise<void> {
    await this.#reader?.close();
    await this.#producer?.close();
    await this.#kafka.deleteTopics([this.#topic]);
    await this.#kafka.close();
    await this.#client.close();
  }
}

let chain: Chain | undefined;
const there = (): Chain => {
  if (chain === undefined) throw new Error('open it first');
  return chain;
};

const api = {
  open: (world: FlowWorld) => {
    chain = new Chain(world);
    return chain.open();
  },
  idle: (order: { readonly forMs: number; readonly ratePerSecond: number }) => there().idle(order),
  busy: (forMs: number) => there().busy(forMs),
  end: () => there().end(),
};

/** What the process can be asked. */
export type BareApi = typeof api;

answerCalls(api);
