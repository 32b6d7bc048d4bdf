import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import { toHandlingError } from './error-categories.ts';
import type { HistoryLost } from './lost-history.ts';
import { unreadable, type Parking } from './parking.ts';

/** Parks, by their place, that events are missing which nobody has any more; and counts it. Safe to say again. */
export type ParkLost = (place: string, error: HistoryLost) => Promise<void>;

/** How {@link createParkLost} is wired. */
export interface ParkLostOptions {
  readonly parking: Pick<Parking, 'parkBytes'>;
  readonly metrics: Pick<ConsumerMetrics, 'parked'>;
  readonly logger: RelayLogger;
}

/** Makes what tells administrators of a service that events are lost to it. */
export const createParkLost =
  ({ parking, metrics, logger }: ParkLostOptions): ParkLost =>
  async (place, error) => {
    await parking.parkBytes(place, null, toHandlingError(error));
    metrics.parked(unreadable, 'lost');
    logger.error({ place, error }, 'events are lost: they are in neither Kafka nor the log of their producer');
  };
