import { Admin } from '@platformatic/kafka';
import type { KafkaPort } from '../port.ts';
import { type KafkaConnectionOptions, parseBroker } from '../kafka-connection.ts';
import { WirePort } from '../wire-port.ts';
import { PlatformaticTopicAdmin } from './platformatic-topic-admin.ts';
import { PlatformaticWire } from './platformatic-wire.ts';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 5_000;

/** The Kafka port on `@platformatic/kafka`. Connects when it is first used. */
export function createPlatformaticKafka({ brokers, clientId }: KafkaConnectionOptions): KafkaPort {
  const bootstrap = brokers.map(parseBroker);
  return new WirePort({
    driver: 'platformatic',
    createWire: (options) =>
      new PlatformaticWire({
        brokers: bootstrap,
        clientId: options.clientId ?? clientId,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 30_000,
      }),
    admin: new PlatformaticTopicAdmin(
      new Admin({
        clientId,
        bootstrapBrokers: [...brokers],
        retries: 0,
        connectTimeout: CONNECT_TIMEOUT_MS,
        timeout: REQUEST_TIMEOUT_MS,
      }),
    ),
  });
}
