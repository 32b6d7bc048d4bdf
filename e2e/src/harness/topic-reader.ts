import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import kafkajs, { type EachMessagePayload } from 'kafkajs';
import { addressOf } from './platform.ts';

/** An event as it came over Kafka. */
export interface ReadEvent {
  /** Its attributes, by their names without `ce_`. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A service of one's own that reads a topic, and goes on whatever happens to it. */
export interface TopicReader {
  /** Each once, in the order in which they came. */
  readonly events: readonly ReadEvent[];
  /** Fails where the events of a subject have not come in their order, each of them. */
  readonly assertInOrder: () => void;
  readonly stop: () => Promise<void>;
}

/** Reads a topic from its beginning, in a group of its own. */
export async function startTopicReader(topic: string): Promise<TopicReader> {
  const brokers = addressOf('kafka').split(',');
  const kafka = new kafkajs.Kafka({ clientId: 'e2e-reader', brokers, logLevel: kafkajs.logLevel.NOTHING });
  const consumer = kafka.consumer({
    groupId: `e2e-${randomUUID()}`,
    sessionTimeout: 10_000,
    retry: { restartOnFailure: () => Promise.resolve(true) },
  });
  const events: ReadEvent[] = [];
  const seen = new Set<string>();
  const sequences = new Map<string, number>();
  const outOfOrder: string[] = [];
  const read = ({ message }: EachMessagePayload): Promise<void> => {
    const attributes: Record<string, string> = {};
    for (const [name, value] of Object.entries(message.headers ?? {})) {
      if (name.startsWith('ce_')) attributes[name.slice(3)] = String(value);
    }
    const { id = '', subject = '', sequence } = attributes;
    // Published at least once.
    if (seen.has(id)) return Promise.resolve();
    seen.add(id);
    const before = sequences.get(subject);
    if (before !== undefined && Number(sequence) !== before + 1) {
      outOfOrder.push(`${subject}: ${String(sequence)} after ${before}`);
    }
    sequences.set(subject, Number(sequence));
    const text = message.value?.toString() ?? '';
    events.push({ attributes, data: text === '' ? {} : (JSON.parse(text) as ReadEvent['data']) });
    return Promise.resolve();
  };
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: read });
  return {
    events,
    assertInOrder: () => assert.deepEqual(outOfOrder, []),
    stop: () => consumer.disconnect(),
  };
}
