import type { EventEnvelope } from '@causeway/contracts';
import { topicOf } from '@causeway/contracts';

import { fromBinary } from '../envelope/binary-mode.ts';
import type { KafkaPort } from '../kafka/port.ts';

/** What has arrived in a service's topic, as an outside subscriber sees it who knows what it has had. */
export interface PublishedEvents {
  /**
   * In the order of arrival; of one subject, in order of revision. Each once: Kafka has an event twice where a slot changed hands between its
   * being published and its being pulled.
   */
  readonly all: readonly EventEnvelope[];
  /** @returns the events that the predicate names, once there are so many; rejects after 60 s */
  waitFor(predicate: (event: EventEnvelope) => boolean, count?: number): Promise<EventEnvelope[]>;
  stop(): Promise<void>;
}

const patienceMs = 60_000;

/**
 * Reads a service's topic from its beginning and follows it.
 *
 * @param kafka - with the topic, which has to be there
 * @param service - whose events
 */
export async function readPublished(kafka: KafkaPort, service: string): Promise<PublishedEvents> {
  const all: EventEnvelope[] = [];
  const known = new Set<string>();
  const checks = new Set<() => void>();
  const reader = await kafka.readAll(topicOf(service), {
    from: 'beginning',
    onRecord(record) {
      const event = fromBinary(record.headers, record.value);
      if (known.has(event.id)) return;
      known.add(event.id);
      all.push(event);
      for (const check of checks) check();
    },
    onCaughtUp: () => undefined,
  });
  return {
    all,
    stop: () => reader.close(),
    waitFor: (predicate, count = 1) =>
      new Promise((resolve, reject) => {
        const done = (): void => {
          clearTimeout(timer);
          checks.delete(check);
        };
        const check = (): void => {
          const found = all.filter(predicate);
          if (found.length < count) return;
          done();
          resolve(found);
        };
        const timer = setTimeout(() => {
          done();
          const types = all.map((event) => `${event.type} of ${event.subject}`).join(', ');
          reject(new Error(`${count} events were awaited; there are: ${types}`));
        }, patienceMs);
        checks.add(check);
        check();
      }),
  };
}
