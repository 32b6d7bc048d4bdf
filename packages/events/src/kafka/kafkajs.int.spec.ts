import { createKafka } from './create-kafka.ts';
import { describeKafkaPort } from './testing/conformance.ts';

const broker = process.env.KAFKA_BROKERS?.split(',')[0] ?? '';

describeKafkaPort('kafkajs', {
  broker,
  createPort: () => createKafka({ driver: 'kafkajs', brokers: [broker], clientId: 'conformance' }),
});
