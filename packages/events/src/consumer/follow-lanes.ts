import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { Parking } from './parking.ts';

/** So often is looked for subjects that somebody else has parked. */
const followMs = 2_000;

/**
 * Learns, now and then, which subjects other processes have parked: whoever replays parks in its own process, while later events of the
 * subject are delivered in that which has the partition. Until it has learnt of it, up to three seconds, these are still handled.
 *
 * @returns a function that ends it
 */
export const followLanes = (parking: Pick<Parking, 'load'>, logger: Pick<RelayLogger, 'debug'>): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const again = (): void => {
    if (!stopped) timer = setTimeout(() => void look(), followMs * (0.5 + Math.random())).unref();
  };

  const look = async (): Promise<void> => {
    await parking.load().catch((error: unknown) => {
      logger.debug({ error }, 'subjects that were parked elsewhere could not be looked for; it is tried again');
    });
    again();
  };

  again();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
};
