import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { Producer } from '@platformatic/kafka';
import { createKafka } from './create-kafka.ts';
import { KafkaPoisonedError } from './errors.ts';
import type { KafkaPort } from './port.ts';
import { describeKafkaPort } from './testing/conformance.ts';
import { eventually } from './testing/eventually.ts';
import { TestConsumer } from './testing/test-consumer.ts';

const broker = process.env.KAFKA_BROKERS?.split(',')[0] ?? '';
const createPort = (): KafkaPort => createKafka({ driver: 'kafkajs', brokers: [broker], clientId: 'conformance' });

describeKafkaPort('kafkajs', { broker, createPort });

it('kafkajs names the place of a batch that it cannot decode and stands still there, while others go on', async (t) => {
  const port = createPort();
  t.after(() => port.close());
  const topic = `poisoned.${randomUUID()}`;
  await port.ensureTopics([{ name: topic, partitions: 2 }]);
  const plain = await port.producer();
  const send = (partition: number, text: string): Promise<unknown> =>
    plain.send([{ topic, partition, key: null, value: Buffer.from(text), headers: {} }]);
  await send(0, 'good');
  const producer = new Producer({ clientId: 'poison', bootstrapBrokers: [broker] });
  const value = Buffer.from('in a codec that kafkajs has not');
  await producer.send({ messages: [{ topic, partition: 0, value }], compression: 'zstd', acks: -1 });
  await producer.close();
  await send(0, 'behind');
  await send(1, 'elsewhere');

  const consumer = await TestConsumer.start(port, topic, [topic]);
  await eventually(() => consumer.errors.some((error) => error instanceof KafkaPoisonedError));
  await consumer.received(2);
  await send(1, 'later');
  await consumer.received(3);
  const poisoned = consumer.errors.find((error) => error instanceof KafkaPoisonedError);
  assert.deepEqual({ topic: poisoned?.topic, partition: poisoned?.partition }, { topic, partition: 0 });
  assert.match(poisoned?.message ?? '', new RegExp(`${topic}/0 at offset 1$`));
  assert.deepEqual(consumer.values(1), ['elsewhere', 'later']);
  assert.deepEqual(consumer.values(0), ['good']);
  await port.deleteTopics([topic]);
});
