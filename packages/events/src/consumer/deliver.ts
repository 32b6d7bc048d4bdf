import { isRedacted, type EventEnvelope } from '@causeway/contracts';
import { setTimeout as delay } from 'node:timers/promises';

import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import type { Handler } from './handler.ts';
import { AlreadyHandled, type Inbox } from './inbox.ts';
import { throughOutages } from './outages.ts';
import type { Parking } from './parking.ts';
import { isPoison, toHandlingError, type HandlerRunner } from './run-handler.ts';

/** Attempts in place before an event is parked. With the pauses between them they take about two seconds. */
export const quickTries = 5;

/** Before the next attempt, in milliseconds. */
export const pauseMs = (attempt: number): number => 100 * 2 ** (attempt - 1) * (0.5 + Math.random());

/** How {@link createDelivery} is wired. */
export interface DeliveryOptions {
  readonly run: HandlerRunner;
  readonly inbox: Inbox;
  readonly parking: Parking;
  readonly logger: RelayLogger;
  readonly metrics: ConsumerMetrics;
  readonly signal: AbortSignal;
}

/** Brings an event to a handler until it has had its effect or is parked. Rejects only where the service stops. */
export type Delivery = (handler: Handler, event: EventEnvelope) => Promise<void>;

/** Makes the delivery of a service's events to its handlers. */
export const createDelivery = (options: DeliveryOptions): Delivery => {
  const { run, inbox, parking, logger, metrics, signal } = options;

  const patiently = <T>(work: () => Promise<T>): Promise<T> => throughOutages(work, { logger, signal });

  const park = async (handler: Handler, event: EventEnvelope, attempt: number, error: unknown): Promise<void> => {
    const subject = handler.order === 'ordered' ? event.subject : undefined;
    const about = { handler: handler.name, event: event.id, type: event.type, subject, attempts: attempt, error };
    await patiently(() =>
      parking.park(handler.name, event, attempt, toHandlingError(error), handler.order === 'ordered'),
    );
    metrics.parked(handler.name);
    logger.error(about, 'an event is parked');
  };

  /** A duplicate: nothing to do, except that a parked one tells that its subject is. */
  const duplicate = async (handler: Handler, event: EventEnvelope): Promise<void> => {
    metrics.duplicate(handler.name);
    if (handler.order !== 'ordered') return;
    const status = await patiently(() => inbox.statusOf(handler.name, event.id));
    if (status === 'parked') parking.learn(handler.name, event.subject);
  };

  const attemptAll = async (handler: Handler, event: EventEnvelope): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await patiently(() => run(handler, event, attempt));
        return;
      } catch (error) {
        if (error instanceof AlreadyHandled) return duplicate(handler, event);
        if (signal.aborted) throw error;
        if (isPoison(error) || attempt >= quickTries) return park(handler, event, attempt, error);
        metrics.retried(handler.name);
        logger.warn({ handler: handler.name, event: event.id, attempt, error }, 'a handler failed; it is tried again');
        await patiently(() => inbox.markRetrying(handler.name, event, attempt, toHandlingError(error))).catch(
          (settled: unknown) => {
            if (!(settled instanceof AlreadyHandled)) throw settled;
          },
        );
        await delay(pauseMs(attempt), undefined, { signal });
      }
    }
  };

  return async (handler, event) => {
    // One without data waits for nothing: it has no effect that an earlier one could be in the way of.
    if (handler.order === 'ordered' && !isRedacted(event) && parking.isParked(handler.name, event.subject)) {
      if (await patiently(() => parking.join(handler.name, event))) return;
    }
    const began = performance.now();
    await attemptAll(handler, event);
    metrics.handled(handler.name, performance.now() - began, Date.now() - Date.parse(event.time));
  };
};
