import type { EventEnvelope } from '@causeway/contracts';
import { withBatchSpan, withProcessSpan } from '@causeway/telemetry';

import type { TopicPartition } from '../kafka/port.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import type { BatchDelivery } from './deliver-batch.ts';
import type { Delivery } from './deliver.ts';
import type { HandlerLag } from './handler-lag.ts';
import type { BatchHandler, Handler } from './handler.ts';
import { createJointBatches } from './joint-batches.ts';
import type { ParkOutOfSequence } from './out-of-sequence.ts';
import type { Task, TaskGroup } from './partition-work.ts';
import type { RunPlaces, Turn } from './run-places.ts';
import type { OutOfSequence } from './sequence-watch.ts';

/** Where an event came from. */
export interface EventPlace {
  readonly topic: string;
  readonly partition: number;
  /** -1 for an event that came from its producer's log. */
  readonly offset: bigint;
}

/**
 * What is to be done with an event: one task for each handler that takes it.
 *
 * @param fault - of one that does not follow the one before it of its subject
 */
export type EventTasks = (event: EventEnvelope, place: EventPlace, fault?: OutOfSequence) => readonly Task[];

/** How {@link createEventTasks} is wired. */
export interface EventTasksOptions {
  readonly groupId: string;
  readonly handlers: readonly Handler[];
  readonly deliver: Delivery;
  readonly deliverBatch: BatchDelivery;
  readonly places: RunPlaces;
  readonly parkOutOfSequence: ParkOutOfSequence;
  /** Whether what comes is for a handler yet; one that still goes through what was before is given this there. */
  readonly admits: (handler: Handler, of: TopicPartition, turn: Turn) => boolean | Promise<boolean>;
  readonly lag: Pick<HandlerLag, 'taken'>;
  readonly metrics: Pick<ConsumerMetrics, 'settled'>;
}

/** A task of a batch handler, with the event that it is about. */
interface BatchTask extends Task {
  readonly event: EventEnvelope;
  /** Its sequence is wrong: somebody has to look at it, and at what is behind it in its lane, by itself. */
  readonly isFaulty: boolean;
  /** It needs nothing more. */
  over(): void;
}

/** One after the other: a subject's events at an ordered handler; elsewhere only the deliveries of one event. */
const laneOf = (handler: Handler, event: EventEnvelope): string =>
  `${handler.name}\n${handler.order === 'ordered' ? event.subject : event.id}`;

/** What may be run together: nothing passes what goes by itself. */
const together = (tasks: readonly BatchTask[]): readonly EventEnvelope[] => {
  const apart = new Set<string>();
  return tasks.flatMap(({ lane, event, isFaulty }) => {
    if (isFaulty) apart.add(lane);
    return apart.has(lane) ? [] : [event];
  });
};

/** Makes what gives each event to its handlers. */
export const createEventTasks = (options: EventTasksOptions): EventTasks => {
  const { groupId, handlers, deliver, deliverBatch, parkOutOfSequence, admits, lag, metrics, places } = options;
  const deliverJointly = createJointBatches({ deliverBatch, places });
  const byType = new Map<string, Handler[]>();
  for (const handler of handlers) {
    for (const { type } of handler.on) byType.set(type, [...(byType.get(type) ?? []), handler]);
  }

  /** What of a handler waits in a partition. All tasks of the group are its own. */
  const groupOf = (handler: BatchHandler, { topic, partition }: EventPlace): TaskGroup => {
    const isJoint = handler.jointEveryMs !== undefined;
    const place = { destination: topic, partition, consumerGroup: groupId, handler: handler.name };
    const deliverAll = async (events: readonly EventEnvelope[], turn: Turn): Promise<readonly EventEnvelope[]> =>
      isJoint
        ? deliverJointly(handler, events, place, turn.signal)
        : (await withBatchSpan(events, place, () => deliverBatch(handler, events, turn))).left;
    return {
      key: handler.name,
      maxTasks: handler.maxEvents,
      maxWaitMs: handler.maxWaitMs,
      asksForPlace: isJoint,
      async run(tasks, turn) {
        const own = tasks as readonly BatchTask[];
        const events = together(own);
        // By itself it has its own span, and its own attempts.
        if (events.length === 0 || (events.length < 2 && !isJoint)) return tasks;
        const done = new Set(events);
        if (await admits(handler, { topic, partition }, turn))
          for (const event of await deliverAll(events, turn)) done.delete(event);
        for (const { event, over } of own) if (done.has(event)) over();
        return own.filter(({ event }) => !done.has(event));
      },
    };
  };

  const taskOf = (
    handler: Handler,
    event: EventEnvelope,
    place: EventPlace,
    fault: OutOfSequence | undefined,
  ): Task | BatchTask => {
    const { topic, partition, offset } = place;
    const about = { destination: topic, partition, offset: String(offset), consumerGroup: groupId };
    const receivedAt = performance.now();
    const settled = lag.taken(handler.name, { topic, partition }, offset, Date.parse(event.time));
    const over = (): void => {
      settled();
      metrics.settled(handler.name, performance.now() - receivedAt);
    };
    const deliverIt = (turn: Turn): Promise<void> =>
      withProcessSpan(event, { ...about, handler: handler.name }, () =>
        fault === undefined ? deliver(handler, event, turn) : parkOutOfSequence(handler, event, turn, fault),
      );
    const task: Task = {
      lane: laneOf(handler, event),
      async run(turn) {
        if (await admits(handler, { topic, partition }, turn)) await deliverIt(turn);
        over();
      },
    };
    return handler.kind === 'batch'
      ? { ...task, group: groupOf(handler, place), event, isFaulty: fault !== undefined, over }
      : task;
  };

  return (event, place, fault) => (byType.get(event.type) ?? []).map((handler) => taskOf(handler, event, place, fault));
};
