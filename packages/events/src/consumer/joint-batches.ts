import type { EventEnvelope } from '@causeway/contracts';
import { withBatchSpan } from '@causeway/telemetry';
import { setTimeout as delay } from 'node:timers/promises';

import type { BatchDelivery, BatchOutcome } from './deliver-batch.ts';
import type { BatchHandler } from './handler.ts';
import type { RunPlaces } from './run-places.ts';

/** Where events came from, for their span. */
export interface BatchPlace {
  readonly destination: string;
  readonly partition: number | undefined;
  readonly consumerGroup: string;
  readonly handler: string;
}

/** How {@link createJointBatches} is wired. */
export interface JointBatchesOptions {
  readonly deliverBatch: BatchDelivery;
  readonly places: RunPlaces;
}

/** What waits in one partition. */
interface Part {
  readonly events: readonly EventEnvelope[];
  readonly place: BatchPlace;
  readonly signal: AbortSignal;
  readonly settle: PromiseWithResolvers<readonly EventEnvelope[]>;
}

/** Of one handler, in this process. */
interface Joint {
  readonly waiting: Set<Part>;
  isRunning: boolean;
  /** When the last run began, on `performance.now()`. */
  begunAt: number;
}

/**
 * Brings what waits in several partitions to a handler together, one run at a time; see `jointEveryMs` of {@link BatchHandler}. A partition hands
 * in its next events once it knows what has become of those before, so that the events of a subject stay in order. Where the handler fails, each
 * partition's events go by themselves: what one of them has does not make the others slow.
 *
 * @param signal - ends the wait, and what is waited for: then it rejects
 * @returns what is left of these events, in order: each is to be delivered by itself
 */
export type JointBatches = (
  handler: BatchHandler,
  events: readonly EventEnvelope[],
  place: BatchPlace,
  signal: AbortSignal,
) => Promise<readonly EventEnvelope[]>;

/** Takes as many parts as a batch may have events; at least one. */
const take = (waiting: Set<Part>, most: number): readonly Part[] => {
  const parts: Part[] = [];
  let count = 0;
  for (const part of waiting) {
    if (parts.length > 0 && count + part.events.length > most) break;
    count += part.events.length;
    parts.push(part);
    waiting.delete(part);
  }
  return parts;
};

/** Makes the joint batches of one process. */
export const createJointBatches = ({ deliverBatch, places }: JointBatchesOptions): JointBatches => {
  const joints = new Map<BatchHandler, Joint>();

  const deliver = async (handler: BatchHandler, parts: readonly Part[]): Promise<BatchOutcome> => {
    const events = parts.flatMap((part) => part.events);
    const [first] = parts;
    // By itself it has its own span, and its own attempts.
    if (first === undefined || events.length < 2) return { left: events, failed: false };
    const place = parts.length > 1 ? { ...first.place, partition: undefined } : first.place;
    const given = AbortSignal.any(parts.map(({ signal }) => signal));
    return places.run(given, (turn) => withBatchSpan(events, place, () => deliverBatch(handler, events, turn)));
  };

  const runAlone = async (handler: BatchHandler, part: Part): Promise<void> => {
    try {
      part.settle.resolve((await deliver(handler, [part])).left);
    } catch (error) {
      part.settle.reject(error);
    }
  };

  const run = async (handler: BatchHandler, waiting: Set<Part>): Promise<void> => {
    const parts = take(waiting, handler.maxEvents);
    try {
      const outcome = await deliver(handler, parts);
      const left = new Set(outcome.left);
      for (const part of parts) {
        if (outcome.failed && parts.length > 1) await runAlone(handler, part);
        else part.settle.resolve(part.events.filter((event) => left.has(event)));
      }
    } catch (error) {
      const isOver = parts.some(({ signal }) => signal.aborted);
      for (const part of parts) {
        // Where one of the partitions was given up, the others are none the worse for it.
        if (isOver && !part.signal.aborted) waiting.add(part);
        else part.settle.reject(error);
      }
    }
  };

  /** So that a batch is worth its transaction; one that is full already is. */
  const untilDue = async (
    { jointEveryMs = 0, maxEvents }: BatchHandler,
    { begunAt, waiting }: Joint,
  ): Promise<void> => {
    const inMs = begunAt + jointEveryMs - performance.now();
    const count = [...waiting].reduce((sum, { events }) => sum + events.length, 0);
    // Without a reference: a process that ends is not held up by it.
    if (inMs > 0 && count < maxEvents) await delay(inMs, undefined, { ref: false });
  };

  const runAll = async (handler: BatchHandler, joint: Joint): Promise<void> => {
    joint.isRunning = true;
    while (joint.waiting.size > 0) {
      await untilDue(handler, joint);
      joint.begunAt = performance.now();
      await run(handler, joint.waiting);
    }
    joint.isRunning = false;
  };

  return async (handler, events, place, signal) => {
    signal.throwIfAborted();
    const joint: Joint = joints.get(handler) ?? {
      waiting: new Set(),
      isRunning: false,
      begunAt: Number.NEGATIVE_INFINITY,
    };
    joints.set(handler, joint);
    const part: Part = { events, place, signal, settle: Promise.withResolvers() };
    const leave = (): void => {
      if (joint.waiting.delete(part)) part.settle.reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    joint.waiting.add(part);
    if (!joint.isRunning) void runAll(handler, joint);
    return part.settle.promise.finally(() => signal.removeEventListener('abort', leave));
  };
};
