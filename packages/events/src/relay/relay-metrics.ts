import { createCounter, createDurationHistogram, createGauge, type Logger } from '@causeway/telemetry';

/** What the relay says of itself in the log. */
export type RelayLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** What the relay measures. */
export interface RelayMetrics {
  /** An event reached Kafka, so many milliseconds after it was recorded. */
  published(ageMs: number): void;
  /** A slot's batch did not get through. */
  failed(): void;
}

/**
 * The relay's metrics.
 *
 * @param depth - how many rows wait now
 */
export const createRelayMetrics = (depth: () => number): RelayMetrics => {
  const latency = createDurationHistogram('causeway.relay.latency', 'From recorded to acknowledged by Kafka');
  const failures = createCounter('causeway.relay.failures', {
    description: 'Batches that Kafka or MongoDB did not take',
  });
  createGauge('causeway.relay.depth', { description: 'Rows known to wait for the relay', unit: '{row}' }, depth);
  return {
    published: (ageMs) => latency.record(ageMs / 1000),
    failed: () => failures.add(1),
  };
};
