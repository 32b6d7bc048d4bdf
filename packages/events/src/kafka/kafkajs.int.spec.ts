import { createKafka } from './create-kafka.ts';
import type { KafkaPort } from './port.ts';
import { describeKafkaPort } from './testing/conformance.ts';

const broker = process.env.KAFKA_BROKERS?.split(',')[0] ?? '';
const createPort = (): KafkaPort => createKafka({ driver: 'kafkajs', brokers: [broker], clientId: 'conformance' });

describeKafkaPort('kafkajs', { broker, createPort });
