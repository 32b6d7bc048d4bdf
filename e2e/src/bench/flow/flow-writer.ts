// The service whose documents change, and beside it the bare limits: MongoDB's driver, Kafka's producer.
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { newEventId, topicOf, type Cause } from '@causeway/contracts';
import { createEvents, createKafka, draft, stateOf } from '@causeway/events';
import type { Events, KafkaPort, RecordedCollection, RecordedDocument } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';
import { answerCalls } from './calls.ts';
import { closedLoop, openLoop } from './loops.ts';
import { clock, flowEvents, partitions, type EventTimes, type FlowWorld } from './flow-contracts.ts';

interface Item extends RecordedDocument {
  readonly title: string;
  readonly status: string;
  readonly score: number;
  readonly broken: boolean;
}

interface Writing {
  readonly forMs: number;
  /** So many at a time, each next when one is done. */
  readonly concurrency?: number;
  /** So many in a second, whether or not those before are done. */
  readonly ratePerSecond?: number;
  /** Ten times in a second one item changes; a broken one its reader cannot handle, and parks. */
  readonly beside?: 'a sound item' | 'a broken item';
}

/** Of one send of the bare producer: as many as the relay sends at once. */
const batch = 500;

const stateOfItem = (title: string, broken = false) => ({ title, status: 'published', score: 7, broken });
const cause = (): Cause => ({ correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_bench' } });

class Writer {
  readonly #world: FlowWorld;
  readonly #client: MongoClient;
  readonly #kafka: KafkaPort;
  readonly #events: Events;
  readonly #items: RecordedCollection<Item>;
  #committed: [string, number][] = [];
  #published: [string, number][] = [];
  #sent: Parameters<Awaited<ReturnType<KafkaPort['producer']>>['send']>[0][number][] = [];

  constructor(world: FlowWorld) {
    const logger = createLogger({ service: world.writer, level: 'error' });
    this.#world = world;
    this.#client = new MongoClient(world.mongodb, { appName: world.writer, maxPoolSize: 100 });
    const brokers = world.kafka.split(',');
    this.#kafka = createKafka({ driver: 'platformatic', brokers, clientId: world.writer, logger });
    const database = `bench-${world.writer}`;
    const own = { service: world.writer, client: this.#client, database, partitions, logger };
    this.#events = createEvents({ ...own, kafka: this.#watched() });
    this.#items = this.#events.collection<Item>('items', { thing: 'item' });
  }

  /** Kafka, with a note of when it had acknowledged what. */
  #watched(): KafkaPort {
    const producer: KafkaPort['producer'] = async (options) => {
      const real = await this.#kafka.producer(options);
      return {
        send: async (records) => {
          const offsets = await real.send(records);
          const at = clock();
          for (const record of records) {
            this.#published.push([record.headers.ce_id ?? '', at]);
            if (this.#sent.length < batch) this.#sent.push(record);
          }
          return offsets;
        },
        close: () => real.close(),
      };
    };
    return new Proxy(this.#kafka, {
      get: (kafka, name) => {
        if (name === 'producer') return producer;
        const member = kafka[name as keyof KafkaPort] as unknown;
        return typeof member === 'function' ? (member.bind(kafka) as unknown) : member;
      },
    });
  }

  #create = async (): Promise<void> => {
    const state = stateOfItem(`Record ${randomUUID()}`);
    const event = draft(flowEvents(this.#world).changed, state);
    const write = await this.#items.create(cause(), { _id: randomUUID(), state, event });
    this.#committed.push([write.event.id, clock()]);
  };

  async start(): Promise<void> {
    await this.#events.start();
  }

  /** Documents with their events, while no relay runs. */
  async fill(count: number): Promise<void> {
    for (let done = 0; done < count; done += batch) {
      await Promise.all(Array.from({ length: batch }, () => this.#create()));
    }
  }

  /** @returns events in a second, from the first that Kafka had to the last */
  async drained(count: number): Promise<number> {
    const deadline = performance.now() + 60_000;
    while (this.#published.length < count) {
      if (performance.now() > deadline) throw new Error(`${this.#published.length} of ${count} events are published`);
      await wait(5);
    }
    const [[, first] = ['', 0]] = this.#published;
    const after = this.#published.filter(([, at]) => at > first);
    return after.length / (((after.at(-1)?.[1] ?? 0) - first) / 1000);
  }

  /** @returns records in a second that Kafka takes from a bare producer: the relay's own, as many at a time */
  async bareProduce(count: number): Promise<number> {
    const producer = await this.#kafka.producer();
    const from = performance.now();
    for (let done = 0; done < count; done += this.#sent.length) await producer.send(this.#sent);
    const seconds = (performance.now() - from) / 1000;
    await producer.close();
    return count / seconds;
  }

  /** @returns inserts in a second by MongoDB's driver, acknowledged by the majority */
  async bareInserts({ forMs, concurrency }: { forMs: number; concurrency: number }): Promise<number> {
    const bare = this.#events.db.collection<{ _id: string }>('bare');
    const insert = async (): Promise<void> => {
      const at = new Date();
      const state = stateOfItem(`Record ${randomUUID()}`);
      await bare.insertOne({ _id: randomUUID(), revision: 1, createdAt: at, updatedAt: at, ...state } as never);
    };
    return closedLoop(insert, forMs, concurrency);
  }

  /** @returns writes in a second */
  async write({ forMs, concurrency, ratePerSecond, beside }: Writing): Promise<number> {
    const over = new AbortController();
    const changing = beside === undefined ? undefined : this.#changeItem(beside === 'a broken item', over.signal);
    const done =
      ratePerSecond === undefined
        ? await closedLoop(this.#create, forMs, concurrency ?? 1)
        : await openLoop(this.#create, forMs, ratePerSecond);
    over.abort();
    await changing;
    return done;
  }

  async #changeItem(isBroken: boolean, signal: AbortSignal): Promise<void> {
    const _id = randomUUID();
    const { changed } = flowEvents(this.#world);
    const state = stateOfItem('changed', isBroken);
    await this.#items.create(cause(), { _id, state, event: draft(changed, state) });
    while (!signal.aborted) {
      await wait(100);
      await this.#items.update(cause(), _id, (current) => ({ state: stateOf(current), event: draft(changed, state) }));
    }
  }

  /** What has happened since this was asked last. */
  times(): { readonly committed: EventTimes; readonly published: EventTimes } {
    const times = { committed: this.#committed, published: this.#published };
    this.#committed = [];
    this.#published = [];
    return times;
  }

  async end(): Promise<void> {
    await this.#events.stop();
    await this.#kafka.deleteTopics([topicOf(this.#world.writer)]);
    await this.#kafka.close();
    await this.#client.close();
  }
}

let writer: Writer | undefined;
const there = (): Writer => {
  if (writer === undefined) throw new Error('open it first');
  return writer;
};

const api = {
  open: (world: FlowWorld): void => {
    writer = new Writer(world);
  },
  fill: (count: number) => there().fill(count),
  start: () => there().start(),
  drained: (count: number) => there().drained(count),
  bareProduce: (count: number) => there().bareProduce(count),
  bareInserts: (order: { forMs: number; concurrency: number }) => there().bareInserts(order),
  write: (order: Writing) => there().write(order),
  times: () => there().times(),
  end: () => there().end(),
};

/** What the process can be asked. */
export type WriterApi = typeof api;

answerCalls(api);
