import { createCounter, createDurationHistogram, waitBuckets } from '@causeway/telemetry';

import type { WaitedFor } from './outages.ts';
import { unreadable } from './parking.ts';

/**
 * Why an event was parked: its handler failed; an earlier one of its subject is parked; the inbox may have forgotten it; it does not
 * follow the one before it; it is none; it is lost, and what is parked says so.
 */
export type ParkedWhy = 'failed' | 'behind' | 'too-old' | 'out-of-sequence' | 'unreadable' | 'lost';

/** Why an event of a handler is parked. */
const whyOfHandlers: readonly ParkedWhy[] = ['failed', 'behind', 'too-old', 'out-of-sequence'];

/** Whether this service has a contract of an event's type. */
export type ContractKnown = 'known' | 'unknown';

/** What a consumer measures, by handler. */
export interface ConsumerMetrics {
  /** A record has come in, so many milliseconds after it was sent. */
  received(topic: string, sinceSentMs: number): void;
  /** No handler takes it. */
  passedOver(topic: string, contract: ContractKnown): void;
  /** An event is settled at a handler: handled, parked, or found to be so; so many milliseconds after it was received. */
  settled(handler: string, sinceReceivedMs: number): void;
  /** An event was handled: how long its handler took, and how old the event was by then. */
  handled(handler: string, tookMs: number, ageMs: number): void;
  retried(handler: string): void;
  /** An attempt was in vain for what the event can only wait for; it does not count. */
  waited(handler: string, why: WaitedFor): void;
  parked(handler: string, why?: ParkedWhy): void;
  duplicate(handler: string): void;
}

/**
 * The metrics of a service's consumer.
 *
 * @param handlers - their names: what never happens to one of them is told as 0
 * @param topics - that are read; likewise
 */
export const createConsumerMetrics = (handlers: readonly string[], topics: readonly string[] = []): ConsumerMetrics => {
  const receiving = createDurationHistogram(
    'causeway.consumer.receive.latency',
    'From sent to Kafka to received',
    waitBuckets,
  );
  const consumed = createCounter('messaging.client.consumed.messages', {
    description: 'Messages that were received from Kafka',
    unit: '{message}',
  });
  const passed = createCounter('causeway.consumer.passed_over', {
    description: 'Events that were received and that no handler takes',
    unit: '{event}',
  });
  const processing = createDurationHistogram(
    'messaging.process.duration',
    'How long a handler took for one event, retries included',
    waitBuckets,
  );
  const settling = createDurationHistogram(
    'causeway.handler.settle.duration',
    'From received to settled: the wait for earlier events of the subject and for a place, and the handler',
    waitBuckets,
  );
  const latency = createDurationHistogram('causeway.handler.latency', 'From recorded to handled', waitBuckets);
  const retries = createCounter('causeway.handler.retries', {
    description: 'Attempts that failed and were made again',
  });
  const waits = createCounter('causeway.handler.waits', {
    description: 'Attempts that came to nothing for what the event can only wait for, and do not count',
  });
  const parked = createCounter('causeway.handler.parked', { description: 'Events that were parked' });
  const duplicates = createCounter('causeway.handler.duplicates', {
    description: 'Deliveries of events that were settled',
  });
  for (const handler of handlers) {
    retries.add(0, { handler });
    for (const why of ['mongodb', 'relay', 'conflicts'] satisfies WaitedFor[]) waits.add(0, { handler, why });
    duplicates.add(0, { handler });
    for (const why of whyOfHandlers) parked.add(0, { handler, why });
  }
  for (const why of handlers.length > 0 ? (['unreadable', 'lost'] satisfies ParkedWhy[]) : [])
    parked.add(0, { handler: unreadable, why });
  const passedFrom = (topic: string, contract: ContractKnown) => ({ 'messaging.destination.name': topic, contract });
  for (const topic of topics) {
    for (const contract of ['known', 'unknown'] as const) passed.add(0, passedFrom(topic, contract));
  }
  const kafka = { 'messaging.system': 'kafka' };
  return {
    received(topic, sinceSentMs) {
      const from = { ...kafka, 'messaging.operation.name': 'poll', 'messaging.destination.name': topic };
      consumed.add(1, from);
      receiving.record(Math.max(0, sinceSentMs) / 1000, { 'messaging.destination.name': topic });
    },
    passedOver: (topic, contract) => passed.add(1, passedFrom(topic, contract)),
    settled: (handler, sinceReceivedMs) => settling.record(sinceReceivedMs / 1000, { handler }),
    handled(handler, tookMs, ageMs) {
      processing.record(tookMs / 1000, { ...kafka, 'messaging.operation.name': 'process', handler });
      latency.record(ageMs / 1000, { handler });
    },
    retried: (handler) => retries.add(1, { handler }),
    waited: (handler, why) => waits.add(1, { handler, why }),
    parked: (handler, why = 'failed') => parked.add(1, { handler, why }),
    duplicate: (handler) => duplicates.add(1, { handler }),
  };
};
