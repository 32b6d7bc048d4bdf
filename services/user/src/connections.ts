import { createKafka } from '@causeway/events';
import type { KafkaPort } from '@causeway/events';
import { connectRedis } from '@causeway/service';
import type { StartContext } from '@causeway/service';
import mongoose from 'mongoose';
import type { Connection } from 'mongoose';

import type { Config, settings } from './config.ts';

/** How long a call waits for a primary, or for a free connection, before it is told that there is none. */
const patienceMs = 5000;

/** The servers that this service talks to. */
export interface Connections {
  readonly database: Connection;
  readonly redis: ReturnType<typeof connectRedis>;
  readonly kafka: KafkaPort;
}

/** Everything in MongoDB is read and written at majority. */
const connectDatabase = (url: string, database: string): Promise<Connection> =>
  mongoose
    .createConnection(url, {
      dbName: database,
      appName: 'causeway-user',
      autoIndex: false,
      autoCreate: false,
      // A call that Mongoose would queue for later is refused at once instead.
      bufferCommands: false,
      serverSelectionTimeoutMS: patienceMs,
      waitQueueTimeoutMS: patienceMs,
      // Asked, and not only listened to: where nothing gets to MongoDB any more, what it sends by itself still comes, and a
      // connection that hangs would pass for a healthy one for ever.
      serverMonitoringMode: 'poll',
      connectTimeoutMS: 2 * patienceMs,
      readConcern: { level: 'majority' },
      writeConcern: { w: 'majority' },
    })
    .asPromise();

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
  const database = await connectDatabase(mongodbUrl, config.database);
  onStop('MongoDB', () => database.close());
  const redis = connectRedis({ url: redisUrl, name: 'user', logger });
  onStop('Redis', () => redis.disconnect());
  const kafka = createKafka({ driver, brokers, clientId: 'user', logger });
  onStop('Kafka', () => kafka.close());
  return { database, redis, kafka };
}
