import { createKafka } from './create-kafka.ts';
import { describeKafkaPort } from './testing/conformance.ts';

const broker = process.env.KAFKA_BROKERS?.split(',')[0] ?? '';

describeKafkaPort('platformatic', {
  broker,
  createPort: () => createKafka({ driver: 'platformatic', brokers: [broker], clientId: 'conformance' }),
});
