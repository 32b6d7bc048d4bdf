import { createCounter, createDurationHistogram, waitBuckets, type Logger } from '@causeway/telemetry';

/** What the relay says of itself in the log. */
export type RelayLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** How a lease changes: `taken`; `given` back or to a new replica; `lost` to somebody who took it. */
export type LeaseChange = 'taken' | 'given' | 'lost';

/** What the relay measures. */
export interface RelayMetrics {
  /** An event is in the log, so many milliseconds after it was recorded. */
  logged(ageMs: number): void;
  /**
   * Kafka has acknowledged an event, so many milliseconds after it was recorded.
   *
   * @param inLogMs - since it was in the log; absent where somebody else put it there
   */
  published(ageMs: number, inLogMs?: number): void;
  /** A send has ended. */
  sent(messages: { readonly written: number; readonly failed: number }, tookMs: number, error?: unknown): void;
  /** A slot's batch did not get through. */
  failed(): void;
  pullFailed(): void;
  /** So many leases have changed hands. */
  leases(change: LeaseChange, slots: number): void;
}

const errorType = (error: unknown): string => (error instanceof Error ? error.name : 'Error');

/**
 * The relay's metrics.
 *
 * @param topic - that it sends to
 */
export const createRelayMetrics = (topic: string): RelayMetrics => {
  const log = createDurationHistogram('causeway.relay.log.duration', 'From recorded to in the log', waitBuckets);
  const publish = createDurationHistogram(
    'causeway.relay.publish.duration',
    'From in the log to acknowledged by Kafka',
    waitBuckets,
  );
  const latency = createDurationHistogram(
    'causeway.relay.latency',
    'From recorded to acknowledged by Kafka',
    waitBuckets,
  );
  // Names and attributes of the semantic conventions for messaging clients.
  const send = createDurationHistogram('messaging.client.operation.duration', 'How long a send to Kafka took');
  const messages = createCounter('messaging.client.sent.messages', {
    description: 'Messages that were sent to Kafka',
    unit: '{message}',
  });
  const failures = createCounter('causeway.relay.failures', {
    description: 'Batches that Kafka or MongoDB did not take',
    unit: '{batch}',
  });
  const pulls = createCounter('causeway.relay.pull.failures', {
    description: 'Pulls of published events that did not get through, and were made again',
    unit: '{pull}',
  });
  const changes = createCounter('causeway.relay.lease.changes', {
    description: 'Leases of slots that were taken, given back or lost',
    unit: '{slot}',
  });
  const sending = {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'send',
    'messaging.destination.name': topic,
  };
  // A counter that has never risen is not there, and a rise from nothing is no rise to those who watch it.
  failures.add(0);
  pulls.add(0);
  messages.add(0, sending);
  for (const change of ['taken', 'given', 'lost'] satisfies LeaseChange[]) changes.add(0, { change });
  return {
    logged: (ageMs) => log.record(ageMs / 1000),
    published(ageMs, inLogMs) {
      latency.record(ageMs / 1000);
      if (inLogMs !== undefined) publish.record(inLogMs / 1000);
    },
    sent({ written, failed }, tookMs, error) {
      const failing = error === undefined ? sending : { ...sending, 'error.type': errorType(error) };
      send.record(tookMs / 1000, { ...failing, 'messaging.operation.type': 'send' });
      messages.add(written, sending);
      if (failed > 0) messages.add(failed, failing);
    },
    failed: () => failures.add(1),
    pullFailed: () => pulls.add(1),
    leases: (change, slots) => changes.add(slots, { change }),
  };
};
