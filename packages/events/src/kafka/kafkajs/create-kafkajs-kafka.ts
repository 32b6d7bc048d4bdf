// Read by whoever compiles this package from its sources, too: the declarations would not be found otherwise.
// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- they declare modules, and are none to import
/// <reference path="./kafkajs-internals.d.ts" />
import kafkajs, { type LogEntry } from 'kafkajs';
import { type KafkaConnectionOptions, parseBroker } from '../kafka-connection.ts';
import type { KafkaLogger, KafkaPort } from '../port.ts';
import { WirePort } from '../wire-port.ts';
import { supplyCodecs } from './codecs.ts';
import { KafkajsTopicAdmin } from './kafkajs-topic-admin.ts';
import { KafkajsWire } from './kafkajs-wire.ts';
import { mendRequestQueue } from './mend-request-queue.ts';

// Node sees no named exports of these in kafkajs, which is CommonJS.
const { Kafka, logLevel } = kafkajs;

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 5_000;

/** The Kafka port on `kafkajs`. Connects when it is first used. */
export function createKafkajsKafka({ brokers, clientId, logger }: KafkaConnectionOptions): KafkaPort {
  mendRequestQueue();
  supplyCodecs();
  const kafka = new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry: { retries: 0 },
    logLevel: logger ? logLevel.INFO : logLevel.NOTHING,
    logCreator: () => (entry) => logger && log(logger, entry),
  });
  return new WirePort({
    driver: 'kafkajs',
    createWire: (options) =>
      new KafkajsWire({
        brokers: brokers.map(parseBroker),
        clientId: options.clientId ?? clientId,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        logger: kafka.logger(),
      }),
    admin: new KafkajsTopicAdmin(kafka.admin()),
  });
}

/** Nothing that it says is an error to us: errors are thrown or reported. */
function log(logger: KafkaLogger, { level, namespace, log: { message, broker } }: LogEntry): void {
  const fields = { driver: 'kafkajs', namespace, ...(typeof broker === 'string' ? { broker } : {}) };
  if (level === logLevel.ERROR || level === logLevel.WARN) logger.warn(fields, message);
  else logger.debug(fields, message);
}
