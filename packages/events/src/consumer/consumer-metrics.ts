import { createCounter, createDurationHistogram } from '@causeway/telemetry';

/** What a consumer measures, by handler. */
export interface ConsumerMetrics {
  /** An event was settled: how long its handler took, and how old the event was by then. */
  handled(handler: string, tookMs: number, ageMs: number): void;
  retried(handler: string): void;
  parked(handler: string): void;
  duplicate(handler: string): void;
}

/** The metrics of a service's consumer. */
export const createConsumerMetrics = (): ConsumerMetrics => {
  const duration = createDurationHistogram(
    'causeway.handler.duration',
    'How long a handler took for one event, retries included',
  );
  const latency = createDurationHistogram('causeway.handler.latency', 'From recorded to handled');
  const retries = createCounter('causeway.handler.retries', {
    description: 'Attempts that failed and were made again',
  });
  const parked = createCounter('causeway.handler.parked', { description: 'Events parked after a failure' });
  const duplicates = createCounter('causeway.handler.duplicates', {
    description: 'Deliveries of events that were settled',
  });
  return {
    handled(handler, tookMs, ageMs) {
      duration.record(tookMs / 1000, { handler });
      latency.record(ageMs / 1000, { handler });
    },
    retried: (handler) => retries.add(1, { handler }),
    parked: (handler) => parked.add(1, { handler }),
    duplicate: (handler) => duplicates.add(1, { handler }),
  };
};
