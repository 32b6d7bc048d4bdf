import { setTimeout as delay } from 'node:timers/promises';

import { isOutage } from '../recording/outage.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';

const pauseMs = (failures: number): number => Math.min(2_000, 100 * 2 ** failures) * (0.5 + Math.random() / 2);

/** One in so many attempts is told. */
const toldEvery = 10;

/** How outages are sat out. */
export interface OutageOptions {
  readonly logger: Pick<RelayLogger, 'warn'>;
  /** Ends the wait: the service stops, or the partition is given up. */
  readonly signal: AbortSignal;
  /** How to wait; left out, a timer. */
  readonly pause?: (ms: number) => Promise<void>;
  /** What waits, for the log. */
  readonly about?: object;
  /** An attempt was in vain, and another follows. */
  readonly onWait?: (error: unknown) => void;
}

/**
 * Does something once MongoDB lets it through; without it nothing can be decided. It is tried until it works, fails otherwise, or
 * the service stops. None of these attempts counts.
 */
export const throughOutages = async <T>(work: () => Promise<T>, options: OutageOptions): Promise<T> => {
  const { logger, signal, about, onWait } = options;
  const pause = options.pause ?? ((ms: number): Promise<void> => delay(ms, undefined, { signal }));
  for (let failures = 0; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isOutage(error)) throw error;
      onWait?.(error);
      if (failures % toldEvery === 0)
        logger.warn(
          { ...about, failures: failures + 1, error },
          'MongoDB does not take the effect now; the event waits',
        );
      await pause(pauseMs(failures));
    }
  }
};
