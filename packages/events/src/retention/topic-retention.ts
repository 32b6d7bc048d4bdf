import { createGauges } from '@causeway/telemetry';
import { setTimeout as delay } from 'node:timers/promises';

import { kafkaUntil } from '../erasure/kafka-until.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { RetentionPeriods } from './retention-periods.ts';

/** How {@link watchTopicRetention} is wired. */
export interface TopicRetentionOptions {
  readonly kafka: Pick<KafkaPort, 'topicSettings'>;
  /** The service's own, and those that its handlers read. */
  readonly topics: readonly string[];
  readonly periods: Pick<RetentionPeriods, 'logMs' | 'tooOldMs'>;
  /** Operators change topics while services run; default an hour. */
  readonly everyMs?: number | undefined;
  readonly logger: Pick<RelayLogger, 'warn' | 'debug'>;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const daysOf = (ms: number): number => Math.round((ms / dayMs) * 10) / 10;

/**
 * Looks now, and each hour, whether a topic keeps events for longer than is remembered that they were handled. Nothing is wrong with
 * that by itself: an event that comes again after so long is parked as `TooOld`, not run. But whoever sets a topic's `retention.ms`
 * to have more to go back to should know that it takes `EVENTS_RETENTION_DAYS` too.
 *
 * @returns ends it; what Kafka is being asked then is not waited for
 */
export const watchTopicRetention = (options: TopicRetentionOptions): (() => void) => {
  const { kafka, topics, periods, everyMs = hourMs, logger } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  /** By topic, in milliseconds; 0 where all is well. */
  const excess = new Map<string, number>();

  const endGauges = createGauges(
    'causeway.topic.retention.excess',
    { description: 'For how much longer a topic keeps events than it is remembered that they were handled', unit: 's' },
    () =>
      [...excess].map(([topic, ms]) => ({
        value: Math.round(ms / 1_000),
        attributes: { 'messaging.destination.name': topic },
      })),
  );

  const look = async (topic: string): Promise<void> => {
    const from = new Date();
    const keptMs = (await kafkaUntil(kafka, topic, from)).getTime() - from.getTime();
    const tooLongMs = Math.max(0, keptMs - periods.tooOldMs);
    if (signal.aborted) return;
    const before = excess.get(topic) ?? 0;
    excess.set(topic, tooLongMs);
    if (tooLongMs === 0 || before > 0) return;
    logger.warn(
      { topic, keptDays: daysOf(keptMs), logDays: daysOf(periods.logMs) },
      'a topic keeps events for longer than the log and the inbox: what is delivered again after so long is parked as TooOld; set its retention.ms lower, or EVENTS_RETENTION_DAYS higher',
    );
  };

  const watching = async (): Promise<void> => {
    while (!signal.aborted) {
      for (const topic of topics) {
        await look(topic).catch((error: unknown) =>
          logger.debug({ error, topic }, 'how long a topic keeps events could not be asked; it is tried again'),
        );
      }
      await delay(everyMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  };
  void watching();

  return () => {
    endGauges();
    stopping.abort();
  };
};
