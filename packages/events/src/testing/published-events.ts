import type { EventEnvelope } from '@causeway/contracts';
import { topicOf } from '@causeway/contracts';

import { fromBinary } from '../envelope/binary-mode.ts';
import type { KafkaPort } from '../kafka/port.ts';

/** What has arrived in a service's topic, as an outside subscriber sees it. */
export interface PublishedEvents {
  /** In the order of arrival; of one subject, in order of revision. */
  readonly all: readonly EventEnvelope[];
  /** @returns the events that the predicate names, once there are so many; rejects after 20 s */
  waitFor(predicate: (event: EventEnvelope) => boolean, count?: number): Promise<EventEnvelope[]>;
  stop(): Promise<void>;
}

const patienceMs = 20_000;

/**
 * Reads a service's topic from its beginning and follows it.
 *
 * @param kafka - with the topic, which has to be there
 * @param service - whose events
 */
export async function readPublished(kafka: KafkaPort, service: string): Promise<PublishedEvents> {
  const all: EventEnvelope[] = [];
  const checks = new Set<() => void>();
  const reader = await kafka.readAll(topicOf(service), {
    from: 'beginning',
    onRecord(record) {
      all.push(fromBinary(record.headers, record.value));
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
