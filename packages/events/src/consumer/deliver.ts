import { isRedacted, serviceOf, topicOf, type EventEnvelope } from '@causeway/contracts';
import { withProcessSpan } from '@causeway/telemetry';

import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import { isPoison, toHandlingError } from './error-categories.ts';
import type { FirstDeliveries } from './first-deliveries.ts';
import type { Handler } from './handler.ts';
import { AlreadyHandled, type Inbox } from './inbox.ts';
import { createPatience, throughOutages, type Patience } from './outages.ts';
import type { Parking } from './parking.ts';
import type { HandlerRunner } from './run-handler.ts';
import type { Turn } from './run-places.ts';

/** Attempts in place before an event is parked. With the pauses between them they take about two seconds. */
export const quickTries = 5;

/** Before the next attempt, in milliseconds. */
export const pauseMs = (attempt: number): number => 100 * 2 ** (attempt - 1) * (0.5 + Math.random());

/** How {@link createDelivery} is wired. */
export interface DeliveryOptions {
  readonly run: HandlerRunner;
  readonly inbox: Inbox;
  readonly parking: Parking;
  readonly firsts: Pick<FirstDeliveries, 'note'>;
  readonly logger: RelayLogger;
  readonly metrics: ConsumerMetrics;
  /** Of {@link createPatience}. */
  readonly patienceMs?: number | undefined;
  /** Aborted when handlers are told to give up: the service stops. */
  readonly signal: AbortSignal;
}

/**
 * Brings an event to a handler until it has had its effect or is parked. Rejects where its turn is ended before, and where MongoDB
 * refuses to have it parked: then it is to be brought again.
 */
export type Delivery = (handler: Handler, event: EventEnvelope, turn: Turn) => Promise<void>;

/** An event on its way to a handler. */
interface Delivered {
  readonly handler: Handler;
  readonly event: EventEnvelope;
  readonly turn: Turn;
}

/** Makes the delivery of a service's events to its handlers. */
export const createDelivery = (options: DeliveryOptions): Delivery => {
  const { run, inbox, parking, firsts, logger, metrics, patienceMs, signal } = options;

  const patiently = <T>(
    work: () => Promise<T>,
    { handler: { name: handler }, event, turn }: Delivered,
    waitsFor?: Patience,
  ): Promise<T> =>
    throughOutages(work, {
      ...{ logger, ...turn, about: { handler, event: event.id } },
      ...(waitsFor === undefined ? {} : { waitsFor }),
      onWait: (why) => metrics.waited(handler, why),
    });

  const park = async (delivered: Delivered, attempt: number, error: unknown): Promise<void> => {
    const { handler, event } = delivered;
    const subject = handler.order === 'ordered' ? event.subject : undefined;
    const about = { handler: handler.name, event: event.id, type: event.type, subject, attempts: attempt, error };
    await patiently(
      () => parking.park(handler.name, event, attempt, toHandlingError(error), handler.order === 'ordered'),
      delivered,
    );
    metrics.parked(handler.name);
    logger.error(about, 'an event is parked');
  };

  /** A duplicate: nothing to do, except that a parked one tells that its subject is. */
  const duplicate = async (delivered: Delivered): Promise<void> => {
    const { handler, event } = delivered;
    metrics.duplicate(handler.name);
    firsts.note(handler.name, event.id, true);
    if (handler.order !== 'ordered') return;
    const status = await patiently(() => inbox.statusOf(handler.name, event.id), delivered);
    if (status === 'parked') parking.learn(handler.name, event.subject);
  };

  /** Says that another attempt follows. Nobody else has the event, unless the partition was ours for too long. */
  const markRetrying = async (delivered: Delivered, attempt: number, error: unknown): Promise<void> => {
    const { handler, event } = delivered;
    metrics.retried(handler.name);
    logger.warn({ handler: handler.name, event: event.id, attempt, error }, 'a handler failed; it is tried again');
    try {
      await patiently(() => inbox.markRetrying(handler.name, event, attempt, toHandlingError(error)), delivered);
    } catch (settled) {
      if (!(settled instanceof AlreadyHandled)) throw settled;
    }
  };

  /** The first attempt goes on in the trace of the event; each further one begins a trace of its own, linked to it. */
  const attemptOnce = ({ handler, event }: Delivered, attempt: number): Promise<void> => {
    if (attempt === 1) return run(handler, event, attempt);
    const place = { destination: topicOf(serviceOf(event.type)), handler: handler.name, apart: true };
    return withProcessSpan(event, place, () => run(handler, event, attempt));
  };

  const attemptAll = async (delivered: Delivered): Promise<void> => {
    const { turn } = delivered;
    const patience = createPatience(patienceMs);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await patiently(() => attemptOnce(delivered, attempt), delivered, patience);
        return;
      } catch (error) {
        if (error instanceof AlreadyHandled) return duplicate(delivered);
        // It may have failed because it was told to give up.
        if (signal.aborted) throw error;
        if (isPoison(error) || attempt >= quickTries) return park(delivered, attempt, error);
        if (turn.signal.aborted) throw error;
        await markRetrying(delivered, attempt, error);
        await turn.pause(pauseMs(attempt));
      }
    }
  };

  return async (handler, event, turn) => {
    const delivered = { handler, event, turn };
    // One without data waits for nothing: it has no effect that an earlier one could be in the way of.
    if (handler.order === 'ordered' && !isRedacted(event) && parking.isParked(handler.name, event.subject)) {
      if (await patiently(() => parking.join(handler.name, event), delivered)) {
        metrics.parked(handler.name, 'behind');
        return;
      }
    }
    const began = performance.now();
    await attemptAll(delivered);
    firsts.note(handler.name, event.id, false);
    metrics.handled(handler.name, performance.now() - began, Date.now() - Date.parse(event.time));
  };
};
