import type { KafkaLogger } from './port.ts';

/** What both drivers need to find Kafka. */
export interface KafkaConnectionOptions {
  /** `host:port` of some of the brokers; the others are learnt from them. */
  brokers: readonly string[];
  /** Names this client in the brokers' logs and quotas. */
  clientId: string;
  /** Where a driver's own warnings go. Default: nowhere; what matters is thrown or goes to `onError`. */
  logger?: KafkaLogger;
}

export interface BrokerAddress {
  host: string;
  port: number;
}

/** @throws {TypeError} It is not `host:port`. */
export function parseBroker(broker: string): BrokerAddress {
  const [, host, port] = /^([^\s/]+):(\d{1,5})$/.exec(broker) ?? [];
  if (host === undefined || port === undefined) throw new TypeError(`not a Kafka broker's host:port: ${broker}`);
  return { host, port: Number(port) };
}
