import { randomUUID } from 'node:crypto';
import type { FetchedRecord, KafkaPort, KafkaProducer, KafkaRecord, TopicSpec } from '../port.ts';
import { eventually } from './eventually.ts';

export interface ConformanceOptions {
  /** Opens the port to be tested. Called often; each is closed by the suite. */
  createPort(): KafkaPort;
  /** The broker itself, for what is done behind the port's back. */
  broker: string;
}

/** What every conformance test uses: a port, a producer, topics with random names that are deleted afterwards. */
export class ConformanceContext {
  readonly port: KafkaPort;
  readonly options: ConformanceOptions;
  readonly #topics: string[] = [];
  readonly #ports: KafkaPort[] = [];
  #producer: Promise<KafkaProducer> | undefined;

  constructor(options: ConformanceOptions) {
    this.options = options;
    this.port = options.createPort();
  }

  async topic(spec: Partial<TopicSpec> = {}): Promise<string> {
    const name = `conformance.${randomUUID()}`;
    this.#topics.push(name);
    await this.port.ensureTopics([{ name, partitions: 1, ...spec }]);
    return name;
  }

  /** Another port, as of another process. */
  openPort(): KafkaPort {
    const port = this.options.createPort();
    this.#ports.push(port);
    return port;
  }

  group(): string {
    return `conformance.${randomUUID()}`;
  }

  async send(records: readonly KafkaRecord[]): Promise<void> {
    this.#producer ??= this.port.producer();
    await (await this.#producer).send(records);
  }

  /** Sends texts to one partition. */
  async sendTexts(topic: string, texts: readonly string[], partition = 0): Promise<void> {
    await this.send(texts.map((text) => textRecord(topic, partition, text)));
  }

  /** All that is in the topic now, in the order of each partition. */
  async contents(topic: string): Promise<FetchedRecord[]> {
    const records: FetchedRecord[] = [];
    let caughtUp = false;
    const reader = await this.port.readAll(topic, {
      from: 'beginning',
      onRecord: (record) => void records.push(record),
      onCaughtUp: () => (caughtUp = true),
    });
    await eventually(() => caughtUp);
    await reader.close();
    return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
  }

  async close(): Promise<void> {
    await Promise.all(this.#ports.map((port) => port.close()));
    await this.port.deleteTopics(this.#topics);
    await this.port.close();
  }
}

export function textRecord(topic: string, partition: number, text: string): KafkaRecord {
  return { topic, partition, key: Buffer.from('key'), value: Buffer.from(text), headers: {} };
}

export function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => String(from + index));
}
