import type { EventEnvelope } from '@causeway/contracts';
import { withProcessSpan } from '@causeway/telemetry';

import type { TopicPartition } from '../kafka/port.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import type { Delivery } from './deliver.ts';
import type { HandlerLag } from './handler-lag.ts';
import type { Handler } from './handler.ts';
import type { Task } from './partition-work.ts';
import type { Turn } from './run-places.ts';

/** Where an event came from. */
export interface EventPlace {
  readonly topic: string;
  readonly partition: number;
  /** -1 for an event that came from its producer's log. */
  readonly offset: bigint;
}

/** What is to be done with an event: one task for each handler that takes it. */
export type EventTasks = (event: EventEnvelope, place: EventPlace) => readonly Task[];

/** How {@link createEventTasks} is wired. */
export interface EventTasksOptions {
  readonly groupId: string;
  readonly handlers: readonly Handler[];
  readonly deliver: Delivery;
  /** Whether what comes is for a handler yet; one that still goes through what was before is given this there. */
  readonly admits: (handler: Handler, of: TopicPartition, turn: Turn) => boolean | Promise<boolean>;
  readonly lag: Pick<HandlerLag, 'taken'>;
  readonly metrics: Pick<ConsumerMetrics, 'settled'>;
}

/** One after the other: a subject's events at an ordered handler; elsewhere only the deliveries of one event. */
const laneOf = (handler: Handler, event: EventEnvelope): string =>
  `${handler.name}\n${handler.order === 'ordered' ? event.subject : event.id}`;

/** Makes what gives each event to its handlers. */
export const createEventTasks = (options: EventTasksOptions): EventTasks => {
  const { groupId, handlers, deliver, admits, lag, metrics } = options;
  const byType = new Map<string, Handler[]>();
  for (const handler of handlers) {
    for (const { type } of handler.on) byType.set(type, [...(byType.get(type) ?? []), handler]);
  }
  return (event, { topic, partition, offset }) => {
    const place = { destination: topic, partition, offset: String(offset), consumerGroup: groupId };
    const receivedAt = performance.now();
    return (byType.get(event.type) ?? []).map((handler) => {
      const settled = lag.taken(handler.name, { topic, partition }, offset, Date.parse(event.time));
      const deliverIt = (turn: Turn): Promise<void> =>
        withProcessSpan(event, { ...place, handler: handler.name }, () => deliver(handler, event, turn));
      return {
        lane: laneOf(handler, event),
        async run(turn) {
          if (await admits(handler, { topic, partition }, turn)) await deliverIt(turn);
          settled();
          metrics.settled(handler.name, performance.now() - receivedAt);
        },
      };
    });
  };
};
