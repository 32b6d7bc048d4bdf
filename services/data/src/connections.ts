import { createKafka } from '@causeway/events';
import type { KafkaPort } from '@causeway/events';
import { connectRedis } from '@causeway/service';
import type { StartContext } from '@causeway/service';
import { MongoClient } from 'mongodb';

import type { Config, settings } from './config.ts';

/** How long a call waits for a primary, or for a free connection, before it is told that there is none. */
const patienceMs = 5_000;

/** The servers that this service talks to. */
export interface Connections {
  readonly client: MongoClient;
  readonly redis: ReturnType<typeof connectRedis>;
  readonly kafka: KafkaPort;
}

/**
 * Connects. What is connected is closed when the service stops, even if a later step of the start fails.
 *
 * @throws MongoServerSelectionError where MongoDB does not answer in time
 */
export async function connect(
  config: Config,
  { logger, onStop }: Pick<StartContext<typeof settings>, 'logger' | 'onStop'>,
): Promise<Connections> {
  const { mongodbUrl, redisUrl, kafkaDriver: driver, kafkaBrokers: brokers } = config;
  const client = new MongoClient(mongodbUrl, {
    appName: 'causeway-data',
    serverSelectionTimeoutMS: patienceMs,
    waitQueueTimeoutMS: patienceMs,
    // Asked, and not only listened to: where nothing gets to MongoDB any more, what it sends by itself still comes, and a
    // connection that hangs would pass for a healthy one for ever.
    serverMonitoringMode: 'poll',
    connectTimeoutMS: 2 * patienceMs,
  });
  onStop('MongoDB', () => client.close());
  await client.connect();
  const redis = connectRedis({ url: redisUrl, name: 'data', logger });
  onStop('Redis', () => redis.disconnect());
  const kafka = createKafka({ driver, brokers, clientId: 'data', logger });
  onStop('Kafka', () => kafka.close());
  return { client, redis, kafka };
}
