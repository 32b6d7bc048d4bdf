import type { KafkaPort } from '../kafka/port.ts';

/** Where a topic keeps its events for ever, as its operator has set it. */
export const forEver = new Date('9999-12-31T23:59:59.999Z');

/** Brokers look for what has to go every five minutes, and take a minute to remove it. */
const noticedMs = 3_600_000;

/** Kafka's own, where a broker tells none: a week each. */
const defaultMs = 7 * 24 * 3_600_000;

/**
 * When Kafka has dropped, at the latest, what was published on a topic by a time: it drops whole segments, once their last event is old
 * enough. As the topic is set now, by whomever.
 *
 * @param from - by when all of it was published
 * @throws KafkaTopicError, KafkaUnavailableError
 */
export const kafkaUntil = async (kafka: Pick<KafkaPort, 'topicSettings'>, topic: string, from: Date): Promise<Date> => {
  const settings = await kafka.topicSettings(topic, ['cleanup.policy', 'retention.ms', 'segment.ms']);
  const retentionMs = Number(settings.get('retention.ms') ?? defaultMs);
  const segmentMs = Number(settings.get('segment.ms') ?? defaultMs);
  const drops = (settings.get('cleanup.policy') ?? 'delete').split(',').includes('delete');
  const until = from.getTime() + retentionMs + segmentMs + noticedMs;
  if (!drops || retentionMs < 0 || !(until < forEver.getTime())) return forEver;
  return new Date(until);
};
