import { createKafkajsKafka } from './kafkajs/create-kafkajs-kafka.ts';
import { createPlatformaticKafka } from './platformatic/create-platformatic-kafka.ts';
import type { KafkaDriver, KafkaPort } from './port.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';

/**
 * Opens Kafka through one of the two drivers. Does no I/O: connections are made when they are needed, and again when they are lost.
 *
 * @throws {TypeError} A broker is not `host:port`.
 */
export function createKafka({ driver, ...connection }: KafkaConnectionOptions & { driver: KafkaDriver }): KafkaPort {
  return driver === 'kafkajs' ? createKafkajsKafka(connection) : createPlatformaticKafka(connection);
}
