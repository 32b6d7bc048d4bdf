import { createKafka } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import kafkajs from 'kafkajs';
import type { Piece } from './piece.ts';

const isInternal = (topic: string): boolean => topic.startsWith('__');

const topicsOf = async (brokers: string): Promise<string[]> => {
  const admin = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return (await admin.listTopics()).filter((topic) => !isInternal(topic));
  } finally {
    await admin.disconnect();
  }
};

/**
 * Every record of every topic: key, headers and value.
 *
 * @param isWanted - what to look into; a topic that is taken away meanwhile is read for ever
 */
export async function* inKafka(
  brokers: string,
  isWanted: (topic: string) => boolean = () => true,
): AsyncGenerator<Piece> {
  const logger = createLogger({ service: 'e2e', level: 'silent' });
  const kafka = createKafka({ driver: 'platformatic', brokers: brokers.split(','), clientId: 'e2e-left', logger });
  try {
    for (const topic of (await topicsOf(brokers)).filter(isWanted)) {
      const pieces: Piece[] = [];
      await new Promise<void>((resolve, reject) => {
        kafka
          .readAll(topic, {
            from: 'beginning',
            onRecord: ({ key, headers, value, partition, offset }) => {
              const parts = [key, ...Object.entries(headers).flat(), value];
              const bytes = Buffer.concat(parts.flatMap((part) => [Buffer.from(part ?? ''), Buffer.from('\0')]));
              pieces.push({ where: `${topic}/${partition} at ${offset}`, bytes });
            },
            onCaughtUp: resolve,
          })
          .catch(reject);
      });
      yield* pieces;
    }
  } finally {
    await kafka.close();
  }
}
