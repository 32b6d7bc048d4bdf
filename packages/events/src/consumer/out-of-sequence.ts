import { isRedacted, type EventEnvelope } from '@causeway/contracts';

import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import type { Delivery } from './deliver.ts';
import { toHandlingError } from './error-categories.ts';
import type { FirstDeliveries } from './first-deliveries.ts';
import type { Handler } from './handler.ts';
import type { Inbox } from './inbox.ts';
import { throughOutages } from './outages.ts';
import type { Parking } from './parking.ts';
import type { Turn } from './run-places.ts';
import type { OutOfSequence } from './sequence-watch.ts';

/** How {@link createParkOutOfSequence} is wired. */
export interface OutOfSequenceOptions {
  readonly deliver: Delivery;
  readonly firsts: Pick<FirstDeliveries, 'cameAgain'>;
  readonly inbox: Pick<Inbox, 'statusOf'>;
  readonly parking: Parking;
  readonly metrics: Pick<ConsumerMetrics, 'parked'>;
  readonly logger: RelayLogger;
}

/** Parks an event that does not follow the one before it, unless that is settled already, or waits behind others anyway. */
export type ParkOutOfSequence = (
  handler: Handler,
  event: EventEnvelope,
  turn: Turn,
  fault: OutOfSequence,
) => Promise<void>;

/**
 * Makes what is done with an event whose sequence is wrong. It is parked, not passed over: where events are missing it may well be the
 * true one, and its subject waits until they are there. What it should have followed may have been an older one that came again, as the first that a
 * partition has brought since it is ours: then those between came before that, and nothing is missing as far as anybody here can tell.
 */
export const createParkOutOfSequence =
  ({ deliver, firsts, inbox, parking, metrics, logger }: OutOfSequenceOptions): ParkOutOfSequence =>
  async (handler, event, turn, fault) => {
    const patiently = <T>(work: () => Promise<T>): Promise<T> => throughOutages(work, { logger, ...turn });
    const ordered = handler.order === 'ordered';
    const waits = ordered && parking.isParked(handler.name, event.subject);
    const followsOld = fault.after !== undefined && firsts.cameAgain(handler.name, fault.after);
    if (
      isRedacted(event) ||
      waits ||
      followsOld ||
      (await patiently(() => inbox.statusOf(handler.name, event.id))) !== undefined
    )
      return deliver(handler, event, turn);
    await patiently(() => parking.park(handler.name, event, 0, toHandlingError(fault), ordered));
    metrics.parked(handler.name, 'out-of-sequence');
    logger.error({ handler: handler.name, event: event.id, type: event.type, error: fault }, 'an event is parked');
  };
